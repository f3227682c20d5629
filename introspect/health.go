package introspect

import (
	"time"

	"github.com/bearward/bearward/validate"
)

// Health is how an issuer's introspection is doing. It contains nothing secret.
type Health struct {
	Issuer      string
	Endpoint    bool      // it is known where to ask
	Up          bool      // the last exchange was an answer, or there was none yet
	LastSuccess time.Time // of an exchange that was an answer
	LastError   string    // fixed text; empty after a success
	NextTry     time.Time // not before; zero: now
	Open        bool      // after failures in a row nobody but a probe may ask
	Calls       uint64    // begun since start
	Answers     Answers   // what came of them
	Turned      uint64    // questions that were not asked: the server is down or paused, or the limits are reached
	Hits        uint64    // tokens judged by an answer in the cache
	Misses      uint64    // and others
	Entries     int       // active tokens in the cache, about
	SharedError string    // fixed text; why the second level is not used now
}

// Answers counts what came of calls since start.
type Answers struct {
	Active   uint64 // the token is active, whether or not it passed the rules
	Inactive uint64
	Unusable uint64 // no answer that can be understood, or a 400
	Refused  uint64 // our own credentials were refused
	Failed   uint64 // no connection, a timeout, 5xx, 429
}

// health fills in what the gate knows.
func (g *gate) health(h *Health, now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	h.Up, h.Open, h.LastSuccess = !g.down, g.open, g.lastSuccess
	h.Calls, h.Answers, h.Turned = g.calls, g.answers, g.turned
	if g.lastErr != nil {
		h.LastError = explained(g.lastErr)
	}
	if wait := g.wait(now); wait > 0 {
		h.NextTry = now.Add(wait)
	}
}

// answered counts an answer.
func (g *gate) answered(active bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if active {
		g.answers.Active++
	} else {
		g.answers.Inactive++
	}
}

// failed counts a call that brought no answer.
func (a *Answers) failed(code validate.Code) {
	switch code {
	case validate.ErrIntrospectionInvalid:
		a.Unusable++
	case validate.ErrIntrospectionRefused:
		a.Refused++
	default:
		a.Failed++
	}
}
