package config

import (
	"maps"
	"reflect"
	"slices"
	"strings"
)

var ruleType = reflect.TypeFor[Rule]()

// reserved are the header names that identity cannot have: those of the
// connection and of HTTP itself, credentials, and what serve sets.
var reserved = []string{
	"accept", "accept-charset", "accept-encoding", "accept-language", "age", "allow", "authorization",
	"cache-control", "connection", "content-encoding", "content-length", "content-location", "content-range", "content-type",
	"cookie", "date", "dpop", "early-data", "expect", "forwarded", "host", "http2-settings", "keep-alive", "max-forwards",
	"origin", "pragma", "proxy-authenticate", "proxy-authorization", "proxy-connection", "range", "referer",
	"set-cookie", "te", "trailer", "transfer-encoding", "upgrade", "user-agent", "via", "www-authenticate",
	"x-http-method", "x-http-method-override", "x-method-override", "x-real-ip", "x-rewrite-url",
}

// families are prefixes of header names that serve removes or that HTTP owns.
var families = []string{"access-control-", "if-", "sec-", "x-forwarded-", "x-original-"}

// certificates are prefixes of the names in which proxies forward what they know
// of a client's certificate.
var certificates = []string{
	"cf-cert-", "cf-client-cert-", "client-cert", "ssl-cert", "ssl-client-", "x-amzn-mtls-", "x-arr-clientcert", "x-client-cert",
	"x-client-dn", "x-client-s-dn", "x-client-verify", "x-goog-client-cert", "x-ssl-cert", "x-ssl-client-", "x-tls-client-",
}

// IsCertificate reports that a folded name is one in which proxies forward what
// they know of a client's certificate. Those that begin with x-forwarded- are
// told by that.
func IsCertificate(folded string) bool { return begins(folded, certificates) }

// IsReserved reports that a folded name has a meaning of its own: to HTTP, to
// serve, or to proxies.
func IsReserved(folded string) bool {
	return slices.Contains(reserved, folded) || begins(folded, families) || IsCertificate(folded)
}

func begins(name string, with []string) bool {
	return slices.ContainsFunc(with, func(p string) bool { return strings.HasPrefix(name, p) })
}

// structured are the registered claims that are never text.
var structured = []string{"act", "amr", "auth_time", "authorization_details", "cnf", "events", "exp", "iat", "may_act", "nbf"}

// headers checks the names of identity headers and their claims.
func (c *checker) headers() {
	seen := map[string]string{}
	certificate := ""
	if h := c.file.ClientCertHeader; h != nil {
		certificate = h.Name
	}
	for _, name := range slices.Sorted(maps.Keys(c.file.ForwardHeaders)) {
		path := join("forward_headers", name)
		folded := Fold(name)
		switch first, twice := seen[folded]; {
		case !isHeader(name):
			c.say(path, "%s is not a header name of letters, digits and hyphens", quote(name))
		case IsReserved(folded):
			c.say(path, "%s has a meaning of its own and cannot carry identity", quote(name))
		case folded == Fold(certificate):
			c.say(path, "%s of forward_headers and the name of client_cert_header in line %d are one header to many servers",
				quote(name), c.places.at("client_cert_header.name").Line)
		case twice:
			c.say(path, "%s and %s are one header to many servers", quote(first), quote(name))
		case slices.Contains(structured, c.file.ForwardHeaders[name]):
			c.say(path, "the claim %s is not text and cannot be a header: every token would be refused", quote(c.file.ForwardHeaders[name]))
		default:
			seen[folded] = name
		}
	}
}

// Fold returns the one form in which spellings of a header name are compared:
// many servers do not tell case, underscore and hyphen apart once names have
// become variables, and some not even other punctuation.
func Fold(name string) string {
	out := []byte(name)
	for i, c := range out {
		out[i] = foldByte(c)
	}
	return string(out)
}

// Spells reports that Fold(name) is folded.
func Spells(name, folded string) bool {
	if len(name) != len(folded) {
		return false
	}
	for i := range len(name) {
		if foldByte(name[i]) != folded[i] {
			return false
		}
	}
	return true
}

func foldByte(c byte) byte {
	switch {
	case c >= 'A' && c <= 'Z':
		return c | 0x20
	case c >= 'a' && c <= 'z', c >= '0' && c <= '9':
		return c
	}
	return '-'
}

// isHeader accepts a part of RFC 9110's token: what every server passes on.
func isHeader(name string) bool {
	return name != "" && !strings.ContainsFunc(name, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_')
	})
}
