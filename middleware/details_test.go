package middleware_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/bearward/bearward"
	"github.com/bearward/bearward/middleware"
	"github.com/bearward/bearward/validate"
)

const part = "https://part.example.test"

// granting mints a token with these authorization_details, written as JSON.
func (s *stand) granting(details string) middleware.Request {
	s.t.Helper()
	return bearer(s.mint("", map[string]any{"scope": "pay", "authorization_details": json.RawMessage(details)}))
}

// amount is a typed grant.
type amount struct {
	Currency string   `json:"currency"`
	Limit    *float64 `json:"limit"`
	Creditor struct {
		Name string `json:"name"`
	} `json:"creditor"`
}

var (
	reads  = middleware.Detail{Type: "account", Actions: []string{"read"}}
	both   = middleware.Detail{Type: "account", Actions: []string{"read", "list"}}
	mine   = middleware.Detail{Type: "account", Actions: []string{"read"}, DataTypes: []string{"balance"}, Privileges: []string{"owner"}, Identifier: "acc-1"}
	europe = middleware.Detail{Type: "account", Fields: map[string][]string{"country": {"DE", "FR"}}}
	typed  = middleware.MatchDetail("payment", func(_ context.Context, a amount) bool {
		return a.Currency == "EUR" && a.Limit != nil && *a.Limit >= 100
	})
	anyPayment = middleware.MatchDetail("payment", func(context.Context, amount) bool { return true })
)

