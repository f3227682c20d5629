package introspect

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/bearward/bearward/internal/egress"
	"github.com/bearward/bearward/internal/jose"
	"github.com/bearward/bearward/validate"
)

// The defaults and bounds of Config.
const (
	defaultPositive = 30 * time.Second
	maxPositive     = 5 * time.Minute
	defaultNegative = 5 * time.Second
	maxNegative     = 10 * time.Second
	defaultEntries  = 100_000
	maxEntries      = 10_000_000

	defaultParallel  = 64
	defaultPerSecond = 500
	defaultTimeout   = 3 * time.Second
	minTimeout       = time.Millisecond
	maxTimeout       = 30 * time.Second

	minSharedKey = 32
)

// The dialects of validate.AnswerHabits.
const (
	tokenInfo = "tokeninfo"
	phantom   = "phantom"
)

// prepare fills in the defaults and returns all faults at once.
func (c *Config) prepare() (Config, error) {
	own := *c
	c = &own
	c.keepOwn()
	if c.SignedResponse == "" {
		c.SignedResponse = Off
	}
	answers, err := validate.NewAnswers(c.Token)
	faults := []error{c.Auth.check()}
	if err == nil {
		faults = append(faults, c.checkDialect(answers))
	}
	faults = append(faults, c.prepareSigned(), c.checkPlaces(), c.checkShared(), c.Cache.prepare(), c.Limits.prepare())
	if c.Token.Clock == nil {
		c.Token.Clock = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if fault := errors.Join(faults...); fault != nil {
		err = errors.Join(err, fmt.Errorf("introspection: %w", fault))
	}
	if err != nil {
		return Config{}, err
	}
	return own, nil
}

// keepOwn makes lists that the caller may write into later our own: Serves compares
// with what was judged by.
func (c *Config) keepOwn() {
	t := &c.Token
	for _, list := range []*[]string{&t.Audience, &t.ClientIDs, &t.Tenants} {
		*list = slices.Clone(*list)
	}
	t.Require = maps.Clone(t.Require)
	for claim, values := range t.Require {
		t.Require[claim] = slices.Clone(values)
	}
	c.SharedKey = slices.Clone(c.SharedKey)
}

// checkDialect wants what the way of asking needs, and nothing that it would
// not use.
func (c *Config) checkDialect(answers *validate.Answers) error {
	var faults []error
	fault := func(text string) { faults = append(faults, errors.New(text)) }
	dialect := answers.Dialect()
	switch dialect {
	case tokenInfo:
		if c.Auth.Method != None {
			fault("tokeninfo takes no credentials: use method none")
		}
		if len(answers.ClientIDs()) == 0 {
			fault("tokeninfo answers about everybody's tokens: client ids are required")
		}
	case phantom:
		if c.Token.TrustServer {
			fault("trust_server means nothing here: this preset's answers are JWTs, whose audience is checked")
		}
	case "":
	default:
		fault("the preset's dialect " + dialect + " is not known")
	}
	if dialect != "" && c.SignedResponse != Off {
		fault("this preset's servers do not sign answers by RFC 9701")
	}
	if dialect == tokenInfo {
		return errors.Join(faults...)
	}
	if c.Auth.Method == None && !c.AllowPrivate && !c.AllowHTTP { // [IN-02]
		fault("method none is for loopback and private endpoints only, and needs AllowPrivate or AllowHTTP")
	}
	if c.Auth.Method == None && c.Proxy != nil { // [IN-02]
		fault("method none needs to see the endpoint's address and excludes a proxy")
	}
	return errors.Join(faults...)
}

// prepareSigned checks what verifies signatures and fills in its defaults.
func (c *Config) prepareSigned() error {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	switch c.SignedResponse {
	case Accept, Require:
		if c.Token.Keys == nil {
			fault("signed answers need the issuer's keys")
		}
		if len(c.SignedAudience) == 0 && c.Auth.ClientID != "" {
			c.SignedAudience = []string{c.Auth.ClientID}
		}
		if len(c.SignedAudience) == 0 || slices.Contains(c.SignedAudience, "") {
			fault("signed answers need an audience: a client id or SignedAudience")
		}
	case Off:
		if len(c.SignedAudience) != 0 {
			fault("SignedAudience is set and answers are not signed")
		}
	default:
		fault("signed response %q is not off, accept or require", c.SignedResponse)
	}
	if c.Token.Algorithms == nil {
		c.Token.Algorithms = validate.DefaultAlgorithms()
	}
	if len(c.Token.Algorithms) == 0 {
		fault("the list of algorithms is empty")
	}
	c.Token.Algorithms, c.SignedAudience = slices.Clone(c.Token.Algorithms), slices.Clone(c.SignedAudience)
	for i, alg := range c.Token.Algorithms {
		if !jose.Known(alg) { // [IN-19]
			fault("algorithm %q cannot be allowed", alg)
		}
		c.Token.Algorithms[i] = jose.Canonical(alg)
	}
	return errors.Join(faults...)
}

// checkPlaces checks where requests may go, without a call.
func (c *Config) checkPlaces() error {
	client, err := egress.New(egress.Config{AllowPrivate: c.AllowPrivate, AllowHTTP: c.AllowHTTP, Proxy: c.Proxy})
	if err != nil {
		return err
	}
	var faults []error
	check := func(what, rawURL string) {
		if rawURL == "" {
			return
		}
		if err := client.Check(rawURL); err != nil { // [IN-02]
			faults = append(faults, fmt.Errorf("%s: %w", what, err))
		}
	}
	check("endpoint", c.Endpoint)
	check("discovery URL", c.DiscoveryURL)
	if c.Endpoint == "" && c.DiscoveryURL == "" {
		check("issuer", c.Token.Issuer)
	}
	return errors.Join(faults...)
}

func (c *Config) checkShared() error {
	switch {
	case c.Shared == nil && c.SharedKey != nil:
		return errors.New("a shared key is set and no shared level")
	case c.Shared != nil && c.SharedKey == nil && c.Auth.Secret == "":
		return errors.New("a shared level needs SharedKey, because there is no client secret to derive a key from")
	case c.SharedKey != nil && len(c.SharedKey) < minSharedKey:
		return fmt.Errorf("the shared key has %d bytes, want at least %d", len(c.SharedKey), minSharedKey)
	}
	return nil
}

func (c *CacheConfig) prepare() error {
	if c.Entries < 0 {
		c.Positive = -1
	}
	if c.Entries <= 0 {
		c.Entries = defaultEntries
	}
	var fault error
	if c.Entries > maxEntries { // [CA-05]
		fault = fmt.Errorf("cache: entries is %d, at most %d", c.Entries, maxEntries)
	}
	return errors.Join(
		fault,
		setting("cache: positive", &c.Positive, defaultPositive, maxPositive),
		setting("cache: negative", &c.Negative, defaultNegative, maxNegative),
	)
}

func (l *Limits) prepare() error {
	var faults []error
	if l.Parallel < 0 || l.PerSecond < 0 || l.Timeout < 0 {
		faults = append(faults, errors.New("limits must not be negative"))
	}
	if l.Parallel == 0 {
		l.Parallel = defaultParallel
	}
	if l.PerSecond == 0 {
		l.PerSecond = defaultPerSecond
	}
	if l.Timeout > 0 && l.Timeout < minTimeout { // a number without its unit
		faults = append(faults, fmt.Errorf("timeout is %v, at least %v", l.Timeout, minTimeout))
	}
	return errors.Join(append(faults, setting("timeout", &l.Timeout, defaultTimeout, maxTimeout))...)
}

func setting(what string, value *time.Duration, usual, most time.Duration) error {
	if *value == 0 {
		*value = usual
	}
	if *value > most { // [IN-13]
		return fmt.Errorf("%s is %v, at most %v", what, *value, most)
	}
	return nil
}
