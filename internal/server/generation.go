package server

import (
	"crypto/tls"
	"net/http"

	"github.com/bearward/bearward/middleware"
)

// generation is a Service with what answers by it. A request belongs to one
// generation from its beginning to its end.
type generation struct {
	*Service
	handler http.Handler
}

func newGeneration(s *Service) *generation { return &generation{s, s.handler()} }

// handler answers requests in the mode of the file.
func (s *Service) handler() http.Handler {
	switch s.file.Mode {
	case "forward-auth":
		return s.forwardAuth()
	case "ext-authz":
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
		g = r.current.Load()
		if release, ok := g.Guard.Hold(); ok {
			return g, release
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
