package server

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"time"

	"github.com/bearward/bearward"
	"github.com/bearward/bearward/internal/server/config"
	"github.com/bearward/bearward/internal/server/route"
	"github.com/bearward/bearward/jwks"
	"github.com/bearward/bearward/middleware"
	"github.com/bearward/bearward/validate"
)

// Service is a file put to use. It makes no call and listens nowhere; Close it.
type Service struct {
	Guard *middleware.Guard

	file        *config.File
	logger      *slog.Logger
	table       *route.Table
	policies    []middleware.Policy // of the rules, in their order
	certificate *tls.Certificate    // nil: plain http

	// Time, replaced by tests: that of the guard, of requests and of retries.
	clock  func() time.Time
	expire func(context.Context, time.Duration, error) (context.Context, context.CancelFunc)
	after  func(time.Duration) <-chan time.Time

	silence, linger time.Duration // bodySilence, lingerTimeout
}

// New opens the files that file names and makes the guard and its policies. A
// nil logger stands for slog.Default. All faults are reported at once, those
// with a place in the file as [config.Faults].
func New(ctx context.Context, file *config.File, logger *slog.Logger) (*Service, error) {
	if logger == nil {
		logger = slog.Default()
	}
	s := &Service{
		file: file, logger: logger, expire: context.WithTimeoutCause, after: time.After,
		silence: bodySilence, linger: lingerTimeout,
	}
	if err := s.assemble(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *Service) assemble(ctx context.Context) (err error) {
	b := &builder{file: s.file, logger: s.logger}
	cfg := b.guard()
	cfg.Clock = s.clock
	s.certificate = b.tls()
	if err := s.file.Faults(b.faults...); err != nil {
		return err
	}
	if s.Guard, err = bearward.New(ctx, cfg); err != nil {
		return err
	}
	if err := s.rules(); err != nil {
		return errors.Join(err, s.Close())
	}
	return nil
}

// Close releases what the guard holds.
func (s *Service) Close() error { return s.Guard.Close() }

// Match returns the policy of the rule for a method and a path as received.
func (s *Service) Match(method, rawPath string) (middleware.Policy, route.Outcome) {
	rule, outcome := s.table.Match(method, rawPath)
	if outcome != route.Matched {
		return middleware.Policy{}, outcome
	}
	return s.policies[rule], route.Matched
}

// rules prepares the policy of each rule.
func (s *Service) rules() error {
	var faults []config.Fault
	identity := identityOf(s.file.ForwardHeaders)
	implies := closure(s.file.Implies)
	patterns := make([]string, len(s.file.Rules))
	for i, rule := range s.file.Rules {
		patterns[i] = rule.Match
		p := policy(rule)
		if !rule.Public {
			if len(identity) > 0 {
				p.Check = identity.check
			}
			if len(implies) > 0 {
				p.Implies = func(have, need string) bool { return implies[have][need] }
			}
		}
		prepared, err := s.Guard.Prepare(p)
		if err != nil {
			faults = append(faults, s.file.Fault(fmt.Sprintf("rules[%d]", i), err))
		}
		s.policies = append(s.policies, prepared)
	}
	s.table = route.New(patterns)
	return s.file.Faults(faults...)
}

func policy(r config.Rule) middleware.Policy {
	p := middleware.Public()
	if !r.Public {
		p = middleware.Policy{
			AllScopes: r.Scopes, AnyScope: r.AnyScope, Audience: r.Audience, Issuers: r.Issuers, Schemes: r.Schemes,
			ACR: r.ACR, MaxAge: r.MaxAge, Profile: validate.Profile(r.Profile),
			Optional: r.Optional, UserOnly: r.UserOnly, NoDelegation: r.NoDelegation, Hide: r.Hide,
		}
	}
	p.Route = r.Match
	return p
}

// closure follows implies over any number of steps.
func closure(implies map[string][]string) map[string]map[string]bool {
	out := map[string]map[string]bool{}
	for have := range implies {
		reached := map[string]bool{}
		pending := []string{have}
		for len(pending) > 0 {
			next := implies[pending[0]]
			pending = pending[1:]
			for _, scope := range next {
				if !reached[scope] {
					reached[scope] = true
					pending = append(pending, scope)
				}
			}
		}
		out[have] = reached
	}
	return out
}

// builder turns the file into a configuration and collects faults.
type builder struct {
	file   *config.File
	logger *slog.Logger
	faults []config.Fault
}

func (b *builder) fault(path string, err error) {
	b.faults = append(b.faults, b.file.Fault(path, err))
}

func (b *builder) guard() bearward.Config {
	cfg := bearward.Config{
		Resource: b.file.Resource, Realm: b.file.Realm, NoMetadata: !b.file.Metadata, Logger: b.logger,
	}
	for n, i := range b.file.Issuers {
		path := fmt.Sprintf("issuers[%d]", n)
		issuer := bearward.Issuer{
			URL: i.Issuer, Name: i.Name, Audience: i.Audience, Profile: validate.Profile(i.Profile), Algorithms: i.Algorithms,
			Leeway: i.Leeway, MaxLifetime: i.MaxLifetime,
			ScopeClaim:   validate.ScopeClaim{Name: i.ScopeClaim.Name, Array: i.ScopeClaim.Type == "array"},
			DiscoveryURL: text(i.DiscoveryURL), JWKSURL: text(i.JWKSURI), AllowPrivate: i.AllowPrivate, AllowHTTP: i.AllowHTTP,
			Refresh: bearward.Refresh{Interval: i.JWKS.Refresh, Cooldown: i.JWKS.Cooldown, MaxStale: i.JWKS.MaxStale},
		}
		if i.Leeway == 0 {
			issuer.Leeway = -time.Nanosecond // none; zero would be the default
		}
		if i.JWKSFile != "" {
			keys, err := jwks.FileWith(jwks.FileConfig{Path: i.JWKSFile, Algorithms: i.Algorithms, Logger: b.logger})
			if err != nil {
				b.fault(path+".jwks_file", err)
			} else {
				issuer.Keys = keys
			}
		}
		if i.CAFile != "" {
			issuer.RootCAs = b.roots(path+".ca_file", i.CAFile)
		}
		cfg.Issuers = append(cfg.Issuers, issuer)
	}
	return cfg
}

func text(u *url.URL) string {
	if u == nil {
		return ""
	}
	return u.String()
}

func (b *builder) roots(path, file string) *x509.CertPool {
	pem, err := os.ReadFile(file)
	pool := x509.NewCertPool()
	if err == nil && !pool.AppendCertsFromPEM(pem) {
		err = fmt.Errorf("%s contains no PEM certificate", file)
	}
	if err != nil {
		b.fault(path, err)
	}
	return pool
}

func (b *builder) tls() *tls.Certificate {
	if b.file.TLS == nil {
		return nil
	}
	certificate, err := tls.LoadX509KeyPair(b.file.TLS.CertFile, b.file.TLS.KeyFile)
	if err != nil {
		b.fault("tls", err)
	}
	return &certificate
}
