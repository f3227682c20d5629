package bearwardtest

import (
	"crypto/rand"
	"log/slog"
	"strings"
	"testing"

	"github.com/bearward/bearward"
	"github.com/bearward/bearward/internal/issuer"
	"github.com/bearward/bearward/introspect"
	"github.com/bearward/bearward/middleware"
	"github.com/bearward/bearward/validate/dpop"
)

// Config describes an Issuer. The zero value is complete.
type Config struct {
	Resource   string   // the API that tokens are for; default https://api.example.test
	Path       string   // of the issuer identifier, "/realms/a" for example; default none
	Algorithms []string // RS256, PS256, ES256, ES384, ES512, Ed25519, EdDSA; the first signs; default ES256
	Clock      *Clock   // to share one among issuers; default a new one
}

// Issuer is a running authorization server, as far as an API sees it. It is
// safe for concurrent use. Its methods fail the test where they cannot do what
// they are asked for.
type Issuer struct {
	URL   string // the issuer identifier, equal to the claim iss
	Clock *Clock // dates tokens and answers, and is the clock of Guard

	tb       testing.TB
	resource string
	server   *issuer.Server
	log      *slog.Logger
	client   issuer.Client // the API, as the introspection endpoint knows it
	prefix   string        // of opaque tokens
}

// NewIssuer starts an issuer on a free loopback port. It stops when the test
// ends. At most one Config is used.
func NewIssuer(tb testing.TB, config ...Config) *Issuer {
	tb.Helper()
	c := one(tb, config)
	if c.Resource == "" {
		c.Resource = issuer.DefaultAudience
	}
	if c.Clock == nil {
		c.Clock = new(Clock)
	}
	client := issuer.Client{ID: "api", Secret: rand.Text()}
	// A prefix of its own lets issuers with opaque tokens stand side by side.
	prefix := "opaque_" + strings.ToLower(rand.Text()[:8]) + "_"
	server, err := issuer.Start(issuer.Config{
		Path: c.Path, Algorithms: c.Algorithms, Audience: c.Resource, Now: c.Clock.Now,
		Clients: []issuer.Client{client}, OpaquePrefix: prefix, Phantom: true, TokenInfo: true,
	})
	if err != nil {
		tb.Fatalf("bearwardtest: %v", err)
	}
	tb.Cleanup(func() { _ = server.Close() })
	return &Issuer{
		URL: server.URL(), Clock: c.Clock, tb: tb, resource: c.Resource, server: server, log: newLog(tb),
		client: client, prefix: prefix,
	}
}

func one[T any](tb testing.TB, config []T) (c T) {
	tb.Helper()
	switch len(config) {
	case 0:
	case 1:
		c = config[0]
	default:
		tb.Fatalf("bearwardtest: %d configurations, at most one is used", len(config))
	}
	return c
}

// Config returns the configuration of a guard that accepts this issuer's
// tokens for its resource, JWTs and opaque ones, as Bearer or with DPoP proofs, lives
// by its clock, and says in the test's output why it refuses. Change it as you like:
//
//	cfg := a.Config()
//	cfg.Issuers[0].Introspection.Every = time.Minute
//	cfg.Issuers = append(cfg.Issuers, b.Config().Issuers...)
//	guard := a.Guard(cfg)
func (i *Issuer) Config() bearward.Config {
	return bearward.Config{
		Resource: i.resource,
		Issuers: []bearward.Issuer{{
			URL: i.URL, AllowHTTP: true, OpaquePrefix: i.prefix,
			Introspection: &bearward.Introspection{
				Endpoint: i.server.IntrospectionEndpoint(),
				Auth:     introspect.Auth{Method: introspect.Basic, ClientID: i.client.ID, Secret: i.client.Secret},
			},
		}},
		DPoP:   &dpop.Config{},
		Clock:  i.Clock.Now,
		Logger: i.log,
	}
}

// Guard returns a guard of this configuration, or of Config without one. It is
// closed when the test ends. Resource, Issuers, Clock and Logger are taken from
// Config where they are not set; DPoP is not, so that it can be off.
func (i *Issuer) Guard(config ...bearward.Config) *middleware.Guard {
	i.tb.Helper()
	base := i.Config()
	c := base
	if len(config) > 0 {
		c = one(i.tb, config)
	}
	if c.Resource == "" {
		c.Resource = base.Resource
	}
	if len(c.Issuers) == 0 {
		c.Issuers = base.Issuers
	}
	if c.Clock == nil {
		c.Clock = base.Clock
	}
	if c.Logger == nil {
		c.Logger = base.Logger
	}
	guard, err := bearward.New(i.tb.Context(), c)
	if err != nil {
		i.tb.Fatalf("bearwardtest: %v", err)
	}
	i.tb.Cleanup(func() { _ = guard.Close() })
	return guard
}

// Rotate makes new signing keys. The old ones stay published, as they do at
// real issuers, until Remove. A guard fetches the keys again for the first
// token that names a new one, at most once per 30 s: between two rotations
// advance the Clock by a minute.
func (i *Issuer) Rotate() {
	i.tb.Helper()
	if err := i.server.Rotate(); err != nil {
		i.tb.Fatalf("bearwardtest: %v", err)
	}
}

// Remove withdraws the published keys with these kids, or, without any, all
// that no longer sign. A guard sees it when it fetches the next time: after
// Rotate with the first new token, or, at once and in any case, with the first
// token after the Clock was advanced by 25 hours.
func (i *Issuer) Remove(kids ...string) { i.server.Remove(kids...) }

// KeyID returns the kid of the key that signs now.
func (i *Issuer) KeyID() string { return i.server.KeyID("") }

// Requests returns how often a path of the issuer was asked for, "/jwks" or
// "/introspect" for example; with "" how often any was.
func (i *Issuer) Requests(path string) int { return i.server.Requests(path) }
