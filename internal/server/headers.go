package server

import (
	"net/http"
	"slices"
	"strings"

	"github.com/bearward/bearward/internal/server/config"
)

// overrides are the headers that ask for another method or path than the one
// judged, as [config.Fold] spells them.
var overrides = []string{"x-http-method-override", "x-http-method", "x-method-override", "x-rewrite-url"}

// removed are the headers that never reach the upstream, as [config.Fold]
// spells them: they would speak for us, or change what was judged.
var removed = append([]string{
	"forwarded",           // ours to say
	"x-real-ip",           // ours to say
	"proxy-authorization", // meant for a proxy [TR-14]
	"http2-settings",
}, overrides...)

// prefixes of such headers.
var prefixes = []string{"x-forwarded-", "x-original-"}

// strip removes headers from requests to the upstream, in every spelling.
type strip struct {
	always      map[string]bool
	preflight   map[string]bool // credentials, also where they are forwarded
	certificate string          // the configured header, if it is forwarded as it came from a trusted proxy
}

func newStrip(file *config.File) strip {
	s := strip{always: map[string]bool{}, preflight: map[string]bool{"authorization": true, "dpop": true, "cookie": true}}
	for _, name := range removed {
		s.always[name] = true
	}
	for name := range file.ForwardHeaders {
		s.always[config.Fold(name)] = true // [PV-05]
	}
	if !file.ForwardCredentials { // [TR-13 MC-04]
		s.always["authorization"], s.always["dpop"] = true, true
	}
	if c := file.ClientCertHeader; c != nil {
		s.always[config.Fold(c.Name)] = true // [MT-07 MT-09]
		if file.ForwardCredentials {
			s.certificate = http.CanonicalHeaderKey(c.Name)
		}
	}
	return s
}

// from removes them. refused are headers that nobody must take for accepted: only
// a trusted proxy may send them and somebody else did, or they are credentials
// that a rule only reports on.
func (s strip) from(h http.Header, preflight bool, refused []string) {
	certificate := h[s.certificate]
	for name := range h {
		folded := config.Fold(name)
		if s.always[folded] || preflight && s.preflight[folded] || spoken(folded) || slices.ContainsFunc(refused, func(r string) bool { return config.Fold(r) == folded }) {
			delete(h, name)
		}
	}
	if certificate != nil && !preflight && !slices.Contains(refused, s.certificate) {
		h[s.certificate] = certificate
	}
}

// spoken reports that a name begins like those that only we may say.
func spoken(folded string) bool {
	return config.IsCertificate(folded) || // [MT-09]
		slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(folded, p) })
}
