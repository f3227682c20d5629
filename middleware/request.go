package middleware

import (
	"crypto/x509"
	"net/http"
	"net/netip"
)

// Request is a request as it was received. Nothing in it is trusted; what
// follows from it is decided by the Guard.
type Request struct {
	Method   string // as on the request line, case-sensitive
	Scheme   string // http or https, of this connection
	Host     string // Host or :authority as received; if empty, the field Host of Header is read where it is needed
	RawPath  string // path of the request target, undecoded
	RawQuery string // query of the request target, undecoded
	Header   Header

	Route string // the router's name for the route, a label; Policy.Route wins

	Peer        netip.Addr        // of the connection's other end
	Local       netip.Addr        // of the listener
	Certificate *x509.Certificate // the peer's, on this connection; nil if none
}

// Header gives every value of a field, in order of receipt. Names are asked
// for in Go's canonical spelling. http.Header is one.
type Header interface {
	Values(name string) []string
}

// values are all values of a field, named in Go's canonical spelling.
func (r *Request) values(name string) []string {
	switch h := r.Header.(type) {
	case nil:
		return nil
	case http.Header: // spelled as it is asked for
		return h[name]
	default:
		return h.Values(name)
	}
}

// Preflight reports a CORS preflight, which carries no credentials by design:
// the CORS layer behind the guard answers it. Every other OPTIONS request is
// protected.
func (r *Request) Preflight() bool {
	if r.Method != "OPTIONS" {
		return false
	}
	origin, method := r.values("Origin"), r.values("Access-Control-Request-Method")
	return len(origin) == 1 && origin[0] != "" && len(method) == 1 && method[0] != ""
}

// host is what the client asked for, wherever the adapter has it.
func (r *Request) host() string {
	if values := r.values("Host"); r.Host == "" && len(values) == 1 {
		return values[0]
	}
	return r.Host
}

// fromPage reports that a page of a browser asks, which sees only the headers
// that it is told about.
func (r *Request) fromPage() bool { return len(r.values("Origin")) > 0 }

// early reports TLS early data that asks for more than reading: it can be a
// replay. Any value counts as 1, and so do several (RFC 8470 §5.1).
func (r *Request) early() bool {
	switch r.Method {
	case "GET", "HEAD", "OPTIONS", "TRACE":
		return false
	}
	return len(r.values("Early-Data")) > 0
}
