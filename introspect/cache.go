package introspect

import (
	"encoding/binary"
	"fmt"
	"sync"
	"time"

	"github.com/dgraph-io/ristretto/v2"

	"github.com/bearward/bearward/validate"
)

// answerUnit is what counts as one entry, in bytes of the answer: large
// answers take the room of several.
const answerUnit = 4 << 10

// entry is an active answer that passed every rule. It is never written after
// it was stored.
type entry struct {
	digest       digest
	token        *validate.Token
	claims       string
	asked, until time.Time
}

// lane remembers active tokens. It may forget any of them at any time; what it
// returns is right all the same, because an entry carries its whole digest and
// its own end.
type lane struct {
	mu     sync.RWMutex // uses against close
	store  *ristretto.Cache[uint64, *entry]
	closed bool
}

func newLane(entries int) (*lane, error) {
	store, err := ristretto.NewCache(&ristretto.Config[uint64, *entry]{
		NumCounters:        10 * int64(entries),
		MaxCost:            int64(entries), // [CA-05]
		BufferItems:        64,
		IgnoreInternalCost: true,
	})
	if err != nil {
		return nil, fmt.Errorf("introspection cache of %d entries: %w", entries, err)
	}
	return &lane{store: store}, nil
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
	if !ok || e == nil {
		return nil
	}
	if e.digest != d { // [IN-14]
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

// put stores e, visibly for whoever comes next, unless its time is over.
func (l *lane) put(e *entry, now time.Time) {
	ttl := e.until.Sub(now) // with 0, the store would keep it for ever
	if ttl <= 0 {           // [IN-13]
		return
	}
	l.mu.RLock()
	defer l.mu.RUnlock()
	if !l.closed {
		l.store.SetWithTTL(e.digest.slot(), e, 1+int64(len(e.claims)/answerUnit), ttl) // [CA-05]
		l.store.Wait()
	}
}

// remove forgets the token before it returns.
func (l *lane) remove(d digest) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if !l.closed {
		l.store.Del(d.slot())
		l.store.Wait()
	}
}

// size is about how many tokens are remembered.
func (l *lane) size() int {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if l.closed {
		return 0
	}
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
