package validate

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// prepareDemands turns Require into marks, and wants it to say whose tokens are
// meant where everybody can have some.
func (c *Config) prepareDemands() error {
	var faults []error
	for _, claim := range slices.Sorted(maps.Keys(c.Require)) {
		values := slices.Clone(c.Require[claim])
		if claim == "" || len(values) == 0 || slices.Contains(values, "") {
			faults = append(faults, fmt.Errorf("issuer %q: require %q needs a claim and its accepted values, none of them empty", c.Issuer, claim))
		}
		c.demands = append(c.demands, Mark{Claim: claim, Values: values})
	}
	named := func(claim string) bool { return len(c.Require[claim]) > 0 }
	if whose := c.habits.Whose; len(whose) > 0 && !slices.ContainsFunc(whose, named) {
		faults = append(faults, fmt.Errorf("issuer %q: everybody can have tokens of preset %q for any audience: require has to list values of %s",
			c.Issuer, c.habits.Name, strings.Join(whose, " or ")))
	}
	return errors.Join(faults...)
}

// checkForm refuses an issuer by which the preset's marks cannot tell what to
// look for: every token of the provider would pass.
func (c *Config) checkForm() error {
	var forms []string
	for i := range c.habits.Require {
		if form := c.habits.Require[i].Issuer; form != "" && !slices.Contains(forms, form) {
			forms = append(forms, form)
		}
	}
	fit := 0
	for _, form := range forms {
		if strings.Contains(c.Issuer, form) {
			fit++
		}
	}
	if len(forms) > 0 && fit != 1 { // [CL-04]
		return fmt.Errorf("issuer %q: preset %q is for issuers that contain one of %q", c.Issuer, c.habits.Name, forms)
	}
	return nil
}

// checkDemands wants the values that the configuration lists.
func checkDemands(s *state) *Error {
	for i := range s.issuer.config.demands {
		m := &s.issuer.config.demands[i]
		if has, _ := s.bears(m); !has {
			return refuseClaim(ErrClaimRefused, m.Claim)
		}
	}
	return nil
}

func showDemands(s *state) (expected, found string) { return s.showAll(s.issuer.config.demands) }
