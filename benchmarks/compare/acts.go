package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/bearward/bearward/internal/issuer"
)

func coldStart(ctx context.Context, c crowd, s *stage) (outcome, error) {
	failed := s.all(ctx, c.callers, c.grace, s.good, func() {})
	return outcome{calls: s.calls(), failed: failed}, nil
}

func unknownKid(ctx context.Context, c crowd, s *stage) (outcome, error) {
	before, err := s.warm(ctx)
	if err != nil {
		return outcome{}, err
	}
	raw, err := s.unknown(0)
	if err != nil {
		return outcome{}, err
	}
	if err := s.server.Break(issuer.Slow); err != nil {
		return outcome{}, err
	}
	failed := s.all(ctx, c.callers, c.grace, raw, func() {})
	if failed != c.callers {
		return outcome{}, fmt.Errorf("%d of %d tokens with an unknown kid were accepted", c.callers-failed, c.callers)
	}
	return outcome{calls: s.calls() - before}, nil
}

func unknownKids(ctx context.Context, c crowd, s *stage) (outcome, error) {
	before, err := s.warm(ctx)
	if err != nil {
		return outcome{}, err
	}
	err = s.junk(ctx, c.turns)
	return outcome{calls: s.calls() - before}, err
}

var errForgedAccepted = errors.New("a bad signature was accepted")

func badSignatures(ctx context.Context, c crowd, s *stage) (outcome, error) {
	before, err := s.warm(ctx)
	if err != nil {
		return outcome{}, err
	}
	raw := s.forged()
	for range c.turns {
		if s.ask(ctx, raw) == nil {
			return outcome{}, errForgedAccepted
		}
	}
	return outcome{calls: s.calls() - before}, nil
}

func rotated(ctx context.Context, _ crowd, s *stage) (outcome, error) {
	if _, err := s.warm(ctx); err != nil {
		return outcome{}, err
	}
	return s.rotate(ctx)
}

func rotatedAfterJunk(ctx context.Context, c crowd, s *stage) (outcome, error) {
	if _, err := s.warm(ctx); err != nil {
		return outcome{}, err
	}
	if err := s.junk(ctx, c.turns); err != nil {
		return outcome{}, err
	}
	return s.rotate(ctx)
}

// orphans lets one caller begin the first fetch, others wait for it, and the
// first go away. Of libraries that fetch before there is a caller it tells
// nothing.
func orphans(ctx context.Context, c crowd, s *stage) (outcome, error) {
	if s.keys == atStart {
		return outcome{failed: -1}, nil
	}
	first, leave := context.WithCancel(ctx)
	defer leave()
	left := make(chan struct{})
	go func() { defer close(left); _ = s.ask(first, s.good) }()
	bounded, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := s.server.Await(bounded, keysPath, 1); err != nil {
		return outcome{}, err
	}
	failed := s.all(ctx, c.followers, c.grace, s.good, func() {
		leave()
		select {
		case <-left:
		case <-time.After(c.grace): // it is not told
		}
	})
	return outcome{failed: failed}, nil
}