// detailCases are demands, grants and whether one covers the other.
var detailCases = []struct {
	name   string
	policy middleware.Policy
	grants string
	ok     bool
}{
	{"exactly", demands(reads), `[{"type":"account","actions":["read"]}]`, true},
	{"more actions", demands(reads), `[{"type":"account","actions":["list","read"]}]`, true},
	{"among others", demands(reads), `[{"type":"x"},{"type":"account"},{"type":"account","actions":["read"]}]`, true},
	{"escaped", demands(reads), `[{"\u0074ype":"\u0061ccount","\u0061ctions":["\u0072ead"]}]`, true},
	{"type alone", demands(middleware.Detail{Type: "account"}), `[{"type":"account"}]`, true},
	{"all members", demands(mine), `[{"identifier":"acc-1","privileges":["owner"],"datatypes":["balance"],"actions":["read"],"type":"account"}]`, true},
	{"two demands, two objects", demands(reads, anyPayment), `[{"type":"payment"},{"type":"account","actions":["read"]}]`, true},
	{"two demands, one object", demands(reads, both), `[{"type":"account","actions":["read","list"]}]`, true},

	{"empty list", demands(reads), `[]`, false},                                                                                                                         // [AZ-14]
	{"one of two demands", demands(reads, anyPayment), `[{"type":"account","actions":["read"]}]`, false},                                                                // [AZ-14]
	{"the other of two demands", demands(anyPayment, reads), `[{"type":"account","actions":["read"]}]`, false},                                                          // [AZ-14]
	{"another type", demands(reads), `[{"type":"accounts","actions":["read"]}]`, false},                                                                                 // [AZ-12]
	{"type in other case", demands(reads), `[{"type":"Account","actions":["read"]}]`, false},                                                                            // [AZ-13]
	{"type, other code points", demands(middleware.Detail{Type: "\u00e9"}), `[{"type":"e\u0301"}]`, false},                                                              // [AZ-13]
	{"type with space", demands(reads), `[{"type":"account ","actions":["read"]}]`, false},                                                                              // [AZ-13]
	{"type of another grant", demands(middleware.Detail{Type: "account"}), `[{"type":"x","actions":["account"]},{"type":"y"}]`, false},                                  // [AZ-12]
	{"unknown member", demands(reads), `[{"type":"account","actions":["read"],"until":"2026-01-01"}]`, false},                                                           // [AZ-12]
	{"unknown member, null", demands(reads), `[{"type":"account","actions":["read"],"until":null}]`, false},                                                             // [AZ-12]
	{"unknown member, object", demands(reads), `[{"type":"account","actions":["read"],"x":{"actions":["read"]}}]`, false},                                               // [AZ-12]
	{"member in other case", demands(reads), `[{"type":"account","Actions":["read"]}]`, false},                                                                          // [AZ-12]
	{"restricted to data", demands(reads), `[{"type":"account","actions":["read"],"datatypes":["balance"]}]`, false},                                                    // [AZ-12]
	{"restricted to an account", demands(reads), `[{"type":"account","actions":["read"],"identifier":"acc-1"}]`, false},                                                 // [AZ-12]
	{"restricted to actions", demands(middleware.Detail{Type: "account"}), `[{"type":"account","actions":["read"]}]`, false},                                            // [AZ-12]
	{"no actions", demands(reads), `[{"type":"account"}]`, false},                                                                                                       // [AZ-13]
	{"other actions", demands(reads), `[{"type":"account","actions":["write"]}]`, false},                                                                                // [AZ-13]
	{"actions empty", demands(reads), `[{"type":"account","actions":[]}]`, false},                                                                                       // [AZ-13]
	{"action in other case", demands(reads), `[{"type":"account","actions":["READ"]}]`, false},                                                                          // [AZ-13]
	{"longer action", demands(reads), `[{"type":"account","actions":["reads","rea"]}]`, false},                                                                          // [AZ-13]
	{"one action of two", demands(both), `[{"type":"account","actions":["read"]}]`, false},                                                                              // [AZ-13]
	{"objects are not added up", demands(both), `[{"type":"account","actions":["read"]},{"type":"account","actions":["list"]}]`, false},                                 // [AZ-13]
	{"product", demands(mine), `[{"type":"account","actions":["read"],"datatypes":["balance"],"privileges":["owner"]},{"type":"account","identifier":"acc-1"}]`, false}, // [AZ-13]
	{"actions, one string", demands(reads), `[{"type":"account","actions":"read"}]`, false},
	{"actions, null", demands(reads), `[{"type":"account","actions":null}]`, false},
	{"actions, object", demands(reads), `[{"type":"account","actions":{"read":true}}]`, false},
	{"actions, null among them", demands(reads), `[{"type":"account","actions":["read",null]}]`, false},
	{"actions, number among them", demands(reads), `[{"type":"account","actions":["read",1]}]`, false},
	{"another account", demands(mine), `[{"type":"account","actions":["read"],"datatypes":["balance"],"privileges":["owner"],"identifier":"acc-2"}]`, false}, // [AZ-13]
	{"no account", demands(mine), `[{"type":"account","actions":["read"],"datatypes":["balance"],"privileges":["owner"]}]`, false},                           // [AZ-13]
	{"account, list", demands(mine), `[{"type":"account","actions":["read"],"datatypes":["balance"],"privileges":["owner"],"identifier":["acc-1"]}]`, false},
	{"other data", demands(mine), `[{"type":"account","actions":["read"],"datatypes":["owner"],"privileges":["balance"],"identifier":"acc-1"}]`, false}, // [AZ-13]

	{"field, list", demands(europe), `[{"type":"account","country":["FR","ES","DE"]}]`, true},
	{"field, part of it", demands(europe), `[{"type":"account","country":["FR"]}]`, false}, // [AZ-13]
	{"field, one string", demands(europe), `[{"type":"account","country":"DE"}]`, false},   // [AZ-13]
	{"field, number", demands(europe), `[{"type":"account","country":1}]`, false},
	{"field missing", demands(europe), `[{"type":"account"}]`, false}, // [AZ-13]
	{"field as string", demands(fieldsOf("country", "DE")), `[{"type":"a","country":"DE"}]`, true},

	{"here", demands(reads), `[{"type":"account","actions":["read"],"locations":["https://x.test","` + api + `"]}]`, true},
	{"here, by another audience", demands(reads), `[{"type":"account","actions":["read"],"locations":["` + part + `"]}]`, true},
	{"elsewhere", demands(reads), `[{"type":"account","actions":["read"],"locations":["https://x.test"]}]`, false},           // [AZ-12]
	{"nowhere", demands(reads), `[{"type":"account","actions":["read"],"locations":[]}]`, false},                             // [AZ-12]
	{"location null", demands(reads), `[{"type":"account","actions":["read"],"locations":null}]`, false},                     // [AZ-12]
	{"location empty", demands(reads), `[{"type":"account","actions":["read"],"locations":[""]}]`, false},                    // [AZ-12]
	{"location, one string", demands(reads), `[{"type":"account","actions":["read"],"locations":"` + api + `"}]`, false},     // [AZ-12]
	{"location, number too", demands(reads), `[{"type":"account","actions":["read"],"locations":["` + api + `",1]}]`, false}, // [AZ-12]
	{"location with slash", demands(reads), `[{"type":"account","actions":["read"],"locations":["` + api + `/"]}]`, false},   // [AZ-13]
	{"location below", demands(reads), `[{"type":"account","actions":["read"],"locations":["` + api + `/orders"]}]`, false},  // [AZ-13]
	{"part, part's route", demands(reads).WithAudience(part), `[{"type":"account","actions":["read"],"locations":["` + part + `"]}]`, true},
	{"whole, part's route", demands(reads).WithAudience(part), `[{"type":"account","actions":["read"],"locations":["` + api + `"]}]`, false}, // [AZ-10]

	{"typed", demands(typed), `[{"type":"payment","currency":"EUR","limit":100,"creditor":{"name":"x"}}]`, true},
	{"typed, here", demands(typed), `[{"locations":["` + api + `"],"limit":100,"currency":"EUR","type":"payment"}]`, true},
	{"typed, second", demands(typed), `[{"type":"payment","currency":"USD","limit":100},{"type":"payment","currency":"EUR","limit":100}]`, true},
	{"typed, not added up", demands(typed), `[{"type":"payment","currency":"EUR"},{"type":"payment","limit":100}]`, false}, // [AZ-13]
	{"typed, refused", demands(typed), `[{"type":"payment","currency":"EUR","limit":99}]`, false},                          // [AZ-14]
	{"typed, absent", demands(typed), `[{"type":"payment","currency":"EUR"}]`, false},
	{"typed, nothing but type", demands(anyPayment), `[{"type":"payment"}]`, true},
	{"typed, another type", demands(anyPayment), `[{"type":"account"}]`, false},                                  // [AZ-12]
	{"typed, elsewhere", demands(anyPayment), `[{"type":"payment","locations":["https://x.test"]}]`, false},      // [AZ-12]
	{"typed, locations null", demands(anyPayment), `[{"type":"payment","locations":null}]`, false},               // [AZ-12]
	{"typed, unknown member", demands(anyPayment), `[{"type":"payment","until":"2026"}]`, false},                 // [AZ-12]
	{"typed, unknown member inside", demands(anyPayment), `[{"type":"payment","creditor":{"iban":"x"}}]`, false}, // [AZ-12]
	{"typed, common member", demands(anyPayment), `[{"type":"payment","actions":["initiate"]}]`, false},          // [AZ-12]
	{"typed, member in other case", demands(anyPayment), `[{"type":"payment","Currency":"EUR"}]`, false},         // [AZ-12]
	{"typed, null", demands(anyPayment), `[{"type":"payment","limit":null}]`, false},                             // [AZ-12]
	{"typed, wrong type", demands(anyPayment), `[{"type":"payment","limit":"100"}]`, false},                      // [AZ-12]
}

