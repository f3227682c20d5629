package dpop

import (
	"math/bits"
	"slices"
	"sync"
)

// accounts is how many accounts each of the two rows of a quota has.
const accounts = 1 << 10

// quota counts live entries, all of them and those of each client. A client has
// an account in both rows, which it shares with others by chance: the one with
// less in it says how many entries the client has at most. So no client gets
// more than its share, and one that is refused for what others have needs to
// share both accounts with them: one in a million for each greedy client.
type quota struct {
	entries, share int

	mu      sync.Mutex
	total   account
	clients [2][accounts]account
	refused [greedy + 1]uint64
}

// take counts one more entry, unless there are too many already, and returns
// how many there are. client is a hash.
func (q *quota) take(client uint64, until, now uint32) (outcome, int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.total.expire(now)
	if q.total.live >= q.entries { // [DP-22]
		q.refused[full]++
		return full, q.total.live
	}
	a, b := &q.clients[0][client%accounts], &q.clients[1][client>>32%accounts]
	a.expire(now)
	b.expire(now)
	if min(a.live, b.live) >= q.share { // [DP-22]
		q.refused[greedy]++
		return greedy, q.total.live
	}
	until = coarse(until, now)
	for _, account := range [...]*account{&q.total, a, b} {
		account.add(until)
	}
	return stored, q.total.live
}

// turnedAway counts a refusal that take was not asked about.
func (q *quota) turnedAway() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.refused[full]++
}

func (q *quota) health(now uint32) MemoryHealth {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.total.expire(now)
	return MemoryHealth{
		Entries: q.total.live, Capacity: q.entries,
		Refused: q.refused[full], OverShare: q.refused[greedy],
	}
}

// account counts entries by the second they end in, so that the number of live
// ones is exact whether or not the expired ones were swept.
type account struct {
	live  int
	at    uint32 // when expire was last called
	spans []span
}

type span struct{ until, entries uint32 }

func (a *account) expire(now uint32) {
	if a.at == now {
		return
	}
	a.at = now
	a.spans = slices.DeleteFunc(a.spans, func(s span) bool {
		if s.until >= now {
			return false
		}
		a.live -= int(s.entries)
		return true
	})
}

// add counts an entry. Most end in one of the latest seconds.
func (a *account) add(until uint32) {
	a.live++
	for i := len(a.spans) - 1; i >= 0; i-- {
		if a.spans[i].until == until {
			a.spans[i].entries++
			return
		}
	}
	a.spans = append(a.spans, span{until, 1})
}

// coarse bounds the number of spans. Proofs are accepted for less than 8 minutes
// from now, unless a nonce that a route did not ask for lets their iat be further
// away: such an entry counts for up to a 256th of its time more.
func coarse(until, now uint32) uint32 {
	return until | (1<<max(bits.Len32(until-now)-9, 0) - 1)
}
