package mtls

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Format is how a proxy writes the client's certificate into a header.
type Format string

// The formats.
const (
	RFC9440       Format = "rfc9440"        // Client-Cert: base64 DER between colons (RFC 9440 §2.1)
	PEMURLEncoded Format = "pem-urlencoded" // nginx: $ssl_client_escaped_cert
	PEMOneLine    Format = "pem-oneline"    // Apache: %{SSL_CLIENT_CERT}s, line ends replaced by spaces
	XFCC          Format = "xfcc"           // Envoy: X-Forwarded-Client-Cert with Cert
	Base64DER     Format = "base64-der"     // HAProxy: %[ssl_c_der,base64]; Traefik: a chain joined by commas, the client's first
)

// Header says which header of a trusted proxy has the client's certificate. The
// zero Header: none.
type Header struct {
	Name   string // Client-Cert, for example
	Format Format
}

// taken are the headers that belong to somebody else: HTTP itself, credentials,
// and what proxies say about other things.
var taken = []string{
	"accept", "accept-charset", "accept-encoding", "accept-language", "age", "allow", "authorization", "cache-control",
	"client-cert-chain", "connection", "content-encoding", "content-length", "content-location", "content-range",
	"content-type", "cookie", "date", "dpop", "dpop-nonce", "early-data", "expect", "forwarded", "host", "http2-settings",
	"keep-alive", "max-forwards", "origin", "pragma", "proxy-authenticate", "proxy-authorization", "proxy-connection",
	"range", "referer", "set-cookie", "te", "trailer", "transfer-encoding", "upgrade", "user-agent", "via",
	"www-authenticate", "x-forwarded-for", "x-forwarded-host", "x-forwarded-method", "x-forwarded-port",
	"x-forwarded-prefix", "x-forwarded-proto", "x-forwarded-server", "x-forwarded-uri", "x-real-ip",
}

// families are prefixes of names that are taken.
var families = []string{"access-control-", "grpc-", "if-", "sec-", "x-original-"}

// Check returns the faults of the configuration, all at once.
func (h Header) Check() error {
	if h == (Header{}) {
		return nil
	}
	var faults []error
	name := strings.ReplaceAll(strings.ToLower(h.Name), "_", "-")
	begins := func(family string) bool { return strings.HasPrefix(name, family) }
	switch {
	case h.Name == "":
		faults = append(faults, errors.New("mtls: a format of certificates without the name of their header"))
	case !isToken(h.Name):
		faults = append(faults, fmt.Errorf("mtls: %q is no header name", h.Name))
	case slices.Contains(taken, name), slices.ContainsFunc(families, begins):
		faults = append(faults, fmt.Errorf("mtls: header %q has a meaning of its own and cannot carry a certificate", h.Name))
	}
	switch h.Format {
	case RFC9440, PEMURLEncoded, PEMOneLine, XFCC, Base64DER:
	case "":
		faults = append(faults, fmt.Errorf("mtls: header %q without the format of its certificates", h.Name))
	default: // [MT-12]
		faults = append(faults, fmt.Errorf("mtls: format %q is not rfc9440, pem-urlencoded, pem-oneline, xfcc or base64-der", h.Format))
	}
	return errors.Join(faults...)
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
