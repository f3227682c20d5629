package config

import (
	"reflect"
	"slices"

	"github.com/bearward/bearward/validate"
)

// idle refuses every key of a table but the one that switches it off: whoever
// wrote them expects something that does not happen.
func (c *checker) idle(path string, table reflect.Type, off, why string) {
	_, known := schema(table)
	for _, key := range known {
		if key != off && c.given(join(path, key)) {
			c.say(join(path, key), "%s is not used: %s", key, why)
		}
	}
}

// cache checks that there is something to remember.
func (c *checker) cache() {
	if c.file.Cache.Disabled {
		c.idle("cache", reflect.TypeFor[Cache](), "disabled", "the cache is disabled")
	}
	jwts := func(i Issuer) bool { return i.Introspection == nil || i.Introspection.JWT }
	if c.given("cache") && !c.failed["issuers"] && !slices.ContainsFunc(c.file.Issuers, jwts) {
		c.say("cache", "the cache is about JWTs, and no issuer has any")
	}
}

// keyless refuses settings of keys where nothing is verified with them: the
// issuer has opaque tokens only, and answers about them in plain JSON.
func (c *checker) keyless(path string, issuer *Issuer) {
	in := issuer.Introspection
	preset, _ := validate.PresetNamed(issuer.Preset)
	if in == nil || in.JWT || in.SignedResponse != "off" || preset.Answer.Dialect == "phantom" || c.failed[path+".introspection"] {
		return
	}
	for _, key := range []string{"algorithms", "jwks_uri", "jwks_file", "jwks"} {
		if here := join(path, key); c.given(here) {
			c.say(here, "%s is not used: with jwt: false nothing is verified with keys", key)
		}
	}
}
