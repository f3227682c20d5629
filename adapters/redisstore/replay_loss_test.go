package redisstore_test

import (
	"context"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/bearward/bearward/internal/redistest"
	"github.com/bearward/bearward/validate"
)

// What was made before a new Redis was there may have been used; what is made from
// now on passes at once.
func TestReplaySinceFirst(t *testing.T) { // [DP-22]
	server := redistest.Start(t)
	here := open(t, server.URL())
	if got := here.Replay().Since(); !got.Equal(here.clock.Now()) {
		t.Errorf("before anything is known: %v", got)
	}
	must(t, here.Ping(t.Context()))
	since := here.Replay().Since()
	if now := here.clock.Now(); since.Before(now.Add(-13*time.Second)) || since.After(now.Add(-11*time.Second)) {
		t.Errorf("since %v, it is %v", since, now)
	}
	other := open(t, server.URL()) // reads the same
	other.wantFirst(t, 1000, true)
	if got := other.Replay().Since().Sub(since).Abs(); got > 2*time.Second {
		t.Errorf("another process is %v apart", got)
	}
	here.clock.Advance(time.Minute)
	for n := range 3 {
		here.wantFirst(t, n, true)
	}
	if !here.Replay().Since().Equal(since) || here.log.count(begun) != 1 || here.log.count(lost) != 0 {
		t.Errorf("it moved to %v\n%s", here.Replay().Since(), here.log)
	}
}

// Who comes later believes the marker, by a clock of its own.
func TestReplaySinceBefore(t *testing.T) {
	server := redistest.Start(t)
	pretend(t, raw(t, server))
	for _, ahead := range []time.Duration{0, 3 * time.Hour, -3 * time.Hour} {
		s := open(t, server.URL())
		s.clock.Advance(ahead)
		s.wantFirst(t, int(ahead), true)
		s.wantSince(t, time.Hour)
		if log := s.log.String(); log != "" {
			t.Errorf("log:\n%s", log)
		}
	}
}

// Since moves when the data is gone, before anybody passes, in all processes.
func TestReplayLoss(t *testing.T) { // [DP-22]
	saved := []string{"--appendonly", "yes", "--appendfsync", "always"}
	for name, c := range map[string]struct {
		args  []string
		lose  func(*testing.T, *redistest.Server, *redis.Client)
		holds bool // the entries themselves
	}{
		"restarted":              {nil, func(_ *testing.T, s *redistest.Server, _ *redis.Client) { s.Restart() }, false},
		"restarted, saved":       {saved, func(_ *testing.T, s *redistest.Server, _ *redis.Client) { s.Restart() }, true},
		"all flushed":            {nil, func(t *testing.T, _ *redistest.Server, r *redis.Client) { must(t, r.FlushAll(t.Context()).Err()) }, false},
		"database flushed":       {nil, func(t *testing.T, _ *redistest.Server, r *redis.Client) { must(t, r.FlushDB(t.Context()).Err()) }, false},
		"marker deleted":         {nil, func(t *testing.T, _ *redistest.Server, r *redis.Client) { must(t, r.Del(t.Context(), marker).Err()) }, true},
		"marker of another":      {nil, func(t *testing.T, _ *redistest.Server, r *redis.Client) { set(t, r, "abcd", -time.Hour) }, true},
		"marker older":           {nil, func(t *testing.T, _ *redistest.Server, r *redis.Client) { older(t, r) }, true},
		"marker from the future": {nil, func(t *testing.T, _ *redistest.Server, r *redis.Client) { set(t, r, runID(t, r), time.Hour) }, true},
		"marker unreadable": {nil, func(t *testing.T, _ *redistest.Server, r *redis.Client) {
			must(t, r.Set(t.Context(), marker, "x", 0).Err())
		}, true},
		"marker huge": {nil, func(t *testing.T, _ *redistest.Server, r *redis.Client) {
			must(t, r.Set(t.Context(), marker, strings.Repeat("9", 1<<20), 0).Err())
		}, true},
		"marker empty": {nil, func(t *testing.T, _ *redistest.Server, r *redis.Client) {
			must(t, r.Set(t.Context(), marker, "", 0).Err())
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			server := redistest.Start(t, c.args...)
			pretend(t, raw(t, server))
			here, there := open(t, server.URL()), open(t, server.URL())
			here.wantFirst(t, 1, true)
			there.wantFirst(t, 2, true)
			here.wantSince(t, time.Hour)
			there.wantSince(t, time.Hour)
			c.lose(t, server, raw(t, server))
			for _, s := range []store{here, there} {
				s.wantFirst(t, 1, !c.holds && s == here)
				s.wantSince(t, 0)
				s.wantFirst(t, 2, !c.holds && s == here)
				if s.log.count(lost) != 1 || s.log.count(begun) != 0 || s.log.count(begins) != 0 {
					t.Errorf("log:\n%s", s.log)
				}
			}
		})
	}
}

