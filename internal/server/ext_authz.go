package server

import (
	"net/http"
	"strings"

	"github.com/bearward/bearward/adapters/httpauth"
	"github.com/bearward/bearward/internal/server/config"
	"github.com/bearward/bearward/validate"
)

// extAuthz answers Envoy's external authorization filter in its HTTP form: the
// question has the method, host, path and query of the client's request. A
// status of 200 lets it pass; any other answer is the client's.
type extAuthz struct {
	authorizer

	remove, removePreflight string // header names, joined by commas
}

// removeField names the headers that Envoy takes off before it sends the request
// on.
const removeField = "X-Envoy-Auth-Headers-To-Remove"

func (s *Service) extAuthz() *extAuthz {
	names := []string{"authorization", "dpop", "proxy-authorization", "x-original-url"} // [TR-13 TR-14]
	if c := s.file.ClientCertHeader; c != nil {
		names = append(names, config.Fold(c.Name)) // [MT-09]
	}
	remove := strings.Join(names, ",")
	return &extAuthz{authorizer: s.authorizer(), remove: remove, removePreflight: remove + ",cookie"}
}

// ServeHTTP answers a question: everything that arrives here is one.
func (e *extAuthz) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	in := httpauth.Request(r)
	in.Scheme, in.Certificate = "", nil // those of Envoy
	if !e.trusts(in) {                  // [PV-05]
		e.instead(e.deny(r, in, validate.ErrPeerUntrusted).Denial, w, r)
		return
	}
	v := e.judge(r, in, isMethod(in.Method) && plain(in.RawQuery))
	if !v.Allowed {
		e.instead(v.Denial, w, r)
		return
	}
	remove := e.remove
	if v.preflight { // [TR-16]
		remove = e.removePreflight
	}
	w.Header().Set(removeField, remove)
	e.allow(w, r, v)
}
