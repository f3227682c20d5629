package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/bearward/bearward"
	"github.com/bearward/bearward/adapters/redisstore"
	"github.com/bearward/bearward/internal/server/config"
	"github.com/bearward/bearward/internal/server/route"
	"github.com/bearward/bearward/middleware"
	"github.com/bearward/bearward/validate"
)

// Service is a file put to use. It makes no call and listens nowhere; Close it.
// Nothing of it changes: a reload makes another one.
type Service struct {
	Guard *middleware.Guard

	kept

	file        *config.File
	logger      *slog.Logger
	table       *route.Table
	policies    []middleware.Policy // of the rules, in their order
	identity    identity            // what is told of a token
	certificate *tls.Certificate    // nil: plain http
	upstream    *http.Transport     // nil in other modes than proxy

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

// next puts another file to use in place of the service's own, which goes on as it
// is. Nothing has changed if there is a fault.
func (s *Service) next(ctx context.Context, file *config.File) (*Service, error) {
	if err := file.Faults(s.file.Frozen(file)...); err != nil {
		return nil, err
	}
	n := &Service{
		file: file, logger: s.logger, kept: s.kept, clock: s.clock, expire: s.expire, after: s.after,
		silence: s.silence, linger: s.linger,
	}
	err := n.make(ctx, func(cfg bearward.Config) (*middleware.Guard, error) { return bearward.Update(ctx, s.Guard, cfg) })
	if err != nil {
		return nil, errors.Join(err, n.retire())
	}
	return n, nil
}

func (s *Service) assemble(ctx context.Context) error {
	err := s.make(ctx, func(cfg bearward.Config) (*middleware.Guard, error) { return bearward.New(ctx, cfg) })
	if err != nil {
		return errors.Join(err, s.Close())
	}
	return nil
}

// make makes what the file asks for, and the guard by guarded.
func (s *Service) make(ctx context.Context, guarded func(bearward.Config) (*middleware.Guard, error)) (err error) {
	b := &builder{file: s.file, logger: s.logger, clock: s.clock, kept: s.kept, before: s.sources}
	b.kept.sources = nil
	cfg := b.guard(b.redis())
	cfg.Revocation = b.revocation()
	s.certificate = b.tls()
	s.kept, s.upstream = b.kept, b.upstream(s.silence)
	if err := errors.Join(ctx.Err(), s.file.Faults(b.faults...)); err != nil {
		return err
	}
	if s.Guard, err = guarded(cfg); err != nil {
		return s.file.Faults(issuerFaults(s.file, err)...)
	}
	return s.rules()
}

// issuerFaults gives each of joined errors its line in the list of issuers.
func issuerFaults(file *config.File, err error) (faults []config.Fault) {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []config.Fault{file.Fault("issuers", err)}
	}
	for _, e := range joined.Unwrap() {
		faults = append(faults, issuerFaults(file, e)...)
	}
	return faults
}

// Close releases what the guard holds, and then what outlives it.
func (s *Service) Close() error { return errors.Join(s.retire(), s.kept.close()) }

// retire releases what the guard holds, once nothing is decided by it any more,
// and connections to the upstream that are not in use.
func (s *Service) retire() error {
	if s.upstream != nil {
		s.upstream.CloseIdleConnections()
	}
	if s.Guard == nil {
		return nil
	}
	return s.Guard.Close()
}

// Redis is what the file names, nil if nothing.
func (s *Service) Redis() *redisstore.Redis { return s.redis }

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
	s.identity = identityOf(s.file.ForwardHeaders)
	implies := closure(s.file.Implies)
	patterns := make([]string, len(s.file.Rules))
	for i, rule := range s.file.Rules {
		patterns[i] = rule.Match
		p := policy(rule)
		if !rule.Public {
			if len(s.identity) > 0 {
				p.Check = s.identity.check
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
			Optional: r.Optional, UserOnly: r.UserOnly, NoDelegation: r.NoDelegation, Hide: r.Hide, ReportOnly: r.ReportOnly,
			Roles: r.Roles, Permissions: r.Permissions, Groups: r.Groups, Binding: bindings[r.Binding], Nonce: nonces[r.Nonce],
		}
		for _, d := range r.Details {
			p.Details = append(p.Details, middleware.Detail{
				Type: d.Type, Actions: d.Actions, DataTypes: d.DataTypes, Privileges: d.Privileges,
				Identifier: d.Identifier, Fields: d.Fields,
			})
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
