package dpop

import "sync"

const (
	numberBits = 15 // a shard has fewer entries than that can number
	numberMask = 1<<numberBits - 1

	chunkEntries = 186 // of 44 bytes: 8 KiB all but 8 bytes
	minSlots     = 16
	buckets      = 256 // of a second each: most entries live for less
	sweepSteps   = 64
)

// entry is one used proof. It has no pointers, so that the garbage collector
// passes chunks over; entries refer to each other by number, 0 being none.
type entry struct {
	id    [32]byte
	tag   uint32 // of its slot
	until uint32 // it is live up to this second
	due   uint32 // the next of the same bucket, or the next free one
}

// shard is a part of the entries. A slot is the number of an entry below its
// tag, 17 bits of a hash; it is at the place that the tag says or at one of the
// next, without a gap between, so that an id that is not there is missed without
// a look at entries. Entries expire by a wheel of buckets: each has those to
// look at when its second is over. One that lives longer than the wheel is wide,
// or was used again, is put off then.
type shard struct {
	mu     sync.Mutex
	newest uint32 // the latest second that was seen
	limit  int    // entries at most
	held   int    // entries, expired ones included
	slots  []uint32
	chunks []*[chunkEntries]entry
	used   uint32 // the highest number given out
	free   uint32 // below it
	swept  uint32 // the first second whose bucket may not be empty
	wheel  [buckets]uint32
}

// tagged is the tag for a hash, above the bits of the number.
func tagged(hash uint64) uint32 { return low(hash) << numberBits }

func (s *shard) at(n uint32) *entry { return &s.chunks[n/chunkEntries][n%chunkEntries] }

// place is that of a slot without others in its way.
func (s *shard) place(slot uint32) int { return int(slot>>numberBits) & (len(s.slots) - 1) }

func (s *shard) after(place int) int { return (place + 1) & (len(s.slots) - 1) }

func (s *shard) find(id *[32]byte, tag uint32) *entry {
	for i := s.place(tag); s.slots[i] != 0; i = s.after(i) {
		if slot := s.slots[i]; slot&^numberMask == tag {
			if e := s.at(slot & numberMask); e.id == *id {
				return e
			}
		}
	}
	return nil
}

// room reports that one more entry fits. That it does not, without the quota
// having been used up, takes a clock that went back.
func (s *shard) room(now uint32) bool {
	if s.held >= s.limit {
		s.sweep(now, 2*s.limit)
	}
	return s.held < s.limit
}

// insert adds what find did not find. It follows a sweep.
func (s *shard) insert(id *[32]byte, tag, until uint32) {
	if s.held >= len(s.slots)/8*5 {
		s.grow()
	}
	n := s.free
	if n != 0 {
		s.free = s.at(n).due
	} else {
		s.used++
		n = s.used
		if int(n/chunkEntries) == len(s.chunks) {
			s.chunks = append(s.chunks, new([chunkEntries]entry))
		}
	}
	s.held++
	e := s.at(n)
	e.id, e.tag, e.until = *id, tag, until
	s.fill(tag | n)
	s.schedule(n, e)
}

func (s *shard) fill(slot uint32) {
	i := s.place(slot)
	for s.slots[i] != 0 {
		i = s.after(i)
	}
	s.slots[i] = slot
}

// grow doubles the slots. A shard is so small that nobody waits for it.
func (s *shard) grow() {
	old := s.slots
	s.slots = make([]uint32, 2*len(old))
	for _, slot := range old {
		if slot != 0 {
			s.fill(slot)
		}
	}
}

// vacate empties the slot and closes the gap: those behind it move up, unless
// they would be before their place.
func (s *shard) vacate(slot uint32) {
	gap, mask := s.place(slot), len(s.slots)-1
	for s.slots[gap] != slot {
		gap = s.after(gap)
	}
	for i := s.after(gap); s.slots[i] != 0; i = s.after(i) {
		if away := (i - s.place(s.slots[i])) & mask; away >= (i-gap)&mask {
			s.slots[gap] = s.slots[i]
			gap = i
		}
	}
	s.slots[gap] = 0
}

// schedule puts the entry where it is looked at next. That is never the bucket
// of swept, unless it may live that long only.
func (s *shard) schedule(n uint32, e *entry) {
	bucket := &s.wheel[min(e.until, s.swept+buckets-1)%buckets]
	e.due, *bucket = *bucket, n
}

// sweep removes expired entries, of which it looks at no more than steps. It
// leaves swept at now at most.
func (s *shard) sweep(now uint32, steps int) {
	switch {
	case s.held == 0, s.swept > now: // nothing to find on the way, or the clock went back
		s.swept = now
	case now-s.swept > buckets: // once around is enough
		s.swept = now - buckets
	}
	for s.swept < now {
		bucket := &s.wheel[s.swept%buckets]
		n := *bucket
		if n == 0 {
			s.swept++
			continue
		}
		if steps == 0 {
			return
		}
		steps--
		e := s.at(n)
		*bucket = e.due
		if e.until >= now {
			s.schedule(n, e)
			continue
		}
		s.vacate(e.tag | n)
		e.due, s.free = s.free, n
		s.held--
	}
	if s.held == 0 && len(s.chunks) > 1 {
		s.shrink()
	}
}

// shrink gives back the memory of an empty shard, but for one chunk.
func (s *shard) shrink() {
	s.slots = make([]uint32, minSlots)
	s.chunks = append(make([]*[chunkEntries]entry, 0, 1), s.chunks[0])
	s.used, s.free = 0, 0
}
