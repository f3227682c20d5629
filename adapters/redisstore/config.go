package redisstore

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Defaults of Config.
const (
	DefaultPrefix  = "bearward:"
	DefaultTimeout = 250 * time.Millisecond
)

const (
	minTimeout   = time.Millisecond
	maxTimeout   = 5 * time.Second
	maxPrefix    = 64 // bytes
	maxDatabases = 1 << 16
)

// Config says where Redis is. Only URL is required.
type Config struct {
	// URL is redis://host:port/db, rediss://host:port/db or
	// unix:///path/to/socket?db=0, with user:password@ before the host or the
	// path where Redis wants them. Port and db may be left out.
	URL string

	Prefix  string           // of every key: letters, digits and ":._-"; default "bearward:"
	Timeout time.Duration    // of one operation, connecting included, at most 5 s; default 250 ms
	RootCAs *x509.CertPool   // with rediss; nil: those of the system
	Logger  *slog.Logger     // nil: slog.Default
	Clock   func() time.Time // nil: time.Now
}

// place is what a URL says.
type place struct {
	network, address string
	user, password   string
	db               int
	tls              *tls.Config
}

// prepare fills in defaults and returns all faults at once. No fault shows the
// URL: it may hold a password.
func (c Config) prepare() (Config, place, error) {
	if c.Prefix == "" {
		c.Prefix = DefaultPrefix
	}
	if c.Timeout == 0 {
		c.Timeout = DefaultTimeout
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Clock == nil {
		c.Clock = time.Now
	}
	at, err := parse(c.URL)
	faults := []error{err}
	if len(c.Prefix) > maxPrefix || strings.Trim(c.Prefix, plain) != "" {
		faults = append(faults, fmt.Errorf("the prefix of keys is at most %d letters, digits and \":._-\"", maxPrefix))
	}
	if c.Timeout < minTimeout || c.Timeout > maxTimeout {
		faults = append(faults, fmt.Errorf("the timeout %v is not between %v and %v", c.Timeout, minTimeout, maxTimeout))
	}
	switch {
	case at.tls != nil:
		at.tls.RootCAs = c.RootCAs
	case c.RootCAs != nil && err == nil:
		faults = append(faults, errors.New("root CAs are of no use without rediss"))
	}
	return c, at, errors.Join(faults...)
}

const plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789:._-"

func parse(rawURL string) (at place, err error) {
	u, err := url.Parse(rawURL)
	if err != nil || u.Opaque != "" || u.Fragment != "" { // its own error quotes the URL
		return at, errors.New("the URL of Redis is malformed")
	}
	at.user = u.User.Username()
	at.password, _ = u.User.Password()
	if at.user != "" && at.password == "" {
		return at, errors.New("the URL of Redis has a user without a password")
	}
	db := strings.TrimPrefix(u.Path, "/")
	switch u.Scheme {
	case "redis", "rediss":
		if u.Hostname() == "" || u.RawQuery != "" {
			return at, errors.New("the URL of Redis has no host, or has a query")
		}
		port := u.Port()
		if port == "" {
			port = "6379"
		}
		at.network, at.address = "tcp", net.JoinHostPort(u.Hostname(), port)
		if u.Scheme == "rediss" {
			at.tls = &tls.Config{ServerName: u.Hostname(), MinVersion: tls.VersionTLS12}
		}
	case "unix":
		if u.Host != "" || u.Path == "" {
			return at, errors.New("the URL of a unix socket is unix:///path/to/socket")
		}
		at.network, at.address = "unix", u.Path
		query := u.Query()
		if db = query.Get("db"); len(query) > 1 || len(query) == 1 && db == "" {
			return at, errors.New("the URL of a unix socket has a query other than db")
		}
	default:
		return at, errors.New("the URL of Redis begins with redis, rediss or unix")
	}
	if db != "" {
		at.db, err = strconv.Atoi(db)
	}
	if err != nil || at.db < 0 || at.db >= maxDatabases {
		return at, errors.New("the URL of Redis names no database by number")
	}
	return at, nil
}
