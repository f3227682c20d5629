package server

import (
	"crypto/tls"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/bearward/bearward/middleware"
)

// generation is a Service with what answers by it. A request belongs to one
// generation from its beginning to its end.
type generation struct {
	*Service
	handler http.Handler

	users atomic.Int64 // requests that it still has to decide about
	over  atomic.Bool  // nobody comes any more
	idle  chan struct{}
	once  sync.Once
}

func newGeneration(s *Service) *generation {
	return &generation{Service: s, handler: s.handler(), idle: make(chan struct{})}
}

// enter reports whether a request may be decided about; if so, leave must follow.
func (g *generation) enter() bool {
	g.users.Add(1)
	if g.over.Load() {
		g.leave()
		return false
	}
	return true
}

func (g *generation) leave() {
	if g.users.Add(-1) == 0 && g.over.Load() {
		g.once.Do(func() { close(g.idle) })
	}
}

// retire waits until every request that has entered is decided about, and closes
// the guard, which would refuse those that it has not begun with.
func (g *generation) retire() error {
	g.over.Store(true)
	if g.users.Load() == 0 {
		g.once.Do(func() { close(g.idle) })
	}
	<-g.idle
	return g.Service.retire()
}

// handler answers requests in the mode of the file.
func (s *Service) handler() http.Handler {
	switch s.file.Mode {
	case "forward-auth":
		return s.forwardAuth()
	case "ext-authz":
		if s.front != nil {
			return s.front(s.extAuthz())
		}
		return s.extAuthz()
	}
	return s.proxy()
}

// deciding is a handler that needs the guard for a part of a request only, and
// says when that part is over: a stream goes on without the guard.
type deciding interface {
	serve(w http.ResponseWriter, r *http.Request, decided func())
}

// ServeHTTP answers by what is current.
func (r *runner) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	g, release := r.enter()
	defer release()
	if h, ok := g.handler.(deciding); ok {
		h.serve(w, request, release)
		return
	}
	g.handler.ServeHTTP(w, request)
}

// enter returns the current generation. Its guard stays open until release is
// called, which may be more than once.
func (r *runner) enter() (g *generation, release func()) {
	for {
		if g = r.current.Load(); g.enter() {
			return g, sync.OnceFunc(g.leave)
		}
		if r.current.Load() == g { // the server is closed, and the guard refuses everything
			return g, func() {}
		}
	}
}

// guard is the current one, for what asks about it from outside of a request.
func (r *runner) guard() *middleware.Guard { return r.current.Load().Guard }

// certified shows the current certificate to clients that connect now.
func (r *runner) certified(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	return r.current.Load().certificate, nil
}
