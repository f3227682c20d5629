package mtls

import (
	"crypto/x509"
	"errors"
	"strings"

	"github.com/bearward/bearward/internal/recent"
)

// Limits, in bytes of text.
const (
	maxCertificate = 16 << 10 // one certificate
	maxChain       = 64 << 10 // a header that may hold several
	maxRemembered  = 8 << 10  // longer ones are parsed each time
)

var (
	errRepeated    = errors.New("the header came more than once")
	errSize        = errors.New("the header is too long")
	errFormat      = errors.New("unknown format")
	errCertificate = errors.New("not exactly one DER certificate")
)

// spelling is a certificate as a proxy wrote it.
type spelling struct {
	format Format
	text   string
}

// parsed remembers certificates, so that repeats are neither parsed nor hashed
// again: the pointer stays the same.
var parsed = recent.New[spelling, *x509.Certificate](512)

// Parse reads the client's certificate out of all values of the header, which a
// trusted proxy sent. Without an error, nil is the proxy's word that there is no
// certificate. Its signature and its dates are not judged: possession was proven
// to the proxy (RFC 8705 §6.2). Errors are fixed texts without any part of the
// header. The certificate is shared and must not be changed. Safe for concurrent
// use.
func (h Header) Parse(values []string) (*x509.Certificate, error) {
	if len(values) == 0 {
		return nil, nil //nolint:nilnil // no certificate is an answer
	}
	if len(values) > 1 { // [MT-08 MT-12]
		return nil, errRepeated
	}
	text := strings.Trim(values[0], " \t")
	if h.Format.absent(text) { // [MT-08]
		return nil, nil //nolint:nilnil // no certificate is an answer
	}
	if len(text) > h.Format.limit() { // [MT-12]
		return nil, errSize
	}
	if cert, ok := parsed.Get(spelling{h.Format, text}); ok {
		return cert, nil
	}
	der, err := h.Format.der(text)
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(der) // refuses what follows the certificate
	if err != nil {                         // [MT-08 MT-12 MT-13]
		return nil, errCertificate
	}
	if len(text) <= maxRemembered {
		parsed.Put(spelling{h.Format, strings.Clone(text)}, cert)
	}
	return cert, nil
}

// der returns the certificate's bytes out of the text of a header.
func (f Format) der(text string) ([]byte, error) {
	switch f {
	case RFC9440:
		return fromSequence(text)
	case PEMURLEncoded:
		return fromEscaped(text)
	case PEMOneLine:
		return fromPEM(text)
	case XFCC:
		return fromElement(text)
	case Base64DER:
		return fromChain(text)
	}
	return nil, errFormat // [MT-12]
}

func (f Format) limit() int {
	if f == XFCC || f == Base64DER {
		return maxChain
	}
	return maxCertificate
}

// absent reports what proxies write when the client showed no certificate: no
// text, "(null)" (Apache), "-" (Envoy) and a placeholder that nothing was put in for
// (Caddy), each as it is or, with RFC 9440, between the colons that the operator
// wrote around it. None of them can be a certificate.
func (f Format) absent(text string) bool {
	if f == RFC9440 && len(text) > 1 && text[0] == ':' && text[len(text)-1] == ':' {
		text = text[1 : len(text)-1]
	}
	switch text {
	case "", "-", "(null)":
		return true
	}
	return isPlaceholder(text)
}

// isPlaceholder reports {http.request.tls.client.certificate_der_base64},
// %{SSL_CLIENT_CERT}s and their like.
func isPlaceholder(text string) bool {
	name, ok := strings.CutSuffix(text, "}s")
	if ok {
		name, ok = strings.CutPrefix(name, "%{")
	} else if name, ok = strings.CutSuffix(text, "}"); ok {
		name, ok = strings.CutPrefix(name, "{")
	}
	return ok && name != "" && !strings.ContainsFunc(name, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' || r == '_')
	})
}
