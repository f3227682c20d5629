package middleware

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/bearward/bearward/validate"
)

// Forwarded is a family of headers in which a proxy says what the client asked
// it for.
type Forwarded string

// The families. A guard reads one at most.
const (
	NotForwarded Forwarded = ""
	XForwarded   Forwarded = "x-forwarded" // X-Forwarded-Proto, X-Forwarded-Host
	XOriginal    Forwarded = "x-original"  // X-Original-Proto, X-Original-Host
	RFC7239      Forwarded = "rfc7239"     // Forwarded: proto, host
)

// forwardedFields are the names of each family's headers.
var forwardedFields = map[Forwarded][]string{
	NotForwarded: nil,
	XForwarded:   {"X-Forwarded-Proto", "X-Forwarded-Host"},
	XOriginal:    {"X-Original-Proto", "X-Original-Host"},
	RFC7239:      {"Forwarded"},
}

// trusts reports that the connection's other end is one of the proxies.
func (g *Guard) trusts(r *Request) bool { return Trusted(g.config.TrustedProxies, r.Peer) }

// Trusted reports that a connection's other end is one of the proxies. An
// IPv4-mapped address is IPv4.
func Trusted(proxies []netip.Prefix, peer netip.Addr) bool {
	peer = peer.Unmap().WithZone("")
	for _, p := range proxies {
		if p.Contains(peer) {
			return true
		}
	}
	return false
}

var errNotForwarded = errors.New("a trusted proxy did not say, in the configured headers, what the client asked it for")

// seen is the scheme and host that the client used: of the connection, or as
// the trusted proxy at its other end says. What an earlier hop wrote into the
// same headers, or anybody else into others, does not count.
func (g *Guard) seen(r *Request) (scheme, host string, forwarded bool, err error) {
	if g.config.Forwarded == NotForwarded || !g.trusts(r) { // [DP-12]
		return r.Scheme, r.host(), false, nil
	}
	fields := forwardedFields[g.config.Forwarded]
	for _, name := range fields {
		if len(r.values(name)) == 0 { // [DP-12]
			return "", "", false, &validate.Error{Code: validate.ErrTargetUnknown, Err: errNotForwarded}
		}
	}
	if g.config.Forwarded == RFC7239 {
		scheme, host = nearest(r.values("Forwarded"))
	} else {
		scheme, host = last(r.values(fields[0])), last(r.values(fields[1]))
	}
	return httpScheme(scheme), host, true, nil
}

// httpScheme is that of the request which opens a WebSocket, where a proxy names
// the WebSocket's.
func httpScheme(scheme string) string {
	switch scheme = strings.ToLower(scheme); scheme {
	case "ws":
		return "http"
	case "wss":
		return "https"
	}
	return scheme
}

// last is the last element of a list header: the nearest hop's.
func last(values []string) string {
	v := values[len(values)-1]
	return strings.Trim(v[strings.LastIndexByte(v, ',')+1:], " \t")
}

// nearest reads proto and host of the last element of Forwarded (RFC 7239 §4).
// Both are empty if the field is malformed or says one of them twice.
func nearest(values []string) (proto, host string) {
	rest := values[len(values)-1]
	for {
		name, value, tail, ok := pair(rest)
		if !ok {
			return "", ""
		}
		switch {
		case strings.EqualFold(name, "proto"):
			ok, proto = proto == "", value
		case strings.EqualFold(name, "host"):
			ok, host = host == "", value
		}
		if !ok {
			return "", ""
		}
		if tail == "" {
			return proto, host
		}
		if tail[0] == ',' { // what was read is an earlier hop's
			proto, host = "", ""
		}
		rest = tail[1:]
	}
}

// pair reads one forwarded-pair and what follows it, which is nothing or begins
// with a semicolon or comma. Empty list elements and pairs are passed over.
func pair(s string) (name, value, tail string, ok bool) {
	s = strings.TrimLeft(s, " \t")
	if s == "" || s[0] == ';' || s[0] == ',' {
		return "", "", s, true
	}
	name, s, ok = strings.Cut(s, "=")
	if !ok || !isToken(name) {
		return "", "", "", false
	}
	if strings.HasPrefix(s, `"`) {
		value, s, ok = unquote(s[1:])
	} else {
		end := strings.IndexAny(s, ";, \t")
		if end < 0 {
			end = len(s)
		}
		value, s = s[:end], s[end:]
		ok = isToken(value)
	}
	s = strings.TrimLeft(s, " \t")
	return name, value, s, ok && (s == "" || s[0] == ';' || s[0] == ',')
}

// unquote reads the rest of a quoted-string.
func unquote(s string) (value, tail string, ok bool) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '"':
			return b.String(), s[i+1:], true
		case '\\':
			if i++; i == len(s) {
				return "", "", false
			}
		}
		b.WriteByte(s[i])
	}
	return "", "", false
}

// isToken reports a token of RFC 9110 §5.6.2.
func isToken(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] <= ' ' || s[i] >= 0x7f || strings.IndexByte(`"(),/:;<=>?@[\]{}`, s[i]) >= 0 {
			return false
		}
	}
	return s != ""
}

// checkProxies returns the faults of what is believed of whom.
func checkProxies(c *Config) error {
	var faults []error
	if _, ok := forwardedFields[c.Forwarded]; !ok {
		faults = append(faults, fmt.Errorf("forwarded %q is no family of headers", c.Forwarded))
	}
	for _, p := range c.TrustedProxies {
		switch {
		case !p.IsValid():
			faults = append(faults, errors.New("a trusted proxy is no address range"))
		case p.Addr().Is4In6():
			faults = append(faults, fmt.Errorf("trusted proxies %s: write IPv4 addresses as such", p))
		case p.Bits() == 0:
			faults = append(faults, fmt.Errorf("trusted proxies %s are everybody", p))
		}
	}
	uses := c.Forwarded != NotForwarded || c.ClientCertHeader.Name != ""
	switch {
	case uses && len(c.TrustedProxies) == 0: // [MT-07 DP-12]
		faults = append(faults, errors.New("headers of proxies are believed of TrustedProxies only, and there are none"))
	case !uses && len(c.TrustedProxies) > 0:
		faults = append(faults, errors.New("TrustedProxies are trusted with nothing: set Forwarded or ClientCertHeader"))
	}
	if err := c.ClientCertHeader.Check(); err != nil {
		faults = append(faults, err)
	}
	return errors.Join(faults...)
}
