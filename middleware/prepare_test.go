package middleware_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/bearward/bearward/middleware"
	"github.com/bearward/bearward/validate"
)

// faults of policies and what the report of each must say.
var faults = map[string]struct {
	policy middleware.Policy
	text   string
}{
	"scope with space":    {middleware.Scopes("a b"), `"a b"`},                                       // [ER-14]
	"scope with quote":    {middleware.Scopes(`a"`), `"a\""`},                                        // [ER-14]
	"scope with slash":    {middleware.Scopes(`a\b`), `"a\\b"`},                                      // [ER-14]
	"empty scope":         {middleware.Scopes(""), `"" is not a scope`},                              // [ER-14]
	"scope, not ASCII":    {middleware.Policy{}.WithAnyScope("ä"), "is not a scope"},                 // [ER-14]
	"acr with space":      {middleware.Policy{}.WithACR("a b"), `acr`},                               // [AZ-15]
	"empty acr":           {middleware.Policy{}.WithACR(""), `acr`},                                  // [AZ-15]
	"unknown issuer":      {middleware.Policy{}.WithIssuers("nobody"), `"nobody" is not configured`}, //
	"foreign audience":    {middleware.Policy{}.WithAudience("https://x.test"), "https://x.test"},    // [AZ-10]
	"part of a second":    {middleware.Policy{}.WithMaxAge(1500 * time.Millisecond), "MaxAge"},
	"negative age":        {middleware.Policy{}.WithMaxAge(-time.Second), "MaxAge"}, // [AZ-15]
	"weaker profile":      {middleware.Policy{Profile: validate.Compat}, "tighten"},
	"unknown profile":     {middleware.Policy{Profile: "x"}, "tighten"},
	"scheme not offered":  {middleware.Policy{Schemes: []string{"DPoP"}}, `"DPoP" is not offered`},
	"empty role":          {middleware.Policy{}.WithRoles("a", ""), "roles"},            // [AZ-08]
	"empty permission":    {middleware.Policy{}.WithPermissions(""), "permissions"},     // [AZ-08]
	"group, not UTF-8":    {middleware.Policy{}.WithGroups("a\xff"), "groups"},          // [AZ-08]
	"detail without type": {demands(middleware.Detail{Actions: []string{"a"}}), "Type"}, // [AZ-12]
	"type, not UTF-8":     {demands(middleware.Detail{Type: "\xff"}), "Type"},           // [AZ-12]
	"empty action":        {demands(middleware.Detail{Type: "a", Actions: []string{""}}), "actions"},
	"repeated data type":  {demands(middleware.Detail{Type: "a", DataTypes: []string{"b", "c", "b"}}), "datatypes"},
	"empty privilege":     {demands(middleware.Detail{Type: "a", Privileges: []string{"b", ""}}), "privileges"},
	"identifier, no UTF8": {demands(middleware.Detail{Type: "a", Identifier: "\xff"}), "identifier"},
	"field of no value":   {demands(fieldsOf("b")), "values of b"},
	"field of no name":    {demands(fieldsOf("", "c")), `"" cannot be`},
	"field for actions":   {demands(fieldsOf("actions", "c")), `"actions" cannot be`},
	"field for locations": {demands(fieldsOf("locations", "c")), `"locations" cannot be`},
	"field for type":      {demands(fieldsOf("type", "c")), `"type" cannot be`},
	"second detail":       {demands(middleware.Detail{Type: "a"}, middleware.Detail{}), "Type"},
	"typed, no function":  {demands(middleware.MatchDetail[struct{}]("a", nil)), "no function"},
	"typed, no type":      {demands(middleware.MatchDetail("", func(context.Context, struct{}) bool { return true })), "Type"},
	"typed by a map":      {demands(middleware.MatchDetail("a", func(context.Context, map[string]any) bool { return true })), "struct"}, // [AZ-12]
	"typed by a number":   {demands(middleware.MatchDetail("a", func(context.Context, int) bool { return true })), "struct"},
	"typed by a date":     {demands(middleware.MatchDetail("a", func(context.Context, time.Time) bool { return true })), "MatchDetail"},
	"typed and plain":     {demands(typedAndPlain()), "takes no Actions"},
	"scheme among others": {middleware.Policy{Schemes: []string{"Bearer", "Basic"}}, `"Basic" is not offered`},
}

func demands(details ...middleware.Detail) middleware.Policy {
	return middleware.Policy{}.WithDetails(details...)
}

func fieldsOf(name string, values ...string) middleware.Detail {
	return middleware.Detail{Type: "a", Fields: map[string][]string{name: values}}
}

func typedAndPlain() middleware.Detail {
	d := middleware.MatchDetail("a", func(context.Context, struct{}) bool { return true })
	d.Identifier = "b"
	return d
}

// TestPolicyFaults: each is found when the policy is prepared, and answers 500
// where nobody prepared it. [ER-14 AZ-10 AZ-15]
func TestPolicyFaults(t *testing.T) {
	s := newStand(t)
	token := s.mint("", nil)
	for name, c := range faults {
		if _, err := s.guard.Prepare(c.policy); err == nil || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: %v", name, err)
		}
		d := s.decide(bearer(token), c.policy)
		if d.Allowed || d.Denial.Status != 500 || validate.CodeOf(d.Err) != validate.ErrPolicyInvalid {
			t.Errorf("%s: %+v", name, d)
		}
		if report := s.guard.Explain(t.Context(), bearer(token), c.policy); report.Allowed || report.Code != validate.ErrPolicyInvalid || report.Status != 500 {
			t.Errorf("%s: %s", name, report)
		}
	}
}