// older sets the marker back by an hour, as an old copy of the data does.
func older(t *testing.T, client *redis.Client) {
	t.Helper()
	run, at, _ := strings.Cut(client.Get(t.Context(), marker).Val(), " ")
	us, err := strconv.ParseInt(at, 10, 64)
	must(t, err)
	must(t, client.Set(t.Context(), marker, run+" "+strconv.FormatInt(us-time.Hour.Microseconds(), 10), 0).Err())
}

// Redis comes back with an old copy of its data, in which some proofs are
// missing, but not the marker.
func TestReplayOldCopy(t *testing.T) { // [DP-22]
	server := redistest.Start(t)
	redis := raw(t, server)
	pretend(t, redis)
	s := open(t, server.URL())
	s.wantFirst(t, 1, true)
	must(t, redis.Save(t.Context()).Err())
	s.wantFirst(t, 2, true)
	server.Restart()
	s.wantFirst(t, 1, false)
	s.wantFirst(t, 2, true) // so Since has to tell
	s.wantSince(t, 0)
	late := open(t, server.URL())
	late.wantFirst(t, 2, false)
	late.wantSince(t, 0)
}

// Where Redis tells no run_id the marker alone decides: that it is gone, or
// older than it was.
func TestReplayBlind(t *testing.T) { // [DP-22]
	server := redistest.Start(t, "--rename-command", "INFO", "")
	redis := raw(t, server)
	set(t, redis, "", -time.Hour)
	s := open(t, server.URL())
	s.wantFirst(t, 1, true)
	s.wantSince(t, time.Hour)
	must(t, redis.Save(t.Context()).Err())
	must(t, redis.FlushAll(t.Context()).Err())
	s.wantFirst(t, 1, true)
	s.wantSince(t, 0)
	s.clock.Advance(time.Hour)
	server.Restart() // with the copy of before
	s.wantFirst(t, 2, true)
	s.wantSince(t, 0)
	if n := s.log.count("does not tell its run_id"); n != 1 || s.log.count(lost) != 2 {
		t.Errorf("logged %d times:\n%s", n, s.log)
	}
}

// A process that was idle learns of a loss of long ago, and refuses no more
// than it has to.
func TestReplayLossLongAgo(t *testing.T) {
	server := redistest.Start(t)
	redis := raw(t, server)
	s := open(t, server.URL())
	s.wantFirst(t, 1, true)
	must(t, redis.FlushAll(t.Context()).Err())
	open(t, server.URL()).wantFirst(t, 1, true)
	since := s.Replay().Since()
	s.clock.Advance(time.Minute)
	s.wantFirst(t, 2, true)
	if got := s.Replay().Since(); got.Before(since.Add(time.Minute-time.Second)) || s.log.count(lost) != 1 {
		t.Errorf("since %v, then %v\n%s", since, got, s.log)
	}
}

// Whenever within a pipeline the data vanishes, it is known before anybody
// passes.
func TestReplayLossInPipeline(t *testing.T) { // [DP-21 DP-22]
	server := redistest.Start(t)
	client := raw(t, server)
	for n, at := range []string{"\nSET\r", "\nEVAL\r"} {
		pretend(t, client)
		var armed atomic.Bool
		s := open(t, between(t, server, func(command string) {
			if strings.Contains(strings.ToUpper(command), at) && armed.Swap(false) {
				must(t, client.FlushAll(context.Background()).Err())
			}
		}).url())
		s.wantFirst(t, n, true)
		s.wantSince(t, time.Hour)
		armed.Store(true)
		s.wantFirst(t, n+100, true)
		if armed.Load() {
			t.Fatalf("there is no %s", at)
		}
		s.wantSince(t, 0)
	}
}

