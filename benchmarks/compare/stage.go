package main

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bearward/bearward/internal/issuer"
)

// patience bounds every call, so that nothing here can hang.
const patience = 20 * time.Second

var errUnknownAccepted = errors.New("a token with an unknown kid was accepted")

// stage is a library that has no keys yet, or those that its constructor fetched,
// and their issuer. Its tokens are ES256, whose keys are made quickly.
type stage struct {
	*scene

	keys   supply
	verify verifier
}

func newStage(ctx context.Context, l library, slow bool) (*stage, error) {
	s, err := newScene(ctx, "ES256")
	if err != nil {
		return nil, err
	}
	if slow {
		if err := s.server.Break(issuer.Slow); err != nil {
			return nil, err
		}
	}
	verify, err := l.verify(ctx, s.target)
	return &stage{s, l.keys, verify}, err
}

// ask is one caller.
func (s *stage) ask(ctx context.Context, raw string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	_, err := s.verify(ctx, raw)
	return err
}

// warm has the keys fetched, and returns how many calls that took.
func (s *stage) warm(ctx context.Context) (int, error) {
	err := s.ask(ctx, s.good)
	return s.calls(), err
}

func (s *stage) calls() int { return s.server.Requests(keysPath) }

// all lets n callers come at once while the issuer is slow, answers when they
// had time to get to where they wait, and returns how many failed. Meanwhile is
// called before the issuer answers.
func (s *stage) all(ctx context.Context, n int, grace time.Duration, raw string, meanwhile func()) int {
	var failed, entered atomic.Int64
	var callers sync.WaitGroup
	start, inside, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
	for range n {
		callers.Go(func() {
			<-start
			if entered.Add(1) == int64(n) {
				close(inside)
			}
			if s.ask(ctx, raw) != nil {
				failed.Add(1)
			}
		})
	}
	close(start)
	go func() { callers.Wait(); close(done) }()
	<-inside
	select {
	case <-done:
	case <-time.After(grace):
	}
	meanwhile()
	s.server.Heal()
	<-done
	return int(failed.Load())
}

// junk sends tokens with n unknown kids.
func (s *stage) junk(ctx context.Context, n int) error {
	for i := range n {
		raw, err := s.unknown(i)
		if err != nil {
			return err
		}
		if s.ask(ctx, raw) == nil {
			return errUnknownAccepted
		}
	}
	return nil
}

// rotate makes a new key and tells whether the first token with it is accepted.
func (s *stage) rotate(ctx context.Context) (outcome, error) {
	if err := s.server.Rotate(); err != nil {
		return outcome{}, err
	}
	raw, err := s.sign(nil, nil)
	if err != nil {
		return outcome{}, err
	}
	return outcome{yes: s.ask(ctx, raw) == nil}, nil
}
