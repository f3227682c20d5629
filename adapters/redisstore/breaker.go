package redisstore

import (
	"sync"
	"time"
)

const (
	breakAfter = 3           // failures in a row
	pause      = time.Second // between probes
)

// Health is how Redis is doing. It contains nothing secret.
type Health struct {
	Up        bool      // the last operation that says something about it succeeded, or there was none yet
	LastError string    // fixed text; empty while Up
	Since     time.Time // when Up last changed
}

// breaker decides whether Redis may be used now.
type breaker struct {
	mu       sync.Mutex
	failures int // in a row
	open     bool
	probing  bool
	next     time.Time // while open: when the next probe may begin
	health   Health
}

// enter asks for one operation. While the breaker is open, one caller at a
// time gets it, as a probe.
func (b *breaker) enter(now time.Time) (probe, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.open {
		return false, true
	}
	if b.probing || now.Before(b.next) {
		return false, false
	}
	b.probing = true
	return true, true
}

// leave ends an operation. It reports that an outage began or ended.
func (b *breaker) leave(probe bool, f *failure, now time.Time) (began, ended bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if probe {
		b.probing = false
	}
	switch {
	case f != nil && !f.counts: // Redis is neither better nor worse
		return false, false
	case f == nil:
		ended = b.open
		b.failures, b.open = 0, false
		b.turn(true, "", now)
		return false, ended
	}
	b.failures++
	b.turn(false, string(f.text), now)
	if probe || !b.open && b.failures >= breakAfter {
		began = !b.open
		b.open, b.next = true, now.Add(pause)
	}
	return began, false
}

// turn notes the state. The caller locks.
func (b *breaker) turn(up bool, text string, now time.Time) {
	if b.health.Up != up {
		b.health.Since = now
	}
	b.health.Up, b.health.LastError = up, text
}

func (b *breaker) state() Health {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.health
}
