package introspect

import (
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/bearward/bearward/validate"
)

const (
	breakAfter = 5               // failures in a row
	probeEvery = 5 * time.Second // one call while the server is down
	minPause   = time.Second     // of Retry-After
	maxPause   = time.Minute
)

// gate decides whether the server may be asked now. Its breaker opens after
// failures in a row that speak for the server's state: any answer in between
// resets it, and what may lie in one token never counts, so junk does not open
// it. A server that fails on junk with 5xx lets whoever sends it open the
// breaker; what is cached passes, and one call in probeEvery still goes out.
//
// A probe that comes back with an answer which may lie in its token leaves the
// breaker open but lets all calls pass on trial: the first that fails ends
// that, the first good one closes the breaker. Else junk could take every probe
// and keep the breaker open for as long as it is sent.
type gate struct {
	parallel, forStrangers int // calls at once; those of them that tokens never seen may take

	mu              sync.Mutex
	rate, strangers *rate.Limiter
	last            time.Time // the latest that was seen: callers do not arrive in order
	wanted          time.Time // when a familiar token was asked about
	flying          int
	calls, turned   uint64
	answers         Answers

	failures int // counted, in a row
	open     bool
	probing  bool
	probe    time.Time // while open: when the next one may begin
	trial    bool      // while open: the server answers, so all may ask until a call fails
	paused   time.Time // ask nobody before
	alarmed  bool      // wrong credentials were logged

	down        bool // the last call that says something about the server failed
	lastErr     error
	lastSuccess time.Time
}

// kept is the part of the limits that only familiar tokens may take while there
// are some to ask about: the issuer said that they are active, or signed them.
// A flood of others cannot keep them from being asked about again.
const (
	kept    = 4
	keptFor = time.Minute
)

func newGate(limits Limits) *gate {
	bucket := func(n int) *rate.Limiter { return rate.NewLimiter(rate.Limit(n), n) }
	return &gate{
		parallel: limits.Parallel, forStrangers: limits.Parallel - limits.Parallel/kept,
		rate: bucket(limits.PerSecond), strangers: bucket(limits.PerSecond - limits.PerSecond/kept),
	}
}

// turn is the leave to make one call.
type turn struct{ probe bool }

// enter asks for a turn. The refusal is of class Unavailable, and comes at
// once.
func (g *gate) enter(issuer string, familiar bool, now time.Time) (turn, *validate.Error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now = latest(now, g.last) // a limiter that goes back in time pays out twice
	g.last = now
	if wait := g.wait(now); wait > 0 { // [IN-16]
		g.turned++
		return turn{}, unknown(issuer, validate.ErrIntrospectionUnavailable, wait, g.cause())
	}
	if familiar {
		g.wanted = now
	}
	scarce := !g.wanted.IsZero() && now.Sub(g.wanted) < keptFor
	if !familiar && (!g.strangers.AllowN(now, 1) || g.flying >= g.forStrangers) && scarce { // [IN-16]
		g.turned++
		return turn{}, unknown(issuer, validate.ErrIntrospectionBusy, time.Second, errBusy)
	}
	if g.flying >= g.parallel || !g.rate.AllowN(now, 1) { // [IN-16]
		g.turned++
		return turn{}, unknown(issuer, validate.ErrIntrospectionBusy, time.Second, errBusy)
	}
	t := turn{probe: g.open && !g.trial}
	if t.probe {
		g.probing, g.probe = true, now.Add(probeEvery) // [IN-16]
	}
	g.flying++
	g.calls++
	return t, nil
}

// wait is how long nobody may ask; 0: not at all. The caller locks.
func (g *gate) wait(now time.Time) time.Duration {
	wait := g.paused.Sub(now)
	if g.open && !g.trial { // [IN-16]
		wait = max(wait, g.probe.Sub(now))
		if g.probing {
			wait = max(wait, time.Second)
		}
	}
	return max(wait, 0)
}

// cause is why nobody may ask. The caller locks.
func (g *gate) cause() error {
	if g.lastErr == nil {
		return errPaused
	}
	return g.lastErr
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// change is what the log has to be told.
type change struct{ opened, closed, refused bool }

// leave ends a turn with what came of it.
func (g *gate) leave(t turn, now time.Time, f *failure) (c change) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.flying--
	if t.probe {
		g.probing = false
	}
	if f == nil {
		c.closed = g.open
		g.failures, g.open, g.trial, g.alarmed, g.down, g.lastErr = 0, false, false, false, false, nil // [IN-16]
		g.lastSuccess = now
		return c
	}
	g.lastErr = f.err
	g.answers.failed(f.code)
	switch {
	case f.counts: // [IN-16]
		g.down = true
		g.failures++
		if g.trial { // [IN-16]
			g.trial, g.probe = false, now.Add(probeEvery)
		}
	case t.probe: // it says nothing about the server, but perhaps that it answers
		g.probe = now
		g.trial = f.code == validate.ErrIntrospectionInvalid && f.pause == 0 // [IN-16]
	}
	if f.pause > 0 { // [IN-16]
		g.down, g.paused = true, latest(g.paused, now.Add(min(max(f.pause, minPause), maxPause)))
	}
	if !g.open && g.failures >= breakAfter { // [IN-16]
		g.open, g.probe, c.opened = true, now.Add(probeEvery), true
	}
	if f.code == validate.ErrIntrospectionRefused && !g.alarmed { // [IN-05]
		g.alarmed, c.refused = true, true
	}
	return c
}

// retry is how long it is not worth to ask after a failure.
func (g *gate) retry(now time.Time) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.wait(now)
}
