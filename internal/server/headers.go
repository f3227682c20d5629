package server

import (
	"net/http"
	"strings"

	"github.com/bearward/bearward/internal/server/config"
)

// removed are the headers that never reach the upstream, as [config.Fold]
// spells them: they would speak for us, or change what was judged.
var removed = []string{
	"forwarded",              // ours to say
	"x-real-ip",              // ours to say
	"proxy-authorization",    // meant for a proxy [TR-14]
	"x-http-method-override", // another method than the one judged
	"x-http-method",
	"x-method-override",
	"x-rewrite-url", // another path than the one judged
	"http2-settings",
}

// prefixes of such headers.
var prefixes = []string{"x-forwarded-", "x-original-"}

// strip removes headers from requests to the upstream, in every spelling.
type strip struct {
	always    map[string]bool
	preflight map[string]bool // credentials, also where they are forwarded
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
	return s
}

func (s strip) from(h http.Header, preflight bool) {
	for name := range h {
		folded := config.Fold(name)
		if s.always[folded] || preflight && s.preflight[folded] || hasPrefix(folded) {
			delete(h, name)
		}
	}
}

func hasPrefix(folded string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(folded, p) {
			return true
		}
	}
	return false
}
