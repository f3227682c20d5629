package middleware_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/bearward/bearward/middleware"
	"github.com/bearward/bearward/validate"
)

// memberships are the three lists that routes can ask for.
var memberships = map[string]func(...string) middleware.Policy{
	"roles":       middleware.Policy{}.WithRoles,
	"permissions": middleware.Policy{}.WithPermissions,
	"groups":      middleware.Policy{}.WithGroups,
}

// TestRoles: every one must be there, in its own claim, compared whole. A
// missing one is a policy decision; a claim of a wrong type is a bad token.
// [AZ-08 CL-23]
func TestRoles(t *testing.T) {
	s := newStand(t)
	for claim, with := range memberships {
		for _, c := range []struct {
			name  string
			need  []string
			value any
			want  validate.Code
		}{
			{"none asked", nil, []string{"a"}, ""},
			{"there", []string{"a"}, []string{"b", "a"}, ""},
			{"all there", []string{"a", "b"}, []string{"b", "a"}, ""},
			{"as SCIM writes it", []string{"a"}, []any{map[string]any{"value": "a", "display": "x"}}, ""},
			{"one of two", []string{"a", "b"}, []string{"a"}, validate.ErrRoleMissing},          // [AZ-08]
			{"empty", []string{"a"}, []string{}, validate.ErrRoleMissing},                       // [AZ-08]
			{"other case", []string{"a"}, []string{"A"}, validate.ErrRoleMissing},               // [AZ-08]
			{"part of it", []string{"a"}, []string{"aa", " a", "a b"}, validate.ErrRoleMissing}, // [AZ-08]
			{"one string", []string{"a"}, "a", validate.ErrClaimsInvalid},                       // [CL-23]
			{"number among them", []string{"a"}, []any{"a", 1}, validate.ErrClaimsInvalid},      // [CL-23]
			{"null among them", []string{"a"}, []any{"a", nil}, validate.ErrClaimsInvalid},      // [CL-23]
			{"object", []string{"a"}, map[string]any{"a": true}, validate.ErrClaimsInvalid},     // [CL-23]
			{"null", []string{"a"}, json.RawMessage("null"), validate.ErrClaimsInvalid},         // [CL-23]
			{"of a wrong type, not asked for", nil, "a", ""},
		} {
			p := with(c.need...)
			r := bearer(s.mint("", map[string]any{claim: c.value}))
			d := s.decide(r, p)
			if code := validate.CodeOf(d.Err); d.Allowed != (c.want == "") || !d.Allowed && code != c.want {
				t.Errorf("%s, %s: %v", claim, c.name, d.Err)
			}
			s.agree(t, claim+", "+c.name, r, p)
		}
	}
}

// TestRolesAreApart: a name in one list, or a scope, is not one in another, and
// the answer names nothing. [AZ-08]
func TestRolesAreApart(t *testing.T) {
	s := newStand(t)
	for asked, with := range memberships {
		claims := map[string]any{"scope": "a", "entitlements": []string{"a"}}
		for other := range memberships {
			if other != asked {
				claims[other] = []string{"a"}
			}
		}
		p := with("a")
		p.AllScopes = []string{"a"}
		r := bearer(s.mint("", claims))
		d := s.decide(r, p)
		if validate.CodeOf(d.Err) != validate.ErrRoleMissing || d.Denial.Status != 403 || d.Denial.Error != "" || d.Denial.GRPC != 7 || d.Denial.Reason != "POLICY_DENIED" {
			t.Errorf("%s: %+v", asked, d)
		}
		if len(d.Denial.Header.Values("WWW-Authenticate")) != 0 || len(d.Denial.Details) != 0 {
			t.Errorf("%s: %+v", asked, d.Denial)
		}
		report := s.guard.Explain(t.Context(), r, p)
		at := slices.IndexFunc(report.Rules, func(f validate.Finding) bool { return f.Rule == "route-roles" })
		if f := report.Rules[at]; f.Claim != asked || f.Expected != asked+" a" || f.Found != asked || f.Code != validate.ErrRoleMissing {
			t.Errorf("%+v", f)
		}
	}
}

// TestRolesReport shows what was asked and what the token has.
func TestRolesReport(t *testing.T) {
	s := newStand(t)
	p := middleware.Policy{Roles: []string{"clerk", "boss"}, Groups: []string{"staff"}}
	report := s.guard.Explain(t.Context(), bearer(s.mint("", map[string]any{"roles": []string{"clerk"}, "groups": []string{"staff", "x\x1b"}})), p)
	at := slices.IndexFunc(report.Rules, func(f validate.Finding) bool { return f.Rule == "route-roles" })
	if f := report.Rules[at]; f.Expected != "roles clerk boss groups staff" || f.Found != "roles clerk groups staff x\uFFFD" {
		t.Errorf("%+v", f)
	}
}