// TestPolicyFaultsTogether are all in one report.
func TestPolicyFaultsTogether(t *testing.T) {
	s := newStand(t)
	_, err := s.guard.Prepare(middleware.Policy{
		AllScopes: []string{"a b", `q"`}, AnyScope: []string{"c d"}, ACR: []string{"e f"}, Issuers: []string{"nobody", "main"},
		Audience: []string{"https://x.test"}, Schemes: []string{"Basic"}, MaxAge: -1, Profile: "compat",
	})
	if err == nil {
		t.Fatal("no fault")
	}
	for _, want := range []string{`"a b"`, `"q\""`, `"c d"`, `"e f"`, `"nobody"`, "https://x.test", `"Basic"`, "MaxAge", "compat"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%s is not in %v", want, err)
		}
	}
}

// TestChangedPolicy: a prepared policy that is changed is enforced as changed,
// and neither Prepare's argument nor its result shares memory with the guard.
func TestChangedPolicy(t *testing.T) {
	s := newStand(t)
	r := bearer(s.mint("", map[string]any{"scope": "read", "acr": "pwd"}))
	mine := []string{"read"}
	p, err := s.guard.Prepare(middleware.Policy{AllScopes: mine})
	if err != nil {
		t.Fatal(err)
	}
	mine[0] = "write"
	if d := s.decide(r, p); !d.Allowed {
		t.Errorf("the argument's list is still used: %v", d.Err)
	}
	same := p
	p.AllScopes[0] = "write"
	for _, p := range []middleware.Policy{p, same} {
		if d := s.decide(r, p); validate.CodeOf(d.Err) != validate.ErrScopeMissing || d.Denial.Details["scope"] != "write" {
			t.Errorf("a list that was written: %+v", d)
		}
	}
	p.AllScopes[0] = "read"
	if d := s.decide(r, p); !d.Allowed {
		t.Error(d.Err)
	}
	p.AllScopes = append(p.AllScopes, "a b")
	if d := s.decide(r, p); d.Denial == nil || d.Denial.Status != 500 {
		t.Errorf("a faulty change: %+v", d)
	}
	tightened := same.WithACR("phr")
	tightened.AllScopes = []string{"read"}
	if d := s.decide(r, tightened); validate.CodeOf(d.Err) != validate.ErrAuthenticationContext {
		t.Errorf("a copy with more: %v", d.Err)
	}
}

// TestChangedFunctions: closures of one literal are different functions.
func TestChangedFunctions(t *testing.T) {
	s := newStand(t)
	r := bearer(s.mint("", map[string]any{"scope": "admin"}))
	covers := func(by string) func(have, need string) bool {
		return func(have, _ string) bool { return have == by }
	}
	says := func(err error) func(context.Context, *validate.Token) error {
		return func(context.Context, *validate.Token) error { return err }
	}
	p, err := s.guard.Prepare(middleware.Policy{AllScopes: []string{"read"}, Implies: covers("admin"), Check: says(nil)})
	if err != nil {
		t.Fatal(err)
	}
	if d := s.decide(r, p); !d.Allowed {
		t.Fatal(d.Err)
	}
	weaker := p
	p.Implies = covers("nobody")
	if d := s.decide(r, p); validate.CodeOf(d.Err) != validate.ErrScopeMissing {
		t.Errorf("Implies: %v", d.Err)
	}
	weaker.Check = says(validate.ErrCheckRefused)
	if d := s.decide(r, weaker); validate.CodeOf(d.Err) != validate.ErrCheckRefused {
		t.Errorf("Check: %v", d.Err)
	}
	weaker.Check = nil
	if d := s.decide(r, weaker); !d.Allowed {
		t.Error(d.Err)
	}
}

// TestUnpreparedPolicy is enforced like a prepared one.
func TestUnpreparedPolicy(t *testing.T) {
	s := newStand(t)
	r := bearer(s.mint("", map[string]any{"scope": "read"}))
	if d := s.decide(r, middleware.Scopes("read")); !d.Allowed {
		t.Error(d.Err)
	}
	if d := s.decide(r, middleware.Scopes("write").WithAnyScope("x")); d.Allowed || d.Denial.Details["scope"] != "write x" {
		t.Errorf("%+v", d)
	}
	if token, err := s.guard.Check(t.Context(), request(), middleware.Public()); token != nil || err != nil {
		t.Errorf("%v %v", token, err)
	}
}

// TestWith: the short forms copy.
func TestWith(t *testing.T) {
	lists := [][]string{{"a"}, {"b"}, {"c"}, {"d"}, {"e"}, {"f"}, {"g"}, {"h"}, {"i"}}
	detail := middleware.Detail{Type: "t", Actions: lists[8], Fields: map[string][]string{"f": lists[8]}}
	p := middleware.Scopes(lists[0]...).WithAnyScope(lists[1]...).WithACR(lists[2]...).WithAudience(lists[3]...).WithIssuers(lists[4]...).
		WithRoles(lists[5]...).WithPermissions(lists[6]...).WithGroups(lists[7]...).WithDetails(detail)
	for _, l := range lists {
		l[0] = "changed"
	}
	got := p.AllScopes[0] + p.AnyScope[0] + p.ACR[0] + p.Audience[0] + p.Issuers[0] +
		p.Roles[0] + p.Permissions[0] + p.Groups[0] + p.Details[0].Actions[0] + p.Details[0].Fields["f"][0]
	if got != "abcdefghii" {
		t.Errorf("%s", got)
	}
	q := p.WithMaxAge(time.Minute)
	if p.MaxAge != 0 || q.MaxAge != time.Minute {
		t.Error("WithMaxAge changes its receiver")
	}
}
