package redisstore_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bearward/bearward/adapters/redisstore"
	"github.com/bearward/bearward/internal/redistest"
	"github.com/bearward/bearward/validate"
)

// Whatever is at the address, no proof passes, and after three failures nobody
// asks any more for a second.
func TestReplayBrokenServers(t *testing.T) { // [DP-22]
	for name, answer := range broken {
		t.Run(name, func(t *testing.T) {
			server := serve(t, answer)
			s := open(t, server.url(), hasty)
			asked := 0
			eventually(t, "the breaker stays closed", func() bool {
				asked++
				s.wantUnsure(t, asked, validate.ErrReplayUnavailable)
				return s.log.count(begins) == 1
			})
			conns := server.conns.Load()
			for n := range 5 {
				s.wantUnsure(t, n, validate.ErrReplayUnavailable)
			}
			if h := s.Health(); h.Up || h.LastError == "" || asked > 50 {
				t.Errorf("%+v after %d", h, asked)
			}
			if n := server.conns.Load(); n > conns+3 { // what was accepted late
				t.Errorf("%d connections, then %d", conns, n)
			}
			if s.Ping(t.Context()) == nil {
				t.Error("Ping passes")
			}
		})
	}
}

// A Redis that stops answering costs each caller the timeout at most, and soon
// nothing. A proof from meanwhile passes once at most.
func TestReplayPaused(t *testing.T) { // [DP-22]
	server := redistest.Start(t)
	s := open(t, server.URL(), func(c *configOf) { c.Timeout = 500 * time.Millisecond })
	s.wantFirst(t, 0, true)
	server.Pause()
	var wg sync.WaitGroup
	for n := range 600 {
		wg.Go(func() { s.wantUnsure(t, n, validate.ErrReplayUnavailable) })
	}
	within(t, wg.Wait)
	eventually(t, "no outage", func() bool {
		s.wantUnsure(t, 1000, validate.ErrReplayUnavailable)
		return s.log.count(begins) == 1
	})
	server.Resume()
	s.clock.Advance(time.Second)
	s.wantFirst(t, 0, false)
	s.wantFirst(t, 1002, true)
	if s.log.count(begins) != 1 || s.log.count(ends) != 1 || !s.Health().Up {
		t.Errorf("%+v\n%s", s.Health(), s.log)
	}
}

// Redis is killed and comes back with what it had saved.
func TestReplayKilled(t *testing.T) { // [DP-20 DP-22]
	server := redistest.Start(t, "--appendonly", "yes", "--appendfsync", "always")
	s := open(t, server.URL())
	s.wantFirst(t, 1, true)
	server.Stop()
	for n := range 10 {
		s.wantUnsure(t, n, validate.ErrReplayUnavailable)
	}
	s.clock.Advance(time.Second)
	s.wantUnsure(t, 1, validate.ErrReplayUnavailable) // the probe
	server.Restart()
	s.clock.Advance(time.Second)
	s.wantFirst(t, 1, false)
	s.wantFirst(t, 2, true)
	s.wantSince(t, 0)
	if s.log.count(begins) != 1 || s.log.count(ends) != 1 || s.log.count(lost) != 1 {
		t.Errorf("log:\n%s", s.log)
	}
}

// reason returns what the outage inside of the error says.
func reason(err error) string {
	var outage *redisstore.Outage
	if !errors.As(err, &outage) || outage.RetryAfter() < 0 {
		return ""
	}
	return outage.Error()
}

// A caller who gives up has an answer at once, and says nothing about Redis.
func TestReplayImpatientCallers(t *testing.T) { // [DP-22]
	server := redistest.Start(t)
	s := open(t, server.URL())
	s.wantFirst(t, 0, true)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	late, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	server.Pause()
	until := s.clock.Now().Add(time.Minute)
	for n := range 10 {
		for _, ctx := range []context.Context{gone, late} {
			first, err := s.Replay().First(ctx, someone, proof(n), until)
			if first || validate.CodeOf(err) != validate.ErrReplayUnavailable || reason(err) != "redis was not waited for" {
				t.Errorf("%v, %v", first, err)
			}
		}
	}
	waits, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for n := range 100 {
		wg.Go(func() {
			if first, err := s.Replay().First(waits, someone, proof(n), until); first || reason(err) != "redis was not waited for" {
				t.Errorf("%v, %v", first, err)
			}
		})
	}
	stop()
	wg.Wait()
	server.Resume()
	s.wantFirst(t, 2000, true)
	if !s.Health().Up || s.log.count(begins) != 0 {
		t.Errorf("%+v\n%s", s.Health(), s.log)
	}
}

// The queue has an end: who finds it full has an answer at once. The others
// have theirs when Redis is quick again.
func TestReplayQueue(t *testing.T) { // [DP-22]
	server := redistest.Start(t)
	s := open(t, server.URL())
	s.wantFirst(t, 0, true)
	server.Pause()
	const callers, waiting, underWay = 4600, 4096, 2 * 128
	var mu sync.Mutex
	firsts, refused := 0, 0
	var wg sync.WaitGroup
	for n := range callers {
		wg.Go(func() {
			first, err := s.use(n + 1)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case first:
				firsts++
			case validate.CodeOf(err) == validate.ErrReplayUnavailable && reason(err) == "redis has too many callers waiting":
				refused++
			default:
				t.Errorf("%v", err)
			}
		})
	}
	eventually(t, "nobody is refused", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return refused >= callers-waiting-underWay
	})
	server.Resume()
	within(t, wg.Wait)
	if firsts+refused != callers || firsts < waiting {
		t.Errorf("%d were the first, %d refused", firsts, refused)
	}
	s.wantFirst(t, callers+1, true)
}

// Close ends the waiting of all, and leaves nothing behind.
func TestReplayClose(t *testing.T) { // [DP-22]
	server := redistest.Start(t)
	s := open(t, server.URL(), func(c *configOf) { c.Timeout = 500 * time.Millisecond })
	s.wantFirst(t, 0, true)
	server.Pause()
	waits := make(chan struct{}, 50)
	var wg sync.WaitGroup
	for n := range 50 {
		wg.Go(func() {
			waits <- struct{}{}
			s.wantUnsure(t, n, validate.ErrReplayUnavailable)
		})
	}
	for range 50 {
		<-waits
	}
	within(t, func() { must(t, s.Close()) })
	within(t, wg.Wait)
	_, err := s.use(1)
	if reason(err) != "redis is closed here" || s.log.count(begins) != 0 {
		t.Errorf("%v\n%s", err, s.log)
	}
	must(t, s.Close())
}

// No error and no log line tells the password, an address, a client or a proof.
func TestReplayErrorsAreQuiet(t *testing.T) { // [DP-22]
	server := redistest.Start(t, "--requirepass", "s3cr3t-right")
	s := open(t, "redis://u5er:s3cr3t-wrong@"+server.Addr())
	for n := range 4 {
		_, err := s.use(n)
		for _, text := range []string{err.Error(), s.log.String(), s.Health().LastError} {
			if strings.Contains(text, "s3cr3t") || strings.Contains(text, "u5er") || strings.Contains(text, server.Addr()) {
				t.Errorf("%s", text)
			}
		}
	}
	if h := s.Health(); h.LastError != "refuses the user and password" {
		t.Errorf("%+v", h)
	}
}