// passes are the uses of one proof that passed.
type passes struct {
	mu  sync.Mutex
	all []struct{ began, since time.Time }
}

// add notes a use and reports how often the proof passed before. Of any two
// uses one has to know that the other one was before Since, without the second
// that clocks may be apart. The marker is exact to a millisecond.
func (p *passes) add(t *testing.T, began, since time.Time) int {
	t.Helper()
	since = since.Add(-time.Second)
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, other := range p.all {
		if !other.began.Before(since) && !began.Before(other.since) {
			t.Errorf("used at %v, everything held since %v; and at %v, since %v", began, since, other.began, other.since)
		}
	}
	p.all = append(p.all, struct{ began, since time.Time }{began, since})
	return len(p.all) - 1
}

// Whenever the data vanishes, a proof that passes twice was used before Since:
// 64 callers present proofs again and again while Redis is emptied under them. Who
// has never seen the marker cannot tell a Redis that lost it from a new one, so both
// stores have seen it before.
func TestReplayLossAtAnyMoment(t *testing.T) { // [DP-21 DP-22]
	server := redistest.Start(t)
	client := raw(t, server)
	wall := func(c *configOf) { c.Clock = time.Now }
	stores := []store{open(t, server.URL(), wall), open(t, server.URL(), wall)}
	for n, s := range stores {
		s.wantFirst(t, 1000+n, true)
	}
	const proofs, rounds = 16, 100
	var passed [proofs]passes
	var again, busy atomic.Int64
	var wg sync.WaitGroup
	for caller := range 64 {
		busy.Add(1)
		wg.Go(func() {
			defer busy.Add(-1)
			for round := range rounds {
				s, n, began := stores[caller%2], (caller+round)%proofs, time.Now()
				first, err := s.Replay().First(context.Background(), someone, proof(n), began.Add(time.Minute))
				if err != nil {
					t.Error(err)
				}
				if first {
					again.Add(int64(passed[n].add(t, began, s.Replay().Since())))
				}
			}
		})
	}
	for busy.Load() > 0 {
		must(t, client.FlushAll(t.Context()).Err())
		for range 20 {
			must(t, client.Ping(t.Context()).Err())
		}
	}
	wg.Wait()
	if again.Load() == 0 {
		t.Error("nothing was lost")
	}
}

// A replica that takes over may miss proofs.
func TestReplayFailover(t *testing.T) { // [DP-22]
	primary, replica := redistest.Start(t, "--repl-diskless-sync-delay", "0"), redistest.Start(t)
	pretend(t, raw(t, primary))
	var target atomic.Pointer[redistest.Server]
	target.Store(primary)
	failover := serve(t, func(c net.Conn) {
		to, err := net.Dial("tcp", target.Load().Addr())
		if err != nil {
			return
		}
		defer to.Close()
		go func() {
			defer to.Close()
			_, _ = io.Copy(to, c)
		}()
		_, _ = io.Copy(c, to)
	})
	s := open(t, failover.url())
	s.wantFirst(t, 1, true)
	s.wantSince(t, time.Hour)
	other := raw(t, replica)
	must(t, other.ReplicaOf(t.Context(), "127.0.0.1", strconv.Itoa(primary.Port)).Err())
	eventually(t, "nothing is copied", func() bool { return other.Exists(t.Context(), marker).Val() == 1 })
	must(t, other.ReplicaOf(t.Context(), "NO", "ONE").Err())
	target.Store(replica)
	primary.Stop()
	eventually(t, "it stays away", func() bool { // connections end one by one
		first, err := s.use(1)
		return !first && err == nil
	})
	s.wantSince(t, 0)
	s.wantFirst(t, 2, true)
}

// What is at the marker's name and no string is left alone.
func TestReplayForeignMarker(t *testing.T) { // [DP-22]
	server := redistest.Start(t)
	s, redis := open(t, server.URL()), raw(t, server)
	must(t, redis.SAdd(t.Context(), marker, "1").Err())
	for n := range 3 {
		s.wantUnsure(t, n, validate.ErrReplayUnavailable)
	}
	if h := s.Health(); !h.Up || redis.Type(t.Context(), marker).Val() != "set" {
		t.Errorf("%+v", h)
	}
}
