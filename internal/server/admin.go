package server

import (
	"cmp"
	"log/slog"
	"net/http"
	"sync/atomic"

	"github.com/go-json-experiment/json"

	"github.com/bearward/bearward/adapters/httpauth"
	"github.com/bearward/bearward/middleware"
	"github.com/bearward/bearward/validate"
)

// admin answers for the state of the server. It makes no call: what it says is
// from the last real fetch.
type admin struct {
	guard       func() *middleware.Guard // the current one
	enter       func() (g *generation, release func())
	metrics     http.Handler
	revocations *validate.RevocationList // nil: none in memory
	documents   bool                     // the metadata document has no other place
	local       bool                     // the listener is on loopback
	pprof       bool                     // profiles are shown
	logger      *slog.Logger
	once        atomic.Bool // every issuer was reached once
	stopping    atomic.Bool
}

// readiness is the body of /readyz.
type readiness struct {
	Ready   bool              `json:"ready"`
	Reason  string            `json:"reason,omitempty"`
	Issuers []issuerReadiness `json:"issuers"`
}

type issuerReadiness struct {
	Name   string `json:"name"`
	Ready  bool   `json:"ready"`
	Reason string `json:"reason,omitempty"`
}

func (a *admin) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, http.StatusOK, "application/json", map[string]bool{"healthy": true})
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		state := a.ready()
		status := http.StatusOK
		if !state.Ready {
			status = http.StatusServiceUnavailable
		}
		reply(w, status, "application/json", state)
	})
	mux.Handle("GET /metrics", a.metrics)
	if a.local {
		mux.HandleFunc("POST "+explainPath, a.explain)
	}
	if a.pprof {
		profiles(mux)
	}
	if a.documents {
		mux.HandleFunc("/.well-known/", func(w http.ResponseWriter, r *http.Request) {
			httpauth.Metadata(a.guard()).ServeHTTP(w, r)
		})
	}
	if a.revocations != nil {
		mux.HandleFunc("POST "+revocationsPath, a.revoke)
	}
	return mux
}

// ready asks whether the keys of every issuer that has some were loaded once,
// and whether it is known where to ask about its tokens. What happens later
// concerns that issuer's tokens and not the whole server, and so does an issuer
// that comes by a reload.
func (a *admin) ready() readiness {
	out := readiness{Ready: true}
	for _, h := range a.guard().Health() {
		i := issuerReadiness{Name: h.Name, Ready: true}
		switch asked := h.Introspection; {
		case !h.Loaded && h.LastSuccess.IsZero():
			i.Ready, i.Reason = false, cmp.Or(h.LastError, "its keys were not loaded yet")
		case asked != nil && !asked.Endpoint:
			i.Ready, i.Reason = false, cmp.Or(asked.LastError, "its introspection endpoint is not known yet")
		}
		if !i.Ready {
			out.Ready, out.Reason = false, "an issuer was not reached yet"
		}
		out.Issuers = append(out.Issuers, i)
	}
	if a.once.Load() {
		out.Ready, out.Reason = true, ""
	}
	if a.stopping.Load() {
		out.Ready, out.Reason = false, "the server is stopping"
	}
	return out
}

func reply(w http.ResponseWriter, status int, kind string, body any) {
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.MarshalWrite(w, body) // the client is gone
}
