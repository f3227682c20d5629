package cache_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bearward/bearward/validate"
	"github.com/bearward/bearward/validate/cache"
)

// TestTogether: one verification for all who ask at the same time.
func TestTogether(t *testing.T) {
	s := newStand(t, cache.Config{})
	raw, d := s.mint(nil)
	synctest.Test(t, func(t *testing.T) {
		ran := 0
		var all sync.WaitGroup
		for range 200 {
			all.Go(func() {
				token, err := s.cache.Share(t.Context(), d, func(ctx context.Context) (*validate.Token, error) {
					ran++ // a race, should there be two
					time.Sleep(time.Second)
					return s.verifier.Verify(ctx, raw)
				})
				if err != nil || token == nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if ran != 1 {
			t.Errorf("%d verifications", ran)
		}
	})
	if s.cache.Get(d) == nil {
		t.Error("not remembered")
	}
}

// TestLeaving: who goes away gets an answer at once and fails nobody else: if it
// was the one who verifies, another one does.
func TestLeaving(t *testing.T) {
	s := newStand(t, cache.Config{})
	raw, d := s.mint(nil)
	synctest.Test(t, func(t *testing.T) {
		var ran, failed atomic.Int64
		arrived := make(chan struct{}) // what verifications wait for
		verify := func(ctx context.Context) (*validate.Token, error) {
			ran.Add(1)
			select {
			case <-arrived:
				return s.verifier.Verify(ctx, raw)
			case <-ctx.Done():
				return nil, &validate.Error{Code: validate.ErrKeysUnavailable, Err: ctx.Err()}
			}
		}
		var all sync.WaitGroup
		ask := func(ctx context.Context) {
			if token, err := s.cache.Share(ctx, d, verify); err == nil && token != nil {
				return
			} else if failed.Add(1); token != nil || validate.CodeOf(err).Class() != validate.Unavailable || !errors.Is(err, ctx.Err()) {
				t.Errorf("%v, %v", token, err)
			}
		}
		leaving, leave := context.WithCancel(t.Context())
		var gone sync.WaitGroup
		for range 3 { // the first of them begins it
			gone.Go(func() { ask(leaving) })
			synctest.Wait()
		}
		for range 200 {
			all.Go(func() { ask(t.Context()) })
		}
		synctest.Wait()
		leave()
		gone.Wait()
		synctest.Wait()
		if ran.Load() != 2 || failed.Load() != 3 {
			t.Errorf("%d verifications, %d callers failed", ran.Load(), failed.Load())
		}
		close(arrived)
		all.Wait()
		if ran.Load() != 2 || failed.Load() != 3 {
			t.Errorf("at last %d verifications, %d callers failed", ran.Load(), failed.Load())
		}
	})
	if s.cache.Get(d) == nil {
		t.Error("not remembered")
	}
}

// TestLeavingInVain: an answer that is good all the same is everybody's.
func TestLeavingInVain(t *testing.T) {
	s := newStand(t, cache.Config{})
	raw, d := s.mint(nil)
	ctx, leave := context.WithCancel(t.Context())
	if _, err := s.cache.Share(ctx, d, func(ctx context.Context) (*validate.Token, error) {
		leave()
		return s.verifier.Verify(ctx, raw)
	}); err != nil || s.cache.Get(d) == nil {
		t.Errorf("%v, or not remembered", err)
	}
}

// TestBounded: a verification has an end that nobody asked for, and all who wait
// have it.
func TestBounded(t *testing.T) {
	s := newStand(t, cache.Config{})
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var all sync.WaitGroup
		for range 3 {
			all.Go(func() {
				_, err := s.cache.Share(t.Context(), sha256.Sum256(nil), func(ctx context.Context) (*validate.Token, error) {
					<-ctx.Done()
					return nil, ctx.Err()
				})
				if took := time.Since(start); took != 15*time.Second || !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("after %v: %v", took, err)
				}
			})
		}
		all.Wait()
	})
}

// TestFlushMeanwhile: what was flushed while it was verified is not remembered,
// and who asks after the flush does not get the answer from before it.
func TestFlushMeanwhile(t *testing.T) {
	s := newStand(t, cache.Config{})
	raw, d := s.mint(nil)
	inner := 0
	_, err := s.cache.Share(t.Context(), d, func(ctx context.Context) (*validate.Token, error) {
		s.cache.Flush(d)
		if _, err := s.cache.Share(ctx, d, func(context.Context) (*validate.Token, error) {
			inner++
			return nil, validate.ErrRevoked
		}); !errors.Is(err, validate.ErrRevoked) {
			t.Error(err)
		}
		return s.verifier.Verify(ctx, raw)
	})
	if err != nil || inner != 1 || s.cache.Get(d) != nil {
		t.Errorf("%v, %d verifications after the flush; remembered: %t", err, inner, s.cache.Get(d) != nil)
	}
}

// TestFaultyVerification: a panic, an empty answer or none at all is a refusal,
// for all who wait. [PV-07]
func TestFaultyVerification(t *testing.T) {
	s := newStand(t, cache.Config{})
	for name, end := range map[string]func(){
		"panics":  func() { panic("x") },
		"neither": func() {},
		"exits":   runtime.Goexit,
	} {
		synctest.Test(t, func(t *testing.T) {
			d := sha256.Sum256([]byte(name))
			var all sync.WaitGroup
			for n := range 3 {
				all.Go(func() {
					token, err := s.cache.Share(t.Context(), d, func(context.Context) (*validate.Token, error) {
						time.Sleep(time.Second)
						end()
						return nil, nil
					})
					if n > 0 && (token != nil || !errors.Is(err, validate.ErrInternal)) {
						t.Errorf("%s: %v, %v", name, token, err)
					}
				})
				synctest.Wait()
			}
			all.Wait()
		})
	}
}

// TestCloseMeanwhile waits for nobody, and a verification under way ends as ever.
func TestCloseMeanwhile(t *testing.T) {
	s := newStand(t, cache.Config{})
	raw, d := s.mint(nil)
	if _, err := s.cache.Share(t.Context(), d, func(ctx context.Context) (*validate.Token, error) {
		if err := s.cache.Close(); err != nil {
			t.Error(err)
		}
		return s.verifier.Verify(ctx, raw)
	}); err != nil || s.cache.Get(d) != nil {
		t.Errorf("%v, or remembered", err)
	}
}
