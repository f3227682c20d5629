package server

import (
	"context"
	"net/http"
	"strings"

	"github.com/bearward/bearward/adapters/httpauth"
	"github.com/bearward/bearward/internal/server/config"
	"github.com/bearward/bearward/middleware"
	"github.com/bearward/bearward/validate"
)

// ExtAuthz answers Envoy's external authorization filter. As a handler it speaks
// its HTTP form: the question has the method, host, path and query of the client's
// request. A status of 200 lets it pass; any other answer is the client's.
type ExtAuthz struct {
	authorizer

	remove, removePreflight []string
}

// Reply is the answer to a question.
type Reply struct {
	Identity []IdentityHeader   // every configured one, of what may pass
	Remove   []string           // headers that the API must not see
	Header   http.Header        // for the client, of what may pass
	Denial   *middleware.Denial // for the client otherwise; nil: it may pass
}

// IdentityHeader is what the API is told in one header; nothing, if the value is
// empty.
type IdentityHeader struct{ Name, Value string }

// removeField names the headers that Envoy takes off before it sends the request
// on.
const removeField = "X-Envoy-Auth-Headers-To-Remove"

func (s *Service) extAuthz() *ExtAuthz {
	remove := []string{"authorization", "dpop", "proxy-authorization", "x-original-url"} // [TR-13 TR-14]
	if c := s.file.ClientCertHeader; c != nil {
		remove = append(remove, config.Fold(c.Name)) // [MT-09]
	}
	return &ExtAuthz{authorizer: s.authorizer(), remove: remove, removePreflight: append(remove[:len(remove):len(remove)], "cookie")}
}

// ServeHTTP answers a question: everything that arrives here is one.
func (e *ExtAuthz) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	in := httpauth.Request(r)
	in.Scheme = "" // Envoy's own
	v := e.ask(r.Context(), in)
	if !v.Allowed {
		e.instead(v.Denial, w, r)
		return
	}
	w.Header().Set(removeField, strings.Join(e.removes(v), ","))
	e.allow(w, r, v)
}

// Ask answers a question that came in another form. in is the client's request,
// with an http.Header and the proxy as its peer.
func (e *ExtAuthz) Ask(ctx context.Context, in middleware.Request) Reply {
	v := e.ask(ctx, in)
	if !v.Allowed {
		return Reply{Denial: v.Denial}
	}
	reply := Reply{Remove: e.removes(v), Header: v.Header}
	for i, value := range v.identity {
		reply.Identity = append(reply.Identity, IdentityHeader{e.identity[i].header, value})
	}
	return reply
}

func (e *ExtAuthz) ask(ctx context.Context, in middleware.Request) verdict {
	in.Certificate = nil // Envoy's own
	if !e.trusts(in) {   // [PV-05]
		return e.deny(ctx, in, validate.ErrPeerUntrusted)
	}
	return e.judge(ctx, in, isMethod(in.Method) && plain(in.RawQuery))
}

func (e *ExtAuthz) removes(v verdict) []string {
	if v.preflight { // [TR-16]
		return e.removePreflight
	}
	return e.remove
}
