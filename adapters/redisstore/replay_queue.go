package redisstore

import (
	"slices"
	"sync"
	"sync/atomic"
)

const (
	maxLanes   = 2    // pipelines at a time
	maxBatch   = 128  // proofs in one
	maxWaiting = 4096 // proofs that are in none yet
)

// use is one proof that wants to be the first.
type use struct {
	key      string
	keep     int64 // milliseconds
	answer   chan answer
	forsaken atomic.Bool // nobody waits for the answer
}

type answer struct {
	first bool
	err   error
}

// queue holds the proofs that wait for a pipeline. While all are under way more
// gather, which then share one: the busier Redis is, the less a proof costs.
type queue struct {
	mu      sync.Mutex
	waiting []*use
	lanes   int // pipelines under way
	closed  bool
	running sync.WaitGroup
}

// put lets a proof wait, for a pipeline of its own if one may begin.
func (p *Replay) put(u *use) error {
	q := &p.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return &Outage{text: errClosed}
	}
	if len(q.waiting) >= maxWaiting { // [DP-22]
		return &Outage{text: errCrowded, wait: pause}
	}
	q.waiting = append(q.waiting, u)
	if q.lanes < maxLanes {
		q.lanes++
		q.running.Go(p.work)
	}
	return nil
}

// take returns those that waited longest, or ends the lane.
func (q *queue) take() []*use {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := min(len(q.waiting), maxBatch)
	if n == 0 {
		q.lanes--
		q.waiting = nil
		return nil
	}
	batch := q.waiting[:n:n]
	q.waiting = q.waiting[n:]
	return batch
}

// work is a lane: one pipeline after the other while proofs are waiting.
func (p *Replay) work() {
	for batch := p.queue.take(); batch != nil; batch = p.queue.take() {
		batch = slices.DeleteFunc(batch, func(u *use) bool { return u.forsaken.Load() })
		if len(batch) == 0 {
			continue
		}
		firsts, err := p.ask(p.redis.life, batch)
		for i, u := range batch {
			u.answer <- answer{err == nil && firsts[i], err}
		}
		if err == nil {
			p.redis.look(p.redis.life)
		}
	}
}

// close refuses those that wait, and waits for those under way.
func (q *queue) close() {
	q.mu.Lock()
	q.closed = true
	for _, u := range q.waiting {
		u.answer <- answer{err: &Outage{text: errClosed}}
	}
	q.waiting = nil
	q.mu.Unlock()
	q.running.Wait()
}
