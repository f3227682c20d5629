package validate

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// tenantPlace is the one placeholder of an issuer that stands for a family of
// issuers, one for each tenant of a provider.
const tenantPlace = "{tenantid}"

// AnyTenant as the only member of Config.Tenants accepts every tenant but the
// provider's own one for personal accounts.
const AnyTenant = "any"

// personalTenant is where one provider keeps consumer accounts: everybody can
// have one, so it has to be named to be accepted.
const personalTenant = "9188040d-6c67-4c5b-b112-36a304b66dad"

// template is an issuer with a placeholder, split around it. The zero template
// stands for a plain issuer.
type template struct{ before, after string }

// IsTemplate reports whether issuer contains the placeholder {tenantid}.
func IsTemplate(issuer string) bool { return strings.Contains(issuer, tenantPlace) }

func newTemplate(issuer string) (template, bool) {
	before, after, ok := strings.Cut(issuer, tenantPlace)
	return template{before, after}, ok && !strings.ContainsAny(before+after, "{}")
}

// tenant returns the part of issuer that stands at the placeholder, if it is a
// tenant identifier in its one spelling.
func (t template) tenant(issuer string) (string, bool) {
	if len(issuer) <= len(t.before)+len(t.after) || !strings.HasPrefix(issuer, t.before) || !strings.HasSuffix(issuer, t.after) {
		return "", false
	}
	id := issuer[len(t.before) : len(issuer)-len(t.after)]
	return id, guid(id)
}

// guid accepts 8-4-4-4-12 hexadecimal digits in lower case.
func guid(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch i {
		case 8, 13, 18, 23:
			if c != '-' {
				return false
			}
		default:
			if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
				return false
			}
		}
	}
	return true
}

func (c *Config) prepareTenants() error {
	if !IsTemplate(c.Issuer) {
		if len(c.Tenants) > 0 {
			return fmt.Errorf("issuer %q: tenants are for an issuer that contains %s", c.Issuer, tenantPlace)
		}
		return c.checkOneTenant()
	}
	var faults []error
	var ok bool
	if c.tenant, ok = newTemplate(c.Issuer); !ok {
		faults = append(faults, fmt.Errorf("issuer %q: %s once is the only placeholder", c.Issuer, tenantPlace))
	}
	if !c.habits.Template {
		faults = append(faults, fmt.Errorf("issuer %q: preset %q has no issuers with %s", c.Issuer, c.habits.Name, tenantPlace))
	}
	if len(c.Tenants) == 0 { // [JK-22]
		faults = append(faults, fmt.Errorf("issuer %q: tenants lists the accepted tenants, or says any", c.Issuer))
	}
	for _, id := range c.Tenants {
		if !guid(id) && (id != AnyTenant || len(c.Tenants) > 1) {
			faults = append(faults, fmt.Errorf("issuer %q: tenant %q is not a GUID in lower case, nor any alone", c.Issuer, id))
		}
	}
	c.Tenants = slices.Clone(c.Tenants)
	return errors.Join(faults...)
}

// checkOneTenant refuses names that stand for many tenants, or for one in a way
// that no token has.
func (c *Config) checkOneTenant() error {
	for _, name := range c.habits.KeyIssuers {
		t, _ := newTemplate(name)
		_, ok := t.tenant(c.Issuer)
		if !ok && strings.HasPrefix(c.Issuer, t.before) && strings.HasSuffix(c.Issuer, t.after) { // [JK-22]
			return fmt.Errorf("issuer %q: tokens have the tenant's id there, a GUID in lower case: write it, or %s and list tenants", c.Issuer, tenantPlace)
		}
	}
	return nil
}

// checkTenant holds the tenant in iss against the list and against tid.
func checkTenant(s *state) *Error {
	if s.issuer.config.tenant == (template{}) {
		return nil
	}
	id, ok := s.issuer.config.tenant.tenant(s.token.Issuer)
	if !ok {
		return refuseClaim(ErrTenantRefused, "iss")
	}
	if tid, ok := text(s.claim("tid")); !ok || tid != id { // [JK-22]
		return refuseClaim(ErrTenantRefused, "tid")
	}
	accepted := s.issuer.config.Tenants
	if !slices.Contains(accepted, id) && (accepted[0] != AnyTenant || id == personalTenant) { // [JK-22]
		return refuseClaim(ErrTenantRefused, "tid")
	}
	return nil
}

// keyOfIssuer holds the key's own issuer against the token's: one key set may
// serve many tenants, each with keys of its own.
func (s *state) keyOfIssuer(k *Key) bool {
	c := &s.issuer.config
	if !c.habits.Template {
		return true
	}
	if k.Issuer == "" {
		return c.tenant == (template{}) // [JK-22]
	}
	return namesTenant(k.Issuer, s.token.Issuer) || c.habits.sameServer(k.Issuer, s.token.Issuer) // [JK-22]
}

// namesTenant reports whether of is issuer, or a template of it.
func namesTenant(of, issuer string) bool {
	if t, ok := newTemplate(of); ok {
		_, ok = t.tenant(issuer)
		return ok
	}
	return of == issuer
}

// sameServer reports whether both are names of one server for the same tenant.
func (p *Preset) sameServer(key, token string) bool {
	for _, name := range p.KeyIssuers {
		t, _ := newTemplate(name)
		id, ok := t.tenant(token)
		if !ok {
			continue
		}
		resolved := strings.Replace(key, tenantPlace, id, 1)
		return slices.ContainsFunc(p.KeyIssuers, func(other string) bool {
			return strings.Replace(other, tenantPlace, id, 1) == resolved
		})
	}
	return false
}
