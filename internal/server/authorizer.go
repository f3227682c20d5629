package server

import (
	"context"
	"net/http"
	"slices"

	"github.com/bearward/bearward/internal/server/config"
	"github.com/bearward/bearward/middleware"
	"github.com/bearward/bearward/validate"
)

// authorizer is what modes forward-auth and ext-authz have in common: a proxy asks
// whether a request may pass, and sends it on itself. What proxy removes from
// requests can only be refused here.
type authorizer struct {
	*Service
	identities  []string // the configured headers, as [config.Fold] spells them
	certificate string   // that of the client's certificate; "" if there is none
	proxys      string   // the same, as the proxy sets it
}

func (s *Service) authorizer() authorizer {
	a := authorizer{Service: s}
	for _, h := range s.identity {
		a.identities = append(a.identities, config.Fold(h.header))
	}
	if c := s.file.ClientCertHeader; c != nil {
		a.certificate, a.proxys = config.Fold(c.Name), http.CanonicalHeaderKey(c.Name)
	}
	return a
}

// trusts reports that a question comes from one of the proxies.
func (a *authorizer) trusts(question middleware.Request) bool {
	return middleware.Trusted(a.file.TrustedProxies, question.Peer)
}

// judge decides about a request that a proxy asks about. It has an http.Header.
func (a *authorizer) judge(ctx context.Context, in middleware.Request, exact bool) verdict {
	if code := a.unfit(in.Header.(http.Header)); code != "" {
		return a.deny(ctx, in, code)
	}
	_, v := a.Service.judge(ctx, in, exact)
	return v
}

// original is a path of its own to some frameworks. Proxies know one spelling of
// it, which they take off, or replace with what they were asked for.
const original, proxysOriginal = "x-original-url", "X-Original-Url"

// unfit returns why a request with these headers must not be sent on by somebody
// else, whatever its rule says; "" if it may be.
func (a *authorizer) unfit(h http.Header) (code validate.Code) {
	for name := range h {
		if a.forges(name) {
			return validate.ErrForgedIdentity
		}
		if spellsAny(name, overrides) || config.Spells(name, original) && name != proxysOriginal { // [PV-08]
			code = validate.ErrOverride
		}
	}
	return code
}

// forges reports a header that the API could take for ours or the proxy's.
func (a *authorizer) forges(name string) bool {
	return spellsAny(name, a.identities) || // [PV-05]
		config.Spells(name, a.certificate) && name != a.proxys // [MT-09]
}

func spellsAny(name string, folded []string) bool {
	return slices.ContainsFunc(folded, func(f string) bool { return config.Spells(name, f) })
}

func (a *authorizer) deny(ctx context.Context, in middleware.Request, code validate.Code) verdict {
	return verdict{Decision: a.Guard.Deny(ctx, in, code)}
}

var noStore = []string{"no-store"}

// allow tells the proxy who asks. Every identity header is there, empty where
// there is nothing to tell, so that the proxy's copy replaces that of the
// client.
func (a *authorizer) allow(w http.ResponseWriter, r *http.Request, v verdict) {
	h := w.Header()
	for i := range v.identity { // [PV-05]
		h[a.identity[i].header] = v.identity[i : i+1 : i+1]
	}
	h["Cache-Control"] = noStore // a proxy that remembers would decide itself [TR-18]
	v.Amend(h)
	if carries(r) {
		a.hurry(w, r)
	}
	w.WriteHeader(http.StatusOK)
}
