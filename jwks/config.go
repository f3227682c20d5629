package jwks

import (
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/bearward/bearward/internal/egress"
	"github.com/bearward/bearward/internal/jose"
	"github.com/bearward/bearward/validate"
)

// Defaults of Config.
const (
	DefaultRefresh  = 15 * time.Minute
	DefaultCooldown = 30 * time.Second
	DefaultMaxStale = 24 * time.Hour
)

// Config says where the keys of one issuer come from. Only Issuer is required.
type Config struct {
	// Issuer is exactly as in the tokens' iss. Where a provider has one document
	// for many tenants, it is as in that document, with {tenantid}; then
	// DiscoveryURL or JWKSURL is required.
	Issuer       string
	DiscoveryURL string   // metadata document; default: the well-known places of RFC 8414 and OIDC
	JWKSURL      string   // the key set itself; no metadata is fetched then
	Algorithms   []string // allow-list; nil: validate.DefaultAlgorithms

	AllowPrivate bool           // https to private and loopback addresses too
	AllowHTTP    bool           // implies AllowPrivate; plain http to such addresses only
	RootCAs      *x509.CertPool // nil: those of the system
	Proxy        *url.URL       // http or https; the environment is not read

	Refresh  time.Duration // freshness where the server names none, 1 min to 24 h; 0: DefaultRefresh
	Cooldown time.Duration // between fetches for unknown kids; 0: DefaultCooldown
	MaxStale time.Duration // how long the last good set is used, at least 1 min; 0: DefaultMaxStale

	Now    func() time.Time // nil: time.Now
	Logger *slog.Logger     // nil: slog.Default
}

// prepare fills in defaults and returns all faults at once.
func (c Config) prepare() (Config, *egress.Client, error) {
	faults := []error{checkIssuer(c.Issuer, c.AllowHTTP)}
	client, err := egress.New(egress.Config{
		AllowPrivate: c.AllowPrivate, AllowHTTP: c.AllowHTTP, RootCAs: c.RootCAs, Proxy: c.Proxy,
	})
	if err != nil {
		faults = append(faults, err)
	} else {
		faults = append(faults, checkURL(client, "discovery URL", c.DiscoveryURL), checkURL(client, "JWKS URL", c.JWKSURL))
		if c.DiscoveryURL == "" && c.JWKSURL == "" && faults[0] == nil {
			faults = append(faults, checkPlace(client, c.Issuer))
		}
	}
	c.Algorithms, err = allowList(c.Algorithms)
	faults = append(faults, err,
		orDefault("refresh", &c.Refresh, DefaultRefresh),
		within("refresh", c.Refresh, minFresh, maxFresh),
		orDefault("cooldown", &c.Cooldown, DefaultCooldown),
		orDefault("max_stale", &c.MaxStale, DefaultMaxStale),
		within("max_stale", c.MaxStale, minFresh, math.MaxInt64))
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return c, client, errors.Join(faults...)
}

// checkIssuer holds an issuer to RFC 8414 §2.
func checkIssuer(issuer string, allowHTTP bool) error {
	u, err := url.Parse(issuer)
	if err != nil || u.Hostname() == "" || u.Opaque != "" || u.User != nil {
		return errors.New("issuer is not a URL with a host and without a user")
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !allowHTTP) { // [JK-01]
		return fmt.Errorf("issuer %s is not https (AllowHTTP permits http to loopback and private addresses)", issuer)
	}
	if strings.ContainsAny(issuer, "?#") { // [JK-01]
		return fmt.Errorf("issuer %s has a query or a fragment", issuer)
	}
	return nil
}

// checkPlace checks an issuer whose metadata is to be found by its name.
func checkPlace(client *egress.Client, issuer string) error {
	if validate.IsTemplate(issuer) { // [JK-22]
		return errors.New("an issuer with {tenantid} has no well-known place: a discovery URL or a JWKS URL is required")
	}
	return checkURL(client, "issuer", issuer)
}

func checkURL(client *egress.Client, what, rawURL string) error {
	if rawURL == "" {
		return nil
	}
	if err := client.Check(rawURL); err != nil { // [JK-04 JK-06]
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// allowList returns the canonical names, each once.
func allowList(names []string) ([]string, error) {
	if names == nil {
		names = validate.DefaultAlgorithms()
	}
	if len(names) == 0 { // [JO-01]
		return nil, errors.New("the list of algorithms is empty")
	}
	list := make([]string, 0, len(names))
	for _, name := range names {
		if !jose.Known(name) { // [JO-01 JO-03 JO-04]
			return nil, fmt.Errorf("algorithm %q cannot be allowed with a key set", name)
		}
		if alg := jose.Canonical(name); !slices.Contains(list, alg) {
			list = append(list, alg)
		}
	}
	return list, nil
}

// within catches a number without its unit, which would ask the server without
// a pause.
func within(name string, d, least, most time.Duration) error {
	switch {
	case d < 0: // told already
	case d < least:
		return fmt.Errorf("%s of %v is below %v", name, d, least)
	case d > most:
		return fmt.Errorf("%s of %v is above %v", name, d, most)
	}
	return nil
}

func orDefault(name string, d *time.Duration, def time.Duration) error {
	if *d < 0 {
		return fmt.Errorf("%s is negative", name)
	}
	if *d == 0 {
		*d = def
	}
	return nil
}
