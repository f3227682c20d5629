package issuer

import (
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
)

// Fault is a way in which metadata and keys, or introspection, are unavailable
// or wrong. The token endpoint never breaks.
type Fault string

// part is what breaks together.
type part int

const (
	documents part = iota // metadata and keys
	live                  // introspection, tokeninfo and revocation
	parts
)

// The faults. Each lasts until Heal or the next Break.
const (
	Down        Fault = "down"         // the connection is closed without an answer
	Slow        Fault = "slow"         // no answer until the fault ends or the server closes
	Status500   Fault = "500"          // status 500
	Garbage     Fault = "garbage"      // status 200, JSON that ends in the middle
	EmptySet    Fault = "empty-set"    // a key set without keys; metadata as usual
	Huge        Fault = "huge"         // the right document, padded beyond 1 MiB
	Redirect    Fault = "redirect"     // 302 to the right document at another address
	HTML        Fault = "html"         // status 200 and a web page
	WrongIssuer Fault = "wrong-issuer" // metadata that names another issuer; keys as usual

	healthy Fault = ""
)

const hugeSize = 1<<20 + 1

// answers holds the faults that replace the whole answer.
var answers = map[Fault]func(*Server, http.ResponseWriter, *http.Request){
	Down:      func(_ *Server, w http.ResponseWriter, _ *http.Request) { hangUp(w) },
	Slow:      (*Server).hold,
	Status500: func(_ *Server, w http.ResponseWriter, _ *http.Request) { fixed(w, 500, "text/plain", "internal error") },
	Garbage: func(_ *Server, w http.ResponseWriter, _ *http.Request) {
		fixed(w, 200, "application/json", `{"keys":[{"kty":`)
	},
	Redirect: (*Server).redirect,
	HTML: func(_ *Server, w http.ResponseWriter, _ *http.Request) {
		fixed(w, 200, "text/html", "<html>Sign in</html>")
	},
	EmptySet:    nil, // these change a member of the right document
	Huge:        nil,
	WrongIssuer: nil,
}

// Faults returns every fault.
func Faults() []Fault { return slices.Sorted(maps.Keys(answers)) }

// Break begins a fault of metadata and keys.
func (s *Server) Break(f Fault) error {
	if _, ok := answers[f]; !ok {
		return fmt.Errorf("issuer: no fault %q, there are %q", f, Faults())
	}
	s.turn(documents, f)
	return nil
}

// Heal ends the fault of metadata and keys. Requests that Slow holds are
// answered.
func (s *Server) Heal() { s.turn(documents, healthy) }

func (s *Server) turn(p part, f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults[p] = f
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *Server) broken(p part) Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.faults[p]
}

// breakable answers with the current fault, or with next.
func (s *Server) breakable(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if answer := answers[s.broken(documents)]; answer != nil {
			answer(s, w, r)
			return
		}
		next(w, r)
	}
}

// hold ends with the fault or with the connection, which Close closes.
func (s *Server) hold(w http.ResponseWriter, r *http.Request) {
	route := s.routes[r.URL.Path]
	for {
		s.mu.Lock()
		fault, changed := s.faults[route.part], s.changed
		s.mu.Unlock()
		if fault != Slow {
			route.answer(w, r)
			return
		}
		select {
		case <-changed:
		case <-r.Context().Done():
			return
		}
	}
}

func (s *Server) redirect(w http.ResponseWriter, r *http.Request) {
	http.Redirect(w, r, s.moved+r.URL.Path, http.StatusFound)
}

func fixed(w http.ResponseWriter, status int, kind, body string) {
	w.Header().Set("Content-Type", kind)
	w.WriteHeader(status)
	_, _ = w.Write([]byte(body))
}

// hangUp resets the connection, as a machine without a listener would.
func hangUp(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}
