package issuer

import (
	"context"
	"fmt"
)

// Requests returns how often path was requested, answered or not; with "" how
// often any path was.
func (s *Server) Requests(path string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests(path)
}

func (s *Server) requests(path string) int {
	if path == "" {
		return s.total
	}
	return s.counts[path]
}

// Await returns when path ("" for any) was requested at least n times, or
// with the context's error.
func (s *Server) Await(ctx context.Context, path string, n int) error {
	for {
		s.mu.Lock()
		have, arrived := s.requests(path), s.arrived
		s.mu.Unlock()
		if have >= n {
			return nil
		}
		select {
		case <-arrived:
		case <-ctx.Done():
			return fmt.Errorf("issuer: %q was requested %d times, not %d: %w", path, have, n, ctx.Err())
		}
	}
}