func detailStand(t testing.TB) *stand {
	return newStand(t, func(c *bearward.Config) { c.Issuers[0].Audience = []string{api, part} })
}

// TestDetails: each demand needs one object that grants all of it.
// [AZ-10 AZ-12 AZ-13 AZ-14]
func TestDetails(t *testing.T) {
	s := detailStand(t)
	for _, c := range detailCases {
		r := bearer(s.mint("", map[string]any{"aud": []string{api, part}, "authorization_details": json.RawMessage(c.grants)}))
		d := s.decide(r, c.policy)
		if d.Allowed != c.ok {
			t.Errorf("%s: allowed %v, %v", c.name, d.Allowed, d.Err)
			continue
		}
		if !c.ok && (validate.CodeOf(d.Err) != validate.ErrDetailsMissing || d.Denial.Status != 403 || d.Denial.Error != "" || len(d.Denial.Header.Values("WWW-Authenticate")) != 0) {
			t.Errorf("%s: %v %+v", c.name, d.Err, d.Denial)
		}
		s.agree(t, c.name, r, c.policy)
	}
}

// TestDetailsWithoutClaim: a token that has none, and one whose verifier keeps
// no claims, grant nothing. [AZ-14]
func TestDetailsWithoutClaim(t *testing.T) {
	s := detailStand(t)
	if d := s.decide(bearer(s.mint("", nil)), demands(reads)); validate.CodeOf(d.Err) != validate.ErrDetailsMissing {
		t.Error(d.Err)
	}
	g := foreign(t, gives(foreignClaims(), nil))
	if _, d := g.Decide(t.Context(), bearer(foreignToken), demands(reads)); validate.CodeOf(d.Err) != validate.ErrDetailsMissing {
		t.Error(d.Err)
	}
	if _, d := g.Decide(t.Context(), bearer(foreignToken), middleware.Policy{Roles: []string{"a"}}); validate.CodeOf(d.Err) != validate.ErrRoleMissing {
		t.Error(d.Err)
	}
}

