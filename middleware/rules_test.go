package middleware

import (
	"errors"
	"slices"
	"testing"

	"github.com/bearward/bearward/validate"
)

// Every rule has a name of its own, a source, and codes of the table.
func TestRulesAreComplete(t *testing.T) {
	_, table := validate.Codes()
	names := map[string]bool{}
	for _, r := range slices.Concat(requestRules, statusRules, routeRules) {
		if names[r.name] || r.name == "" || r.source == "" || r.check == nil || len(r.codes) == 0 {
			t.Errorf("rule %q is incomplete or there twice", r.name)
		}
		names[r.name] = true
		for _, code := range r.codes {
			if _, ok := table[code]; !ok {
				t.Errorf("rule %s: code %s is not in the table", r.name, code)
			}
		}
	}
}

// Only Bearer is offered today, so no request comes this far with another
// scheme: the rule is tested by itself.
func TestRouteScheme(t *testing.T) {
	for _, c := range []struct {
		schemes []string
		scheme  string
		refused bool
	}{
		{nil, "Bearer", false},
		{[]string{"bearer"}, "Bearer", false},
		{[]string{"BEARER"}, "Bearer", false},
		{[]string{"bearer"}, "DPoP", true},
	} {
		err := checkScheme(&pass{scheme: c.scheme, policy: &compiled{policy: Policy{Schemes: c.schemes}}})
		if errors.Is(err, validate.ErrSchemeRefused) != c.refused || (err != nil) != c.refused {
			t.Errorf("%q by %q: %v", c.schemes, c.scheme, err)
		}
	}
}
