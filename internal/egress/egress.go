// Package egress is the one HTTP client that talks to authorization servers.
// It answers for where a request may go and how much may come back: https
// only, no private addresses unless allowed, checked when the connection is
// made, no redirects, no cookies, no proxy of the environment, bounded time and
// size.
package egress

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
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
	RootCAs      *x509.CertPool // nil: those of the system
	Proxy        *url.URL       // http or https; nil: none, whatever the environment says
	Timeout      time.Duration  // of a whole exchange; 0: DefaultTimeout
	MaxBytes     int64          // of a body; 0: DefaultMaxBytes
	Done         func(Call)     // told after each exchange; must not block
}

// Call is one finished exchange.
type Call struct {
	Host   string
	Status int // 0 if there was no answer
	Took   time.Duration
	Err    error
}

// Response is an answer that was read to its end.
type Response struct {
	Status int
	Header http.Header
	Body   string
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
	if cfg.Timeout < 0 || cfg.MaxBytes < 0 {
		return nil, errors.New("timeout and size must not be negative")
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = DefaultTimeout // [JK-07]
	}
	if cfg.MaxBytes == 0 {
		cfg.MaxBytes = DefaultMaxBytes // [JK-07]
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
		DialContext: dialer.DialContext,
		TLSClientConfig: &tls.Config{
			MinVersion: tls.VersionTLS12,
			RootCAs:    c.config.RootCAs, // [JK-04]
		},
		DisableCompression:     true, // [JK-07]
		MaxResponseHeaderBytes: maxHeaderBytes,
		MaxIdleConnsPerHost:    2,
		IdleConnTimeout:        idleTimeout,
	}
	if c.config.Proxy != nil {
		t.Proxy = http.ProxyURL(c.config.Proxy)
	} else {
		dialer.Control = c.guard(plain) // [JK-06]
	}
	return t
}

// CloseIdle closes connections that no exchange uses.
func (c *Client) CloseIdle() {
	c.secure.CloseIdleConnections()
	c.plain.CloseIdleConnections()
}

// Get fetches a document. It returns an error for every redirect; any other
// status is the caller's to judge. Errors never contain the URL.
func (c *Client) Get(ctx context.Context, rawURL string) (Response, error) {
	u, err := c.target(rawURL)
	if err != nil {
		return Response{}, err
	}
	began := time.Now()
	resp, err := c.get(ctx, u)
	if c.config.Done != nil {
		c.config.Done(Call{Host: u.Host, Status: resp.Status, Took: time.Since(began), Err: err})
	}
	return resp, err
}

func (c *Client) get(ctx context.Context, u *url.URL) (Response, error) {
	ctx, cancel := context.WithTimeout(ctx, c.config.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return Response{}, ErrURL
	}
	req.Header.Set("Accept", "application/json, application/*+json")
	req.Header.Set("User-Agent", "bearward")
	transport := c.secure
	if u.Scheme == "http" {
		transport = c.plain
	}
	// A bare RoundTrip has no cookies and follows nothing.
	answer, err := transport.RoundTrip(req)
	if err != nil {
		return Response{}, err
	}
	defer func() { _ = answer.Body.Close() }()
	out := Response{Status: answer.StatusCode, Header: answer.Header}
	if answer.StatusCode/100 == 3 { // [JK-07]
		return out, ErrRedirect
	}
	out.Body, err = c.read(answer)
	return out, err
}

func (c *Client) read(answer *http.Response) (string, error) {
	most := c.config.MaxBytes
	body, err := io.ReadAll(io.LimitReader(answer.Body, most+1))
	if err != nil {
		return "", fmt.Errorf("reading the body: %w", err)
	}
	if int64(len(body)) > most { // [JK-07]
		return "", ErrTooLarge
	}
	return string(body), nil
}
