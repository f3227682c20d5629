package introspect

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bearward/bearward/validate"
)

// slowDelete is a Store whose deletions take until they are let go.
type slowDelete struct {
	*shelf
	began, proceed chan struct{}
}

func (s *slowDelete) Delete(ctx context.Context, key [32]byte) error {
	s.began <- struct{}{}
	<-s.proceed
	return s.shelf.Delete(ctx, key)
}

// Who comes while Flush still deletes the answer from the shared level asks
// anew.
func TestFlushIsNotUndoneByTheSharedLevel(t *testing.T) { // [IN-15 RV-02]
	synctest.Test(t, func(t *testing.T) {
		s := &fake{}
		store := &slowDelete{&shelf{}, make(chan struct{}), make(chan struct{})}
		one, _ := fronting(t, s, func(c *Config) { c.Shared = store.shelf })
		two, _ := fronting(t, s, func(c *Config) { c.Shared = store })
		passes(t, one, "a")
		s.answers(reply{}) // revoked from now on
		var wg sync.WaitGroup
		wg.Go(func() { two.Flush("a") })
		<-store.began
		refuses(t, two, "a", validate.ErrInactive) // the shared level still has it
		close(store.proceed)
		wg.Wait()
		refuses(t, two, "a", validate.ErrInactive)
	})
}

// A call that began before Flush may store its answer in the shared level
// afterwards: nobody is served by that.
func TestFlushIsNotUndoneByALateAnswer(t *testing.T) { // [IN-15 RV-02]
	synctest.Test(t, func(t *testing.T) {
		s, store := &fake{}, &shelf{}
		one, _ := fronting(t, s, func(c *Config) { c.Shared = store })
		two, _ := fronting(t, s, func(c *Config) { c.Shared = store })
		passes(t, one, "a")
		two.Flush("a")
		late := sealed{asked: time.Now(), until: time.Now().Add(30 * time.Second), claims: active("").claims}
		two.shared.put("a", late, time.Now())
		s.answers(reply{})
		refuses(t, two, "a", validate.ErrInactive)
		time.Sleep(defaultPositive)
		refuses(t, two, "a", validate.ErrInactive)
		s.working()
		time.Sleep(two.leeway)
		passes(t, one, "a") // what is asked for later is shared again
		before := s.count()
		passes(t, two, "a")
		asks(t, s, before)
	})
}

// In the middle of calls, too, nobody who comes after Flush is served by what
// was known before.
func TestFlushAmongCalls(t *testing.T) { // [IN-15 RV-02]
	s := &fake{}
	store := &shelf{}
	v, _ := fronting(t, s, func(c *Config) { c.Shared = store; c.Limits.PerSecond = 10000000 })
	var wg sync.WaitGroup
	for range 300 {
		s.working()
		for range 4 {
			wg.Go(func() { _, _ = v.Verify(t.Context(), "a") })
		}
		wg.Go(func() { _ = v.Confirm(t.Context(), "a", jwtToken(nil), time.Minute) })
		wg.Wait()
		for range 4 {
			wg.Go(func() { _, _ = v.Verify(t.Context(), "a") })
		}
		s.answers(reply{})
		v.Flush("a")
		if _, err := v.Verify(t.Context(), "a"); validate.CodeOf(err) != validate.ErrInactive {
			t.Fatalf("after Flush: %v", err)
		}
		if err := v.Confirm(t.Context(), "a", jwtToken(nil), time.Minute); validate.CodeOf(err) != validate.ErrInactive {
			t.Fatalf("after Flush, confirm: %v", err)
		}
		wg.Wait()
		v.Flush("a")
	}
}
