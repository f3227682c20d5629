package middleware

import (
	"context"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/bearward/bearward/validate"
)

// plain is a guard without anything to verify with.
func plain(t *testing.T) *Guard {
	t.Helper()
	g, err := New(Config{Resource: "https://api.example.test", Logger: slog.New(slog.DiscardHandler), Issuers: []Issuer{{
		URL: "https://issuer.example.test", Name: "a", Audience: []string{"https://api.example.test"},
		Verifier: validate.VerifierFunc(func(context.Context, string) (*validate.Token, error) { return nil, validate.ErrExpired }),
	}}})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// other sets a field of a policy to another value than full has there.
func other(t *testing.T, p *Policy, field reflect.StructField) {
	t.Helper()
	v := reflect.ValueOf(p).Elem().FieldByName(field.Name)
	switch {
	case field.Name == "public":
		p.public = !p.public
	case field.Name == "Details":
		p.Details = []Detail{{Type: "other"}}
	case v.Kind() == reflect.Slice:
		v.Set(reflect.ValueOf([]string{"other"}))
	case v.Kind() == reflect.Bool:
		v.SetBool(!v.Bool())
	case v.Kind() == reflect.String:
		v.SetString("other")
	case v.Kind() == reflect.Uint8:
		v.SetUint(1)
	case v.Kind() == reflect.Int64:
		v.SetInt(int64(time.Hour))
	case field.Name == "Implies":
		p.Implies = func(string, string) bool { return true }
	case field.Name == "Check":
		p.Check = func(context.Context, *validate.Token) error { return nil }
	default:
		t.Fatalf("the field %s needs a line here and in unchanged", field.Name)
	}
}

// fields are those of Policy that mean something.
func fields() []reflect.StructField {
	var out []reflect.StructField
	for _, f := range reflect.VisibleFields(reflect.TypeFor[Policy]()) {
		if f.Name != "compiled" {
			out = append(out, f)
		}
	}
	return out
}

// TestUnchangedSeesEveryField: a field that is changed after Prepare makes the
// policy another one, so that it is compiled anew.
func TestUnchangedSeesEveryField(t *testing.T) {
	g := plain(t)
	full := Policy{
		AllScopes: []string{"a"}, AnyScope: []string{"b"}, Audience: []string{"https://api.example.test"}, Issuers: []string{"a"},
		Schemes: []string{"Bearer"}, ACR: []string{"phr"}, MaxAge: time.Minute, Profile: validate.RFC9068, UserOnly: true,
		NoDelegation: true, Hide: true, Route: "route", Roles: []string{"c"}, Permissions: []string{"d"}, Groups: []string{"e"},
		Details: []Detail{everyMember()},
		Implies: func(have, need string) bool { return have == need }, Check: func(context.Context, *validate.Token) error { return validate.ErrCheckRefused },
	}
	prepared, err := g.Prepare(full)
	if err != nil {
		t.Fatal(err)
	}
	if !prepared.compiled.unchanged(&prepared) {
		t.Fatal("the policy as Prepare returned it counts as changed")
	}
	for _, f := range fields() {
		p := prepared
		other(t, &p, f)
		if p.compiled.unchanged(&p) {
			t.Errorf("%s: the change is not noticed", f.Name)
		}
	}
	for _, list := range []*[]string{&prepared.AllScopes, &prepared.AnyScope, &prepared.Audience, &prepared.Issuers, &prepared.Schemes, &prepared.ACR, &prepared.Roles, &prepared.Permissions, &prepared.Groups} {
		before := (*list)[0]
		(*list)[0] = "written"
		if prepared.compiled.unchanged(&prepared) {
			t.Errorf("an element of %v was written and it is not noticed", *list)
		}
		(*list)[0] = before
	}
	if c, err := g.compiledFor(&prepared); err != nil || c != prepared.compiled {
		t.Error("an unchanged policy is compiled anew")
	}
	if c, err := plain(t).compiledFor(&prepared); err != nil || c == prepared.compiled {
		t.Error("another guard uses this guard's policy")
	}
}

// everyMember is a demand with all that a plain one can have.
func everyMember() Detail {
	return Detail{
		Type: "a", Actions: []string{"b"}, DataTypes: []string{"c"}, Privileges: []string{"d"}, Identifier: "e",
		Fields: map[string][]string{"f": {"g"}},
	}
}

// TestUnchangedSeesEveryDetail: as above, for what a demand consists of, and
// for what its lists and maps hold.
func TestUnchangedSeesEveryDetail(t *testing.T) {
	g := plain(t)
	typed := MatchDetail("a", func(context.Context, struct{}) bool { return true })
	changes := map[string]func(*Detail){
		"Type":       func(d *Detail) { d.Type = "x" },
		"Actions":    func(d *Detail) { d.Actions = append(d.Actions, "x") },
		"DataTypes":  func(d *Detail) { d.DataTypes = nil },
		"Privileges": func(d *Detail) { d.Privileges = []string{"x"} },
		"Identifier": func(d *Detail) { d.Identifier = "" },
		"Fields":     func(d *Detail) { d.Fields = map[string][]string{"f": {"x"}} },
		"typed":      func(d *Detail) { d.typed = typed.typed },

		"an action":      func(d *Detail) { d.Actions[0] = "x" },
		"a data type":    func(d *Detail) { d.DataTypes[0] = "x" },
		"a privilege":    func(d *Detail) { d.Privileges[0] = "x" },
		"a field":        func(d *Detail) { d.Fields["x"] = []string{"y"} },
		"a field's name": func(d *Detail) { d.Fields["x"] = d.Fields["f"]; delete(d.Fields, "f") },
		"a field's list": func(d *Detail) { d.Fields["f"][0] = "x" },
	}
	for _, f := range reflect.VisibleFields(reflect.TypeFor[Detail]()) {
		if changes[f.Name] == nil {
			t.Errorf("the field %s needs a line here and in equalDetails", f.Name)
		}
	}
	for name, change := range changes {
		p, err := g.Prepare(Policy{Details: []Detail{everyMember()}})
		if err != nil {
			t.Fatal(err)
		}
		if !p.compiled.unchanged(&p) {
			t.Fatal("the policy as Prepare returned it counts as changed")
		}
		change(&p.Details[0])
		if p.compiled.unchanged(&p) {
			t.Errorf("%s: the change is not noticed", name)
		}
	}
	p, err := g.Prepare(Policy{}.WithDetails(typed))
	if err != nil || !p.compiled.unchanged(&p) {
		t.Fatalf("a typed demand counts as changed: %v", err)
	}
	p.Details[0] = MatchDetail("a", func(context.Context, struct{}) bool { return true })
	if p.compiled.unchanged(&p) {
		t.Error("another function of the same text is not noticed")
	}
}

// TestIdentity tells closures of one literal apart, and knows one again.
func TestIdentity(t *testing.T) {
	made := func(n int) func() int { return func() int { return n } }
	one, two := made(1), made(2)
	same := one
	var none func() int
	if identity(&one) == identity(&two) || identity(&one) != identity(&same) || identity(&none) != nil {
		t.Error("closures are not told apart")
	}
}

// TestPublicStandsAlone: a public policy with any other demand is a fault.
func TestPublicStandsAlone(t *testing.T) {
	g := plain(t)
	for _, f := range fields() {
		p := Public()
		if f.Name == "public" {
			continue
		}
		other(t, &p, f)
		_, err := g.Prepare(p)
		if (err == nil) != (f.Name == "Route") {
			t.Errorf("%s: %v", f.Name, err)
		}
		if f.Name == "Route" {
			continue
		}
		_, d := g.Decide(t.Context(), Request{Method: "GET"}, p)
		if d.Allowed || d.Denial.Status != 500 || validate.CodeOf(d.Err) != validate.ErrPolicyInvalid {
			t.Errorf("%s: %+v", f.Name, d)
		}
	}
}

// TestQuote writes quoted-strings.
func TestQuote(t *testing.T) {
	for s, want := range map[string]string{``: `""`, `a`: `"a"`, `"`: `"\""`, `\`: `"\\"`, `\"`: `"\\\""`} {
		var b strings.Builder
		quote(&b, s)
		if b.String() != want {
			t.Errorf("%s: %s, want %s", s, b.String(), want)
		}
	}
}
