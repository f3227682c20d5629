package openapi

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/bearward/bearward/internal/server/config"
	"github.com/bearward/bearward/validate"
)

// requirement is one list of security, read where it is used for the first time.
type requirement struct {
	node      *yaml.Node
	operation string // whose it is, for faults

	read, sound bool
	rule        config.Rule
}

// need is the requirement of an operation. Those of aliases are one.
func (r *reader) need(node *yaml.Node, pattern string) *requirement {
	if r.needs[node] == nil {
		r.needs[node] = &requirement{node: node, operation: fmt.Sprintf("%q", pattern)}
	}
	return r.needs[node]
}

// empty reports a list that asks for nothing.
func (need *requirement) empty() bool {
	return need.node.Kind == yaml.SequenceNode && len(need.node.Content) == 0
}

// apply puts what a list of security demands into a rule.
func (r *reader) apply(need *requirement, rule *config.Rule) bool {
	if !need.read {
		need.read = true
		need.sound = r.security(need)
	}
	rule.Public, rule.Optional = need.rule.Public, need.rule.Optional
	rule.Scopes, rule.AnyScope = need.rule.Scopes, need.rule.AnyScope
	return need.sound
}

// security reads the alternatives. None at all is a public operation; an empty
// one among them makes the token optional.
func (r *reader) security(need *requirement) bool {
	alternatives, ok := r.list(need.node, "security")
	if !ok || !r.few(len(alternatives), need.node, "alternatives", need.operation) {
		return false
	}
	if len(alternatives) == 0 {
		need.rule.Public = true
		return true
	}
	var sets [][]string
	for _, alternative := range alternatives {
		schemes, sound := r.object(alternative, "a security requirement")
		switch {
		case !sound:
			ok = false
		case len(schemes) == 0:
			need.rule.Optional = true
		default:
			set, sound := r.alternative(schemes, need.operation)
			sets, ok = append(sets, set), ok && sound && r.few(len(set), alternative, "scopes", need.operation)
		}
	}
	if !ok || len(sets) == 0 {
		return ok
	}
	need.rule.Scopes, need.rule.AnyScope, ok = combine(sets)
	if !ok {
		r.say(at(need.node), "these alternatives are not one rule: each may have one scope of its own, beside those that all have; write a rule by hand for %s", need.operation)
	}
	return ok
}

// alternative is the scopes of one alternative. Several schemes in it all speak
// of the request's one token, which then needs the scopes of all.
func (r *reader) alternative(schemes members, operation string) (scopes []string, ok bool) {
	ok = true
	for _, s := range schemes {
		scheme := r.scheme(s.key)
		if scheme.fault != "" {
			r.say(s.at, "%s; write a rule by hand for %s", scheme.fault, operation)
			ok = false
			continue
		}
		names, sound := r.list(s.value, "the scopes of a security scheme")
		ok = ok && sound
		if len(names) > 0 && !scheme.scoped {
			r.say(at(names[0]), "%s has no scopes: what else a bearer scheme lists is not defined; write a rule by hand for %s", quote(s.key), operation)
			return nil, false
		}
		for _, n := range names {
			scope, sound := r.text(n, "a scope")
			if sound && !validate.ScopeToken(scope) {
				r.say(at(n), "%s is not a scope (RFC 6749 §3.3)", quote(scope))
				sound = false
			}
			scopes, ok = append(scopes, scope), ok && sound
		}
	}
	slices.Sort(scopes)
	return slices.Compact(scopes), ok
}

// few bounds what combine compares.
func (r *reader) few(n int, list *yaml.Node, what, operation string) bool {
	if n > maxChoices {
		r.say(at(list), "there are more than %d %s: write a rule by hand for %s", maxChoices, what, operation)
		return false
	}
	return true
}

// scheme is a security scheme, as far as it is about access tokens.
type scheme struct {
	fault  string // why no token can be judged by it; "": one can
	scoped bool
}

func (r *reader) scheme(name string) scheme {
	s, known := r.judged[name]
	if !known {
		s = r.judge(name)
		r.judged[name] = s
	}
	return s
}

func (r *reader) judge(name string) scheme {
	node, there := r.schemes.get(name)
	if !there {
		return scheme{fault: fmt.Sprintf("there is no security scheme %s", quote(name))}
	}
	fields, ok := r.follow(node, "a security scheme", func(m member) bool { return m.key == "type" || m.key == "scheme" })
	if !ok {
		return scheme{fault: fmt.Sprintf("the security scheme %s cannot be read", quote(name))}
	}
	switch kind, how := fields.scalar("type"), fields.scalar("scheme"); {
	case kind == "oauth2", kind == "openIdConnect":
		return scheme{scoped: true}
	case kind == "http" && strings.EqualFold(how, "bearer"):
		return scheme{}
	case kind == "http":
		return scheme{fault: fmt.Sprintf("the security scheme %s is HTTP %s, and no bearer token", quote(name), quote(how))}
	default:
		return scheme{fault: fmt.Sprintf("the security scheme %s is of type %s, and no access token", quote(name), quote(kind))}
	}
}

// combine makes one rule of alternatives: the scopes that all of them have, and
// one of the others.
func combine(sets [][]string) (all, one []string, ok bool) {
	sets = slices.DeleteFunc(slices.Clone(sets), func(s []string) bool { // what asks for more than another adds nothing
		return slices.ContainsFunc(sets, func(other []string) bool { return len(other) < len(s) && within(other, s) })
	})
	all = slices.DeleteFunc(slices.Clone(sets[0]), func(scope string) bool {
		return slices.ContainsFunc(sets, func(s []string) bool { return !slices.Contains(s, scope) })
	})
	if len(all) == 0 {
		all = nil // as in a rule by hand
	}
	for _, s := range sets {
		if len(s) == len(all) { // all sets are this one
			continue
		}
		if len(s) != len(all)+1 {
			return nil, nil, false
		}
		i := slices.IndexFunc(s, func(scope string) bool { return !slices.Contains(all, scope) })
		if !slices.Contains(one, s[i]) {
			one = append(one, s[i])
		}
	}
	return all, one, true
}

func within(small, large []string) bool {
	return !slices.ContainsFunc(small, func(s string) bool { return !slices.Contains(large, s) })
}