// TestDetailsWithoutResource: an API without identifier is not the empty
// location. [AZ-12]
func TestDetailsWithoutResource(t *testing.T) {
	s := newStand(t, func(c *bearward.Config) {
		c.Resource, c.Realm, c.Issuers[0].Audience = "", "orders", []string{api}
	})
	for location, ok := range map[string]bool{"": false, api: true, "orders": false} {
		d := s.decide(s.granting(`[{"type":"account","actions":["read"],"locations":["`+location+`"]}]`), demands(reads))
		if d.Allowed != ok {
			t.Errorf("%q: %v", location, d.Err)
		}
	}
}

// TestAuthorizationOrder: scopes, then details, then roles, then the own check;
// all must pass. [AZ-14 AZ-08]
func TestAuthorizationOrder(t *testing.T) {
	s := detailStand(t)
	p := demands(reads).WithRoles("clerk")
	p.AllScopes = []string{"pay"}
	p = p.WithCheck(func(context.Context, *validate.Token) error { return validate.ErrCheckRefused })
	grants := json.RawMessage(`[{"type":"account","actions":["read"]}]`)
	for _, c := range []struct {
		claims map[string]any
		want   validate.Code
	}{
		{map[string]any{}, validate.ErrScopeMissing},
		{map[string]any{"authorization_details": grants, "roles": []string{"clerk"}}, validate.ErrScopeMissing},
		{map[string]any{"scope": "pay"}, validate.ErrDetailsMissing},
		{map[string]any{"scope": "pay", "roles": []string{"clerk"}}, validate.ErrDetailsMissing},
		{map[string]any{"scope": "pay", "authorization_details": grants}, validate.ErrRoleMissing},
		{map[string]any{"scope": "pay", "authorization_details": grants, "roles": []string{"clerk"}}, validate.ErrCheckRefused},
	} {
		r := bearer(s.mint("", c.claims))
		if d := s.decide(r, p); validate.CodeOf(d.Err) != c.want {
			t.Errorf("%v: %v, want %s", c.claims, d.Err, c.want)
		}
		s.agree(t, string(c.want), r, p)
	}
}

