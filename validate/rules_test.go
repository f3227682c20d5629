package validate

import (
	"context"
	"slices"
	"testing"

	"github.com/bearward/bearward/internal/issuer"
)

// Every rule has a name of its own, a source, and codes of the table, and it
// refuses with no other code than it declares.
func TestRulesDeclareTheirCodes(t *testing.T) {
	rules := slices.Concat(shape, substance)
	byName := map[string]rule{}
	for _, r := range rules {
		if _, twice := byName[r.name]; twice || r.name == "" || r.source == "" || r.check == nil || len(r.codes) == 0 {
			t.Errorf("rule %q is incomplete or there twice", r.name)
		}
		byName[r.name] = r
		for _, code := range r.codes {
			if _, ok := codes[code]; !ok {
				t.Errorf("rule %s: code %s is not in the table", r.name, code)
			}
		}
	}
	s, err := issuer.Start(issuer.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	refused := map[string]bool{}
	for _, profile := range []Profile{RFC9068, Compat} {
		j, err := NewJWT(Config{Issuer: s.URL(), Audience: []string{issuer.DefaultAudience}, Keys: oneKey{&Key{
			ID: s.KeyID("ES256"), Algorithm: "ES256", Public: s.Key("ES256"),
		}}, Profile: profile, MaxLifetime: issuer.Lifetime})
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range issuer.Variants() {
			raw, err := s.Mint(v.Name, s.Claims(""))
			if err != nil {
				t.Fatal(err)
			}
			findings, _ := j.Explain(t.Context(), raw)
			if len(findings) != len(rules) {
				t.Fatalf("%s: %d findings of %d rules", v.Name, len(findings), len(rules))
			}
			for n, f := range findings {
				if f.Rule != rules[n].name {
					t.Fatalf("%s: finding %d is about %s, want %s", v.Name, n, f.Rule, rules[n].name)
				}
				if f.Status == Failed && !slices.Contains(byName[f.Rule].codes, f.Code) {
					t.Errorf("%s: rule %s refuses with %s, which it does not declare", v.Name, f.Rule, f.Code)
				}
				refused[f.Rule] = refused[f.Rule] || f.Status == Failed
			}
		}
	}
	for name := range byName {
		if !refused[name] && name != "tenant" && name != "marks" && name != "require" { // those are the presets' and the configuration's
			t.Errorf("no kind of token is refused by rule %s", name)
		}
	}
}

type oneKey struct{ key *Key }

func (k oneKey) Keys(_ context.Context, kid, _ string) ([]*Key, error) {
	if kid != k.key.ID {
		return nil, nil
	}
	return []*Key{k.key}, nil
}

func (oneKey) Live(*Key) bool { return true }
