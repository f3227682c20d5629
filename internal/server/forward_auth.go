package server

import (
	"net/http"
	"slices"

	"github.com/bearward/bearward/adapters/httpauth"
	"github.com/bearward/bearward/internal/server/config"
	"github.com/bearward/bearward/validate"
)

// forwardAuth answers proxies that ask in an HTTP request of their own and name
// the client's in headers: nginx (auth_request), Traefik (ForwardAuth), Caddy
// (forward_auth). A status of 2xx lets the client's request pass; any other
// answer is the client's.
type forwardAuth struct {
	authorizer

	family   family
	settings *config.ForwardAuth
	metadata []string
	document http.Handler
}

func (s *Service) forwardAuth() *forwardAuth {
	settings := s.file.ForwardAuth
	return &forwardAuth{
		authorizer: s.authorizer(), family: questions[settings.Headers], settings: settings,
		metadata: s.Guard.MetadataPaths(), document: httpauth.Metadata(s.Guard),
	}
}

// ServeHTTP answers a question, whatever its own method and path are. A request
// that asks nothing, for the metadata document, is one that the proxy sends
// here in place of the API.
func (f *forwardAuth) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	question := httpauth.Request(r)
	in, ok := f.family.of(question, r.Header)
	var v verdict
	switch {
	case !f.trusts(question): // [PV-05]
		v = f.deny(r.Context(), question, validate.ErrPeerUntrusted)
	case slices.Contains(f.metadata, question.RawPath) && !f.family.in(r.Header):
		f.instead(f.document, w, r)
		return
	case !ok: // [PV-08]
		v = f.deny(r.Context(), question, validate.ErrForwardedInvalid)
	default:
		v = f.judge(r.Context(), in, true)
	}
	if v.Allowed {
		f.allow(w, r, v)
		return
	}
	if f.settings.SingleLineChallenge {
		v.Denial.SingleLine()
	}
	if v.Denial.Status == http.StatusBadRequest {
		v.Denial.Restate(f.settings.StatusFor400)
	}
	f.instead(v.Denial, w, r)
}
