package middleware

import (
	"maps"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bearward/bearward/validate"
)

// here reports that a location of a grant is this API, or on a narrowed route
// the part of it that the route belongs to.
func (p *pass) here(location string) bool {
	if p.policy.narrowed { // [AZ-10]
		return slices.Contains(p.policy.policy.Audience, location)
	}
	return location != "" && (location == p.guard.config.Resource || slices.Contains(p.issuer.Audience, location))
}

// checkDetails asks for one object of authorization_details per demand. RFC
// 9396 has no error code for it, so it is a policy decision.
func checkDetails(p *pass) error {
	if len(p.policy.details) == 0 {
		return nil
	}
	grants, err := p.token.Details()
	if err != nil {
		return err
	}
	for i := range p.policy.details {
		d := &p.policy.details[i]
		if !slices.ContainsFunc(grants, func(g validate.Detail) bool { return d.grantedBy(p, g) }) { // [AZ-14]
			return &validate.Error{Code: validate.ErrDetailsMissing, Claim: "authorization_details"}
		}
	}
	return nil
}

// showDetails shows the values that the route demands, and of the token's
// objects the types and the names of their members only: their values may be
// account numbers.
func showDetails(p *pass) (expected, found string) {
	if len(p.policy.details) == 0 {
		return "any", ""
	}
	var need, have []string
	for i := range p.policy.details {
		need = append(need, p.policy.details[i].String())
	}
	grants, _ := p.token.Details() // a fault is the rule's to report
	for _, g := range grants {
		var members map[string]jsontext.Value
		_ = g.Decode(&members) // it was read before
		delete(members, "type")
		have = append(have, outline(g.Type, slices.Sorted(maps.Keys(members))))
	}
	return strings.Join(need, "; "), strings.Join(have, "; ")
}

func (d *demand) String() string {
	var members []string
	for _, name := range slices.Sorted(maps.Keys(d.wants)) {
		members = append(members, name+" "+strings.Join(d.wants[name].values, " "))
	}
	if d.typed != nil {
		members = append(members, "by its function")
	}
	return outline(d.Type, members)
}

func outline(typ string, members []string) string {
	if len(members) == 0 {
		return typ
	}
	return typ + " (" + strings.Join(members, ", ") + ")"
}

// membership is a list of names in the token that routes can ask for.
type membership struct {
	name string
	need func(*Policy) []string
	have func(*validate.Token) ([]string, error)
}

var memberships = []membership{
	{"roles", func(p *Policy) []string { return p.Roles }, (*validate.Token).Roles},
	{"permissions", func(p *Policy) []string { return p.Permissions }, (*validate.Token).Permissions},
	{"groups", func(p *Policy) []string { return p.Groups }, (*validate.Token).Groups},
}

// checkRoles compares whole and exactly. A client cannot ask for a role, so a
// missing one is no missing scope.
func checkRoles(p *pass) error {
	for i := range memberships {
		m := &memberships[i]
		need := m.need(&p.policy.policy)
		if len(need) == 0 {
			continue
		}
		have, err := m.have(p.token)
		if err != nil { // [CL-23]
			return err
		}
		if !includes(have, need) { // [AZ-08]
			return &validate.Error{Code: validate.ErrRoleMissing, Claim: m.name}
		}
	}
	return nil
}

func showRoles(p *pass) (expected, found string) {
	for i := range memberships {
		m := &memberships[i]
		need := m.need(&p.policy.policy)
		if len(need) == 0 {
			continue
		}
		have, _ := m.have(p.token) // a fault is the rule's to report
		expected += m.name + " " + strings.Join(need, " ") + " "
		found += m.name + " " + strings.Join(have, " ") + " "
	}
	if expected == "" {
		return "any", ""
	}
	return strings.TrimSpace(expected), strings.TrimSpace(found)
}
