package introspect

import (
	"encoding/binary"
	"fmt"
	"sync"
	"time"

	"github.com/dgraph-io/ristretto/v2"

	"github.com/bearward/bearward/internal/facts"
	"github.com/bearward/bearward/validate"
)

// answerUnit is what counts as one entry, in bytes of the answer: large
// answers take the room of several.
const answerUnit = 4 << 10

// bufferedHits is after how many hits the store's goroutine is told about them:
// waking it up is what a hit costs most after the digest.
const bufferedHits = 512

// recentWeight is how much each generation of the newest answers weighs at
// most.
const recentWeight = 256

// entry is an active answer that passed every rule. It is never written after
// it was stored.
type entry struct {
	digest       digest
	token        *validate.Token
	claims       string
	asked, until time.Time
}

// remembered is how long an entry stays after its end: its token is no
// stranger.
const remembered = 5 * time.Minute

// familiar reports that the token was active when it was last asked about, and
// may still be.
func (l *lane) familiar(d digest, now time.Time) bool {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if l.closed {
		return false
	}
	e, ok := l.store.Get(d.slot())
	return ok && e != nil && e.digest == d && now.Before(e.token.ExpiresAt)
}

// weight is how many entries e counts as.
func (e *entry) weight() int { return 1 + len(e.claims)/answerUnit }

// good returns e if it is about the token, its time is not over and it was
// asked for within allow.
func (e *entry) good(d digest, now time.Time, allow time.Duration) *entry {
	if e == nil || e.digest != d { // [IN-14]
		return nil
	}
	if !now.Before(e.until) { // [IN-13]
		return nil
	}
	if now.Sub(e.asked) >= allow {
		return nil
	}
	return e
}

// whole reports that there is an entry, and that no handler has written another
// token over its own.
func (e *entry) whole() bool { return e != nil && facts.Whole(e.token) }

// lane remembers active tokens. The store may forget any of them at any time;
// what it returns is right all the same, because an entry carries its whole
// digest and its own end. It works off what it is given in its own time, and
// may decline it: the newest entries are in recent as well.
type lane struct {
	mu     sync.RWMutex // uses against close
	store  *ristretto.Cache[uint64, *entry]
	closed bool

	recent generations[*entry] // guarded by Verifier.mu
}

func newLane(entries int) (*lane, error) {
	store, err := ristretto.NewCache(&ristretto.Config[uint64, *entry]{
		NumCounters:        10 * int64(entries),
		MaxCost:            int64(entries), // [CA-05]
		BufferItems:        bufferedHits,
		IgnoreInternalCost: true,
	})
	if err != nil {
		return nil, fmt.Errorf("introspection cache of %d entries: %w", entries, err)
	}
	return &lane{store: store, recent: newGenerations[*entry](min(max(entries/8, 16), recentWeight))}, nil
}

// slot is where the store has the entry: the store compares no more than this.
func (d digest) slot() uint64 { return binary.LittleEndian.Uint64(d[:]) }

// get returns the answer about the token, if it is still good and was asked
// for within allow.
func (l *lane) get(d digest, now time.Time, allow time.Duration) *entry {
	l.mu.RLock()
	if l.closed {
		l.mu.RUnlock()
		return nil
	}
	e, ok := l.store.Get(d.slot())
	l.mu.RUnlock()
	if !ok {
		return nil
	}
	return e.good(d, now, allow)
}

// latest returns what was put just before, as get does, even if the store has
// not got to it yet. The caller locks Verifier.mu.
func (l *lane) latest(d digest, now time.Time, allow time.Duration) *entry {
	e, _ := l.recent.get(d)
	return e.good(d, now, allow)
}

// put remembers e, unless its time is over. The caller locks Verifier.mu.
func (l *lane) put(e *entry, now time.Time) {
	ttl := e.until.Sub(now) // with 0, the store would keep it for ever
	if ttl <= 0 {           // [IN-13]
		return
	}
	l.mu.RLock()
	defer l.mu.RUnlock()
	if l.closed {
		return
	}
	if _, again := l.recent.get(e.digest); again {
		l.store.Wait() // it declines an entry while the one before is on its way
	}
	l.recent.put(e.digest, e, e.weight())                                     // [IN-16]
	l.store.SetWithTTL(e.digest.slot(), e, int64(e.weight()), ttl+remembered) // [CA-05]
}

// remove forgets the token before it returns. The caller locks Verifier.mu.
func (l *lane) remove(d digest) {
	l.recent.remove(d) // [IN-15]
	l.mu.RLock()
	defer l.mu.RUnlock()
	if !l.closed {
		l.store.Del(d.slot())
		l.store.Wait() // what was put and is still on its way is forgotten too
	}
}

// size is about how many tokens are remembered.
func (l *lane) size() int {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if l.closed {
		return 0
	}
	l.store.Wait()
	return int(l.store.MaxCost() - l.store.RemainingCost())
}

func (l *lane) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.closed {
		l.closed = true
		l.store.Close()
	}
}
