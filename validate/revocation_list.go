package validate

import (
	"context"
	"errors"
	"sync"
	"time"
)

// Defaults of RevocationListConfig.
const (
	DefaultRetention         = 30 * 24 * time.Hour
	DefaultRevocationEntries = 1_000_000
)

// RevocationListConfig describes a RevocationList. The zero value is complete.
type RevocationListConfig struct {
	// Retention is how long every entry is kept, at least an hour; default 30
	// days. It has to outlive the longest token: one whose lifetime is longer is
	// refused, because an entry about it could be gone before it expires. Of a
	// token without iat nobody knows how long it lives: entries about such need
	// Until where that may be longer.
	Retention time.Duration
	Entries   int              // at most; default 1,000,000
	Clock     func() time.Time // default time.Now
}

// RevocationList is a Revocation in the memory of one process. Entries have an
// effect from the next request on, whatever is cached. It is safe for
// concurrent use.
type RevocationList struct {
	config RevocationListConfig

	mu      sync.RWMutex
	entries map[revoked]revocation
	ends    map[int64][]revoked // each entry once: what ends in an hour, by the hour since 1970
	swept   int64               // the last hour that was swept
}

// revoked is what an entry is about. kind keeps a jti from being a sid.
type revoked struct{ issuer, kind, value string }

type revocation struct{ until, before time.Time }

// ErrRevocationsFull says that a RevocationList holds as many live entries as
// it may: none is given up for a new one.
var ErrRevocationsFull = errors.New("the revocation list is full")

// NewRevocationList checks the configuration.
func NewRevocationList(config RevocationListConfig) (*RevocationList, error) {
	if config.Retention == 0 {
		config.Retention = DefaultRetention
	}
	if config.Entries == 0 {
		config.Entries = DefaultRevocationEntries
	}
	if config.Clock == nil {
		config.Clock = time.Now
	}
	if config.Retention < time.Hour || config.Entries < 1 {
		return nil, errors.New("a revocation list keeps entries for at least an hour, and at least one of them")
	}
	return &RevocationList{config: config, entries: map[revoked]revocation{}, ends: map[int64][]revoked{}}, nil
}

// Revoke adds an entry. Of two about the same, the one that refuses more wins.
func (l *RevocationList) Revoke(_ context.Context, e RevocationEntry) error {
	if err := e.Check(); err != nil {
		return err
	}
	now := l.config.Clock()
	until := l.keep(now, e)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sweep(now)
	key := keyOf(e)
	old, known := l.entries[key]
	if !known && len(l.entries) >= l.config.Entries {
		return ErrRevocationsFull
	}
	next := revocation{until: until, before: e.Before}
	if old.until.After(next.until) {
		next.until = old.until
	}
	if old.before.After(next.before) {
		next.before = old.before
	}
	l.entries[key] = next
	if !known { // [CA-05] otherwise it is swept on to its new end
		l.end(key, next)
	}
	return nil
}

// end notes when an entry can be swept.
func (l *RevocationList) end(key revoked, r revocation) {
	end := hour(r.until) + 1
	l.ends[end] = append(l.ends[end], key)
}

// keep is how long an entry stays: while a token that it is about can be
// presented, leeway included.
func (l *RevocationList) keep(now time.Time, e RevocationEntry) time.Time {
	last := now
	if e.Before.After(last) {
		last = e.Before // tokens that it is about can still be issued
	}
	until := last.Add(l.config.Retention + 2*MaxLeeway) // [RV-03]
	if e.Until.After(until) {
		return e.Until
	}
	return until
}

func keyOf(e RevocationEntry) revoked {
	switch {
	case e.ID != "":
		return revoked{e.Issuer, "jti", e.ID}
	case e.Session != "":
		return revoked{e.Issuer, "sid", e.Session}
	case e.ClientID != "":
		return revoked{e.Issuer, "client_id", e.ClientID}
	}
	return revoked{e.Issuer, "sub", e.Subject}
}

// sweep gives up what ended, a whole hour at a time.
func (l *RevocationList) sweep(now time.Time) {
	past := hour(now)
	if past <= l.swept {
		return
	}
	l.swept = past
	for end, keys := range l.ends {
		if end > past {
			continue
		}
		delete(l.ends, end)
		for _, key := range keys {
			if r := l.entries[key]; r.until.After(now) { // it was renewed
				l.end(key, r)
			} else {
				delete(l.entries, key)
			}
		}
	}
}

func hour(t time.Time) int64 { return t.Unix() / 3600 }

// Revoked reports whether an entry is about the token. A token whose lifetime
// is longer than entries are kept is refused with ErrLifetimeTooLong.
func (l *RevocationList) Revoked(_ context.Context, t *Token) (bool, error) {
	f := t.known()
	now := l.config.Clock()
	issued := f.IssuedAt()
	if issued.IsZero() || issued.After(now) {
		issued = now
	}
	if f.ExpiresAt().IsZero() || f.ExpiresAt().Sub(issued) > l.config.Retention { // [RV-03]
		return false, refuseClaim(ErrLifetimeTooLong, "exp")
	}
	l.mu.RLock()
	defer l.mu.RUnlock()
	if l.has(revoked{f.Issuer(), "jti", f.ID()}, now) || // [RV-03]
		l.has(revoked{f.Issuer(), "sid", f.Session()}, now) || // [RV-03]
		l.has(revoked{f.Issuer(), "client_id", f.ClientID()}, now) { // [RV-03]
		return true, nil
	}
	e, ok := l.entries[revoked{f.Issuer(), "sub", f.Subject()}]
	// iat has whole seconds: within the second of before, nobody knows.
	return ok && now.Before(e.until) && f.IssuedAt().Unix() <= e.before.Unix(), nil // [RV-03]
}

func (l *RevocationList) has(key revoked, now time.Time) bool {
	e, ok := l.entries[key]
	return ok && key.value != "" && now.Before(e.until)
}

// Len returns the number of entries, ended ones among them until they are
// swept.
func (l *RevocationList) Len() int {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return len(l.entries)
}

var _ Revocation = (*RevocationList)(nil)