// TestTypedDetailPanics: the answer is a refusal. [PV-07]
func TestTypedDetailPanics(t *testing.T) {
	s := detailStand(t)
	p := demands(middleware.MatchDetail("payment", func(context.Context, amount) bool { panic("covers") }))
	r := s.granting(`[{"type":"payment"}]`)
	if d := s.decide(r, p); d.Allowed || d.Denial.Status != 500 || validate.CodeOf(d.Err) != validate.ErrInternal {
		t.Errorf("%+v", d)
	}
	if report := s.guard.Explain(t.Context(), r, p); report.Allowed || report.Status != 500 {
		t.Errorf("%s", report)
	}
	if d := s.decide(s.granting(`[{"type":"payment","until":1}]`), p); validate.CodeOf(d.Err) != validate.ErrDetailsMissing { // not asked
		t.Errorf("%+v", d)
	}
}

// TestTypedDetailContext is the request's.
func TestTypedDetailContext(t *testing.T) {
	s := detailStand(t)
	type key struct{}
	p := demands(middleware.MatchDetail("payment", func(ctx context.Context, a amount) bool { return ctx.Value(key{}) == a.Currency }))
	r := s.granting(`[{"type":"payment","currency":"EUR"}]`)
	for currency, ok := range map[string]bool{"EUR": true, "USD": false} {
		if _, d := s.guard.Decide(context.WithValue(t.Context(), key{}, currency), r, p); d.Allowed != ok {
			t.Errorf("%s: %v", currency, d.Err)
		}
	}
}

// TestReportOfDetails names demands, and types and members of the token's
// objects, but no value of them.
func TestReportOfDetails(t *testing.T) {
	s := detailStand(t)
	r := s.granting(`[{"type":"account","actions":["read"],"identifier":"DE89370400440532013000"},{"type":"x"}]`)
	report := s.guard.Explain(t.Context(), r, demands(europe, both, typed))
	at := slices.IndexFunc(report.Rules, func(f validate.Finding) bool { return f.Rule == "route-details" })
	f := report.Rules[at]
	if f.Expected != "account (country DE FR); account (actions read list); payment (by its function)" || f.Found != "account (actions, identifier); x" {
		t.Errorf("%+v", f)
	}
	if f.Code != validate.ErrDetailsMissing || f.Claim != "authorization_details" || strings.Contains(report.String(), "DE8937") {
		t.Errorf("%s", report)
	}
}

// naive is a second, slow reading of what Detail says, on what encoding/json
// makes of an object.
func naive(d middleware.Detail, grant map[string]any) bool {
	need := map[string][]string{}
	for name, list := range map[string][]string{"actions": d.Actions, "datatypes": d.DataTypes, "privileges": d.Privileges} {
		if len(list) > 0 {
			need[name] = list
		}
	}
	if d.Identifier != "" {
		need["identifier"] = []string{d.Identifier}
	}
	for name, list := range d.Fields {
		need[name] = list
	}
	for name, value := range grant {
		have, ok := texts(value)
		_, isText := value.(string)
		switch {
		case name == "type":
			if value != d.Type {
				return false
			}
			continue
		case !ok:
			return false
		case name == "locations":
			if isText || !slices.Contains(have, api) && !slices.Contains(have, part) {
				return false
			}
			continue
		case need[name] == nil:
			return false
		case d.Fields[name] == nil && isText != (name == "identifier"):
			return false
		}
		for _, n := range need[name] {
			if !slices.Contains(have, n) {
				return false
			}
		}
		delete(need, name)
	}
	return len(need) == 0
}

func texts(value any) ([]string, bool) {
	if s, ok := value.(string); ok {
		return []string{s}, true
	}
	list, ok := value.([]any)
	out := []string{}
	for _, v := range list {
		s, isText := v.(string)
		if !isText {
			return nil, false
		}
		out = append(out, s)
	}
	return out, ok
}

