package introspect

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"

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

// Who comes while Flush still deletes the answer from the shared level may be
// served by it, but does not keep it for those who come afterwards.
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
		passes(t, two, "a") // the shared level still has it
		close(store.proceed)
		go func() {
			for range store.began { // deletions of flights, if any
			}
		}()
		wg.Wait()
		refuses(t, two, "a", validate.ErrInactive)
		close(store.began)
	})
}
