package server

import (
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/bearward/bearward/internal/server/config"
	"github.com/bearward/bearward/internal/server/openapi"
	"github.com/bearward/bearward/internal/server/route"
	"github.com/bearward/bearward/middleware"
	"github.com/bearward/bearward/validate"
)

// Match returns the policy of the rule for a method and a path as received.
func (s *Service) Match(method, rawPath string) (middleware.Policy, route.Outcome) {
	rule, outcome := s.table.Match(method, rawPath)
	switch {
	case outcome != route.Matched:
		return middleware.Policy{}, outcome
	case s.denied[rule]:
		return middleware.Policy{}, route.Unmatched
	}
	return s.policies[rule], route.Matched
}

// rules prepares the policy of each rule, and of each operation of a document.
func (s *Service) rules(operations []openapi.Operation) (faults []config.Fault) {
	all := slices.Clone(s.file.Rules)
	s.denied = make([]bool, len(all)+len(operations))
	for _, op := range operations {
		s.denied[len(all)] = op.Denied
		all = append(all, op.Rule)
	}
	s.identity = identityOf(s.file.ForwardHeaders)
	implies := closure(s.file.Implies)
	patterns := make([]string, len(all))
	for i, rule := range all {
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
			place := "openapi"
			if i < len(s.file.Rules) {
				place = fmt.Sprintf("rules[%d]", i)
			}
			faults = append(faults, s.file.Fault(place, err))
		}
		s.policies = append(s.policies, prepared)
	}
	s.table, s.listed = route.New(patterns), all
	return faults
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

// openapi reads the document that the file names. The error is about its content.
func (b *builder) openapi() ([]openapi.Operation, error) {
	path := b.file.OpenAPI
	if path == "" {
		return nil, nil
	}
	f, err := os.Open(path)
	if err != nil {
		b.fault("openapi", err)
		return nil, nil
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, openapi.MaxBytes+1))
	if err != nil {
		b.fault("openapi", err)
		return nil, nil
	}
	options := openapi.Options{BasePath: b.file.OpenAPIBasePath}
	for _, rule := range b.file.Rules {
		options.ByHand = append(options.ByHand, rule.Match)
	}
	return openapi.Read(path, data, options)
}
