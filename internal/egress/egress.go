// Package egress is the one HTTP client that talks to authorization servers.
// It answers for where a request may go and how much may come back: https
// only, no private addresses unless allowed, checked when the connection is
// made, no redirects, no cookies, no proxy of the environment, bounded time and
// size.
package egress

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/url"
	"time"
)

const (
	// DefaultTimeout bounds one exchange from dialling to the last byte.
	DefaultTimeout = 5 * time.Second
	// DefaultMaxBytes is the largest body that is read.
	DefaultMaxBytes = 1 << 20
	// DefaultMaxIdlePerHost is how many unused connections to one server stay.
	DefaultMaxIdlePerHost = 2

	maxHeaderBytes = 64 << 10
	idleTimeout    = 30 * time.Second
)

var (
	// ErrURL says that a URL is not an absolute one without user and fragment.
	ErrURL = errors.New("unusable URL")
	// ErrScheme says that a URL is not https and plain http is not allowed, or
	// not to this target.
	ErrScheme = errors.New("https is required: AllowHTTP (allow_http) permits http to loopback and private addresses")
	// ErrAddress says that a target is a private, loopback or special address.
	ErrAddress = errors.New("address is not allowed: AllowPrivate (allow_private) permits loopback and private ones")
	// ErrPublic says that a target is not a private or loopback address and only
	// such are allowed.
	ErrPublic = errors.New("only private and loopback addresses are allowed here")
	// ErrRedirect says that the server answered with a redirect.
	ErrRedirect = errors.New("redirects are not followed")
	// ErrTooLarge says that the body is longer than is read.
	ErrTooLarge = errors.New("response is too large")
	// ErrProxy says that the configured proxy is not an http or https URL.
	ErrProxy = errors.New("unusable proxy URL")
)

// Config says where a Client may go. The zero value is the strictest.
type Config struct {
	AllowPrivate bool           // https to private and loopback addresses too
	AllowHTTP    bool           // implies AllowPrivate; plain http to such addresses only
	OnlyPrivate  bool           // nothing else is reached; for requests without credentials
	RootCAs      *x509.CertPool // nil: those of the system
	Proxy        *url.URL       // http or https; nil: none, whatever the environment says

	// Connect is dialled in place of the host and port of a URL, HOST:PORT; "":
	// those are. TLS and Host are the URL's. It is for one server.
	Connect string

	// Certificate is shown to every server that asks for one, whichever
	// authorities it names (RFC 8705); nil: none.
	Certificate *tls.Certificate

	Timeout        time.Duration // of a whole exchange; 0: DefaultTimeout
	MaxBytes       int64         // of a body; 0: DefaultMaxBytes
	MaxIdlePerHost int           // 0: DefaultMaxIdlePerHost
	Done           func(Call)    // told after each exchange; must not block
}

// Client is safe for concurrent use.
type Client struct {
	config        Config
	secure, plain *http.Transport
}

// New checks cfg and makes no connection.
func New(cfg Config) (*Client, error) {
	if p := cfg.Proxy; p != nil && (p.Scheme != "http" && p.Scheme != "https" || p.Hostname() == "") {
		return nil, ErrProxy
	}
	if cfg.Timeout < 0 || cfg.MaxBytes < 0 || cfg.MaxIdlePerHost < 0 {
		return nil, errors.New("timeout, size and connections must not be negative")
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = DefaultTimeout // [JK-07]
	}
	if cfg.MaxBytes == 0 {
		cfg.MaxBytes = DefaultMaxBytes // [JK-07]
	}
	if cfg.MaxIdlePerHost == 0 {
		cfg.MaxIdlePerHost = DefaultMaxIdlePerHost
	}
	cfg.AllowPrivate = cfg.AllowPrivate || cfg.AllowHTTP
	c := &Client{config: cfg}
	c.secure, c.plain = c.transport(false), c.transport(true)
	return c, nil
}

// transport returns a transport of HTTP/1.1. Proxied connections go to the
// proxy only, so its address is exempt from the guard.
func (c *Client) transport(plain bool) *http.Transport {
	dialer := &net.Dialer{Timeout: c.config.Timeout}
	t := &http.Transport{
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			return dialer.DialContext(ctx, network, cmp.Or(c.config.Connect, address))
		},
		TLSClientConfig: &tls.Config{
			MinVersion: tls.VersionTLS12,
			RootCAs:    c.config.RootCAs, // [JK-04]
		},
		DisableCompression:     true, // [JK-07]
		MaxResponseHeaderBytes: maxHeaderBytes,
		MaxIdleConnsPerHost:    c.config.MaxIdlePerHost,
		IdleConnTimeout:        idleTimeout,
	}
	if c.config.Certificate != nil {
		t.TLSClientConfig.GetClientCertificate = c.certificate // [IN-02]
	}
	if c.config.Proxy != nil {
		t.Proxy = http.ProxyURL(c.config.Proxy)
	} else {
		dialer.Control = c.guard(plain) // [JK-06]
	}
	return t
}

func (c *Client) certificate(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
	return c.config.Certificate, nil
}

// CloseIdle closes connections that no exchange uses.
func (c *Client) CloseIdle() {
	c.secure.CloseIdleConnections()
	c.plain.CloseIdleConnections()
}
