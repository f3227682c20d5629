package doctor

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/url"

	"github.com/bearward/bearward/internal/egress"
)

// What keeps a server from being reached. {what} is what is fetched, {host}
// where.
var (
	privateAddress = define("private_address", Error, "{what} is at {host}, a private or loopback address, which is not asked", "{path}allow_private: true, if {host} is your own server")
	specialAddress = define("special_address", Error, "{what} is at {host}, an address that is never asked", "{key}: a URL of the server, at an address that it has for others")
	plainHTTP      = define("plain_http", Error, "{what} is at {host} over plain http", "{key}: an https URL; for development {path}allow_http: true, which permits loopback and private addresses only")
	authority      = define("tls_authority", Error, "the certificate of {host} is signed by an authority that is not trusted here ({issuer})", "{ca}: the PEM file of that authority")
	wrongName      = define("tls_name", Error, "the certificate of {host} is for other names ({names})", "{key}: a URL with one of these names, or a certificate for {host}")
	expired        = define("tls_expired", Error, "the certificate of {host} is not valid now: from {from} until {until}", "renew the certificate of {host}; if it is new, set the clock of this machine")
	badTLS         = define("tls_failed", Error, "no TLS connection to {host}: {error}", "{key}: a URL whose server speaks TLS 1.2 or 1.3")
	noName         = define("name_unknown", Error, "the name {host} is not resolved", "{key}: a name that this machine resolves, or repair its DNS")
	noConnection   = define("no_connection", Error, "no connection to {host} for {what}", "{key}: where the server listens; and let this machine through to it (firewall, network policy)")
	tooSlow        = define("timeout", Error, "{what} at {host} was not there in time", "see why {host} is slow or a firewall is silent; doctor waits longer with --timeout")
	redirected     = define("redirect", Error, "{what} at {host} answers with a redirect, which is not followed", "{moved}: {location}")
	tooLarge       = define("too_large", Error, "{what} at {host} is larger than is read", "{key}: the URL of the document itself")
	unreachable    = define("unreachable", Error, "{what} at {host} cannot be had: {error}", "{key}: a URL that answers")
)

// place is what was asked for.
type place struct {
	what  string // in a sentence
	url   string
	key   string // of the file, with the path before it
	moved string // key for another place of the same; "" is key
	path  string // of the issuer in the file
	ca    string // key of the authorities in the file
}

// failed says why nothing came.
func (e *exam) failed(p place, resp egress.Response, err error) {
	host := p.url
	if u, err := url.Parse(p.url); err == nil && u.Host != "" {
		host = u.Host
	}
	words := func(more ...string) []string {
		return append([]string{"what", p.what, "host", host, "key", p.key, "moved", cmp.Or(p.moved, p.key), "path", p.path, "ca", p.ca}, more...)
	}
	if e.untrusted(err, words) {
		return
	}
	var dns *net.DNSError
	var record tls.RecordHeaderError
	var alert tls.AlertError
	var timeout net.Error
	switch {
	case errors.Is(err, egress.ErrScheme):
		e.say(plainHTTP, words()...)
	case errors.Is(err, egress.ErrAddress) && special(p.url):
		e.say(specialAddress, words()...)
	case errors.Is(err, egress.ErrAddress):
		e.say(privateAddress, words()...)
	case errors.Is(err, egress.ErrRedirect):
		e.say(redirected, words("location", resp.Header.Get("Location"))...)
	case errors.Is(err, egress.ErrTooLarge):
		e.say(tooLarge, words()...)
	case errors.As(err, &record), errors.As(err, &alert):
		e.say(badTLS, words("error", describe(err))...)
	case errors.As(err, &dns):
		e.say(noName, words()...)
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		e.say(tooSlow, words()...)
	case egress.Describe(err) == "no connection to the server":
		e.say(noConnection, words()...)
	default:
		e.say(unreachable, words("error", describe(err))...)
	}
}

// untrusted says what is wrong with a certificate.
func (e *exam) untrusted(err error, words func(...string) []string) bool {
	var (
		unknown x509.UnknownAuthorityError
		name    x509.HostnameError
		invalid x509.CertificateInvalidError
		other   *tls.CertificateVerificationError
	)
	switch {
	case errors.As(err, &name):
		e.say(wrongName, words("names", names(name.Certificate))...)
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		e.say(expired, words("from", day(invalid.Cert.NotBefore), "until", day(invalid.Cert.NotAfter))...)
	case errors.As(err, &unknown):
		e.say(authority, words("issuer", signer(unknown.Cert))...)
	case errors.As(err, &invalid), errors.As(err, &other):
		e.say(badTLS, words("error", "its certificate is not accepted")...)
	default:
		return false
	}
	return true
}

func describe(err error) string {
	if s := egress.Describe(err); s != "" {
		return s
	}
	return "the answer is not HTTP"
}
