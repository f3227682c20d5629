package middleware

import (
	"sync"
	"sync/atomic"
)

// gate counts what is under way, so that Close can wait for it.
type gate struct {
	active atomic.Int64
	closed atomic.Bool
	idle   chan struct{}
	once   sync.Once
	first  atomic.Bool
}

// enter reports whether the gate is open; if so, leave must follow.
func (g *gate) enter() bool {
	g.active.Add(1)
	if g.closed.Load() {
		g.leave()
		return false
	}
	return true
}

func (g *gate) leave() {
	if g.active.Add(-1) == 0 && g.closed.Load() {
		g.once.Do(func() { close(g.idle) })
	}
}

// close shuts the gate and waits until everybody has left. It returns true to
// the first caller only.
func (g *gate) close() bool {
	g.closed.Store(true)
	if g.active.Load() == 0 {
		g.once.Do(func() { close(g.idle) })
	}
	<-g.idle
	return g.first.CompareAndSwap(false, true)
}

// Hold keeps Close waiting while a stream goes on. It returns false if the
// Guard is closed; otherwise release must be called when the stream ends.
func (g *Guard) Hold() (release func(), ok bool) {
	if !g.made() || !g.gate.enter() {
		return nil, false
	}
	return sync.OnceFunc(g.gate.leave), true
}
