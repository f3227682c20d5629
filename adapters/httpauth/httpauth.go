// Package httpauth protects net/http handlers with a middleware.Guard.
package httpauth

import (
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/bearward/bearward/middleware"
)

// Protect returns a middleware that lets a request through to the handler if
// the guard allows it by policy, and writes the refusal otherwise. The handler
// finds the token with middleware.FromContext. Protect panics if the policy is
// faulty, as http.ServeMux does for a faulty pattern.
//
// CORS preflight requests reach the handler without a token, for the CORS
// layer to answer.
func Protect(g *middleware.Guard, p middleware.Policy) func(http.Handler) http.Handler {
	policy, err := g.Prepare(p)
	if err != nil {
		panic(err.Error())
	}
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			ctx, d := g.Decide(r.Context(), Request(r), policy)
			if !d.Allowed {
				d.Denial.ServeHTTP(w, r)
				return
			}
			d.Amend(w.Header())
			for _, name := range d.Remove {
				delete(r.Header, name)
			}
			if ctx != r.Context() {
				r = r.WithContext(ctx)
			}
			next.ServeHTTP(w, r)
		})
	}
}

// Request translates a request as it was received: path and query come from
// the request line, so that http.StripPrefix and routers that rewrite the URL
// change nothing.
func Request(r *http.Request) middleware.Request {
	out := middleware.Request{Method: r.Method, Scheme: "http", Host: r.Host, Header: r.Header, Route: r.Pattern}
	if out.Method == "" {
		out.Method = http.MethodGet
	}
	out.RawPath, out.RawQuery = target(r)
	if r.TLS != nil {
		out.Scheme = "https"
		if len(r.TLS.PeerCertificates) > 0 {
			out.Certificate = r.TLS.PeerCertificates[0]
		}
	}
	if peer, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		out.Peer = peer.Addr()
	}
	if local, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr); ok {
		out.Local = local.AddrPort().Addr()
	}
	return out
}

// target splits the request target into path and query. An absolute target
// loses its scheme and authority, and nothing else is taken for one: what the
// router does not see, the guard must not see either. A request that was not received over the
// wire has its URL only.
func target(r *http.Request) (path, query string) {
	uri := r.RequestURI
	if uri == "" {
		return r.URL.EscapedPath(), r.URL.RawQuery
	}
	if _, rest, ok := strings.Cut(uri, ":"); ok && uri[0] != '/' && strings.HasPrefix(rest, "//") {
		rest = rest[len("//"):]
		if i := strings.IndexAny(rest, "/?"); i >= 0 {
			uri = rest[i:]
		} else {
			uri = "/"
		}
	}
	path, query, _ = strings.Cut(uri, "?")
	return path, query
}

// Metadata serves the protected resource metadata document (RFC 9728) at its
// well-known paths and answers 404 elsewhere. Mount it outside of Protect:
//
//	for _, path := range guard.MetadataPaths() {
//		mux.Handle(path, httpauth.Metadata(guard))
//	}
func Metadata(g *middleware.Guard) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		status, header, body := g.Metadata(Request(r))
		for name, values := range header {
			w.Header()[name] = values
		}
		w.WriteHeader(status)
		_, _ = w.Write(body)
	})
}
