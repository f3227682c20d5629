package config

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/bearward/bearward/internal/jose"
	"github.com/bearward/bearward/validate"
)

func (c *checker) issuers() {
	names, identifiers := map[string]int{}, map[string]int{}
	for i := range c.file.Issuers {
		issuer, path := &c.file.Issuers[i], fmt.Sprintf("issuers[%d]", i)
		if c.given(path + ".issuer") {
			c.identifier(path, issuer)
			c.unique(path+".issuer", issuer.Issuer, i, identifiers)
		}
		if issuer.Name != "" {
			c.unique(path+".name", issuer.Name, i, names)
		}
		c.issuerAudience(path, issuer)
		for j, alg := range issuer.Algorithms {
			here := fmt.Sprintf("%s.algorithms[%d]", path, j)
			if c.given(here) && !jose.Known(alg) { // [JO-01 JO-04]
				c.say(here, "algorithm %s cannot be allowed: the known ones are RS, PS and ES with 256, 384 or 512, and EdDSA or Ed25519", quote(alg))
			}
		}
		c.preset(path, issuer)
		c.keys(path, issuer)
		c.keyless(path, issuer)
		c.introspection(path, issuer)
	}
	c.shared()
}

// preset checks the name, and what only some presets have.
func (c *checker) preset(path string, issuer *Issuer) {
	preset, known := validate.PresetNamed(issuer.Preset)
	template := validate.IsTemplate(issuer.Issuer)
	if known && template && !preset.Template {
		c.say(path+".issuer", "preset %s has no issuers with {tenantid}", quote(issuer.Preset))
	}
	if !known && !c.failed[path+".preset"] {
		var names []string
		for _, p := range validate.Presets() {
			names = append(names, p.Name)
		}
		c.say(path+".preset", "%s is not a preset%s (there are %s)", quote(issuer.Preset), suggest(issuer.Preset, names), strings.Join(names, " "))
	}
	switch {
	case c.given(path+".tenants") && !template:
		c.say(path+".tenants", "tenants are for an issuer that contains {tenantid}")
	case template && !c.given(path+".tenants") && !c.failed[path+".tenants"]: // [JK-22]
		c.say(path+".issuer", "an issuer with {tenantid} needs tenants: the accepted ones, or any")
	}
	if template && issuer.DiscoveryURL == nil && issuer.JWKSURI == nil && issuer.JWKSFile == "" {
		c.say(path+".issuer", "an issuer with {tenantid} has no metadata of its own: set discovery_url")
	}
	if c.given(path+".opaque_prefix") && issuer.Introspection == nil {
		c.say(path+".opaque_prefix", "opaque tokens need introspection")
	}
}

// identifier checks issuer (RFC 8414 §2) and derives the default name.
func (c *checker) identifier(path string, issuer *Issuer) {
	u, err := url.Parse(issuer.Issuer)
	here := path + ".issuer"
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.Scheme != "https" && u.Scheme != "http" || strings.ContainsAny(issuer.Issuer, "?#"): // [JK-01]
		c.say(here, "an issuer is an https URL without user name, query and fragment, exactly as in its tokens")
	case u.Scheme == "http" && !issuer.AllowHTTP && issuer.JWKSFile == "" && issuer.JWKSURI == nil: // [JK-01 JK-04]
		c.say(here, "an http issuer needs allow_http: true, which permits loopback and private addresses only")
	case issuer.Name == "" && !c.given(path+".name"):
		issuer.Name = u.Host + u.EscapedPath()
	}
}

func (c *checker) unique(path, value string, i int, seen map[string]int) {
	if first, twice := seen[value]; twice {
		c.say(path, "%s is also that of the issuer in line %d", quote(value), c.places.at(fmt.Sprintf("issuers[%d]", first)).Line)
		return
	}
	seen[value] = i
}

func (c *checker) issuerAudience(path string, issuer *Issuer) {
	if len(issuer.Audience) > 0 || c.failed[path+".audience"] || c.failed["resource"] {
		return
	}
	if preset, _ := validate.PresetNamed(issuer.Preset); preset.ClientsForAud && len(issuer.ClientIDs) > 0 && c.file.Resource == "" {
		return // they stand in for aud, and one that is there is refused
	}
	if c.file.Resource == "" { // [CL-09]
		c.say(path, "this issuer has no audience: set resource, or its audience")
		return
	}
	issuer.Audience = []string{c.file.Resource}
}

// keys checks where the keys come from: discovery, one URL or one file.
func (c *checker) keys(path string, issuer *Issuer) {
	var network []string
	keys := []string{"discovery_url", "jwks_uri", "allow_private", "allow_http", "ca_file", "jwks"}
	if issuer.Introspection != nil && issuer.JWKSFile != "" { // its calls use the others
		keys = []string{"jwks_uri", "jwks"}
	}
	for _, key := range keys {
		if _, set := c.places[join(path, key)]; set {
			network = append(network, key)
		}
	}
	if c.given(path+".jwks_file") && len(network) > 0 {
		c.say(join(path, network[0]), "%s is not used with jwks_file: nothing is fetched", quote(network[0]))
		return
	}
	if slices.Contains(network, "discovery_url") && slices.Contains(network, "jwks_uri") {
		c.say(path+".discovery_url", "discovery_url and jwks_uri exclude each other")
	}
	for key, u := range map[string]*url.URL{"discovery_url": issuer.DiscoveryURL, "jwks_uri": issuer.JWKSURI} {
		if u != nil && u.Scheme == "http" && !issuer.AllowHTTP { // [JK-04]
			c.say(join(path, key), "http needs allow_http: true, which permits loopback and private addresses only")
		}
	}
	if issuer.JWKS.MaxStale < issuer.JWKS.Refresh && c.given(path+".jwks.max_stale") {
		c.say(path+".jwks.max_stale", "max_stale is below refresh: keys would expire before they are fetched again")
	}
}
