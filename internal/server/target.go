package server

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/bearward/bearward/middleware"
)

// target is the upstream URL whose request line has method, path and query
// exactly as received. It reports false where that cannot be written: what we would send
// must be what was judged.
func target(upstream *url.URL, r *http.Request, in *middleware.Request) (*url.URL, bool) {
	out := &url.URL{
		Scheme: upstream.Scheme, Host: upstream.Host, Opaque: in.RawPath,
		RawQuery: in.RawQuery, ForceQuery: in.RawQuery == "" && strings.HasSuffix(r.RequestURI, "?"),
	}
	want := in.RawPath
	if in.RawQuery != "" || out.ForceQuery {
		want += "?" + in.RawQuery
	}
	if strings.HasPrefix(in.RawPath, "//") {
		// As Opaque it would be an authority. Path and RawPath say the same,
		// for paths that need no escaping.
		path, err := url.PathUnescape(in.RawPath)
		if err != nil {
			return nil, false
		}
		out.Opaque, out.Path, out.RawPath = "", path, in.RawPath
	}
	return out, isMethod(in.Method) && plain(in.RawQuery) && out.RequestURI() == want
}

// plain reports that a query cannot end the request line or its own target.
func plain(query string) bool {
	for i := range len(query) {
		if query[i] <= ' ' || query[i] == 0x7f || query[i] == '#' {
			return false
		}
	}
	return true
}

// isMethod reports that a method is a token (RFC 9110 §5.6.2): HTTP/2 can carry
// others.
func isMethod(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f || strings.IndexByte(`"(),/:;<=>?@[\]{}`, s[i]) >= 0 {
			return false
		}
	}
	return s != ""
}
