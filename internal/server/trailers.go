package server

import (
	"net/http"
	"net/http/httputil"

	"github.com/bearward/bearward/internal/server/config"
)

// trailers announces to the upstream those of the request that have no meaning of
// their own there, and passes them on once the body has ended: no credentials,
// no identity, nothing that was for the header section only (RFC 9110 §6.5.1).
// Those that were not announced are dropped.
func (p *proxy) trailers(r *httputil.ProxyRequest, b *body) {
	r.Out.Trailer = nil
	if b == nil {
		return
	}
	out := http.Header{}
	for name := range r.In.Trailer {
		if folded := config.Fold(name); !p.strip.always[folded] && !config.IsReserved(folded) { // [TR-14]
			out[name] = nil
		}
	}
	if len(out) == 0 {
		return
	}
	r.Out.Trailer, r.Out.ContentLength = out, -1 // HTTP/1 has trailers behind chunks only
	b.last = func() {
		for name := range out {
			out[name] = r.In.Trailer[name]
		}
	}
}