// TestAnyDetails: a demand is covered if and only if the naive reading finds
// one object that covers it. Few words make for many near misses.
// [AZ-12 AZ-13 AZ-14]
func TestAnyDetails(t *testing.T) {
	s := detailStand(t)
	word := rapid.SampledFrom([]string{"a", "b", "A", "á", "a\u0301"})
	words := rapid.SliceOfNDistinct(word, 1, 2, rapid.ID)
	maybe := rapid.OneOf(rapid.Just([]string(nil)), words)
	demand := rapid.Custom(func(t *rapid.T) middleware.Detail {
		d := middleware.Detail{Type: rapid.SampledFrom([]string{"a", "b"}).Draw(t, "type")}
		d.Actions, d.DataTypes, d.Privileges = maybe.Draw(t, "actions"), maybe.Draw(t, "datatypes"), maybe.Draw(t, "privileges")
		d.Identifier = rapid.OneOf(rapid.Just(""), word).Draw(t, "identifier")
		if fields := maybe.Draw(t, "field"); fields != nil {
			d.Fields = map[string][]string{"x": fields}
		}
		return d
	})
	value := rapid.OneOf(
		rapid.Map(word, func(w string) any { return w }),
		rapid.Map(rapid.SliceOfN(word, 0, 4), func(w []string) any { return w }),
		rapid.Map(rapid.SliceOfN(word, 2, 4), func(w []string) any { return w }),
		rapid.SampledFrom([]any{nil, 1, true, []any{"a", nil}, []any{"a", 1}, map[string]any{"a": "a"}, ""}),
	)
	rapid.Check(t, func(t *rapid.T) {
		list := rapid.SliceOfN(demand, 1, 2).Draw(t, "demands")
		p, err := s.guard.Prepare(demands(list...))
		if err != nil {
			t.Fatal(err)
		}
		grants := rapid.SliceOfN(grant(list, value), 0, 3).Draw(t, "grants")
		raw, err := json.Marshal(grants)
		if err != nil {
			t.Fatal(err)
		}
		want := true
		var read []map[string]any
		if err := json.Unmarshal(raw, &read); err != nil {
			t.Fatal(err)
		}
		for _, d := range list {
			want = want && slices.ContainsFunc(read, func(g map[string]any) bool { return naive(d, g) })
		}
		if d := s.decide(s.granting(string(raw)), p); d.Allowed != want || !want && validate.CodeOf(d.Err) != validate.ErrDetailsMissing {
			t.Errorf("%+v by %s: allowed %v, %v, want %v", list, raw, d.Allowed, d.Err, want)
		}
	})
}

// grant is an object that covers one of the demands, with a few changes.
func grant(list []middleware.Detail, value *rapid.Generator[any]) *rapid.Generator[map[string]any] {
	return rapid.Custom(func(t *rapid.T) map[string]any {
		d := rapid.SampledFrom(list).Draw(t, "of")
		g := map[string]any{"type": d.Type}
		for name, values := range map[string][]string{"actions": d.Actions, "datatypes": d.DataTypes, "privileges": d.Privileges, "x": d.Fields["x"]} {
			if len(values) > 0 {
				g[name] = values
			}
		}
		if d.Identifier != "" {
			g["identifier"] = d.Identifier
		}
		name := rapid.SampledFrom([]string{"actions", "datatypes", "privileges", "identifier", "x", "y", "Actions"})
		for range rapid.IntRange(0, 2).Draw(t, "changes") {
			switch at := name.Draw(t, "at"); rapid.IntRange(0, 3).Draw(t, "change") {
			case 0:
				delete(g, at)
			case 1:
				g[at] = value.Draw(t, "value")
			case 2:
				g["locations"] = rapid.SampledFrom([]any{[]string{api}, []string{part, "x"}, []string{"x"}, []string{}, api, nil, []any{api, 1}}).Draw(t, "locations")
			case 3:
				g["type"] = rapid.SampledFrom([]string{"a", "b", "A"}).Draw(t, "other type")
			}
		}
		return g
	})
}
