package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/bearward/bearward/validate"
)

// credentials says which keys each method of authentication needs, one of each
// group, and so which it does not use.
var credentials = map[string][][]string{
	"client_secret_basic":         {{"client_id"}, {"client_secret", "client_secret_file"}},
	"client_secret_basic_raw":     {{"client_id"}, {"client_secret", "client_secret_file"}},
	"client_secret_post":          {{"client_id"}, {"client_secret", "client_secret_file"}},
	"private_key_jwt":             {{"client_id"}, {"key_file"}},
	"tls_client_auth":             {{"client_id"}, {"cert_file"}, {"key_file"}},
	"self_signed_tls_client_auth": {{"client_id"}, {"cert_file"}, {"key_file"}},
	"bearer":                      {{"token_file"}},
	"none":                        {},
}

// optional are keys that some methods use if they are there.
var optional = map[string][]string{
	"private_key_jwt": {"key_id", "algorithm", "assertion_audience"},
	"bearer":          {"client_id"},
	"none":            {"client_id"},
}

func (c *checker) introspection(path string, issuer *Issuer) {
	in, here := issuer.Introspection, path+".introspection"
	if in == nil || c.failed[here] {
		return
	}
	c.credentials(here, in)
	if in.Endpoint != nil && in.Endpoint.Scheme == "http" && !issuer.AllowHTTP { // [JK-04]
		c.say(here+".endpoint", "http needs allow_http: true, which permits loopback and private addresses only")
	}
	preset, _ := validate.PresetNamed(issuer.Preset)
	needless := preset.Answer.Dialect == "tokeninfo"                                 // asks for no credentials
	if in.Auth == "none" && !issuer.AllowPrivate && !issuer.AllowHTTP && !needless { // [IN-02]
		c.say(here+".auth", "auth none is for loopback and private endpoints: it needs allow_private or allow_http")
	}
	live := in.Always || in.Every > 0
	switch {
	case in.Always && in.Every > 0:
		c.say(here+".every", "always and every exclude each other")
	case !in.JWT && live:
		c.say(here+".jwt", "jwt: false leaves nothing for always and every")
	case !in.Opaque && !live:
		c.say(here+".opaque", "nothing is asked about: opaque is false, and neither always nor every is set")
	case !in.Opaque && issuer.OpaquePrefix != "":
		c.say(path+".opaque_prefix", "opaque: false leaves nothing for opaque_prefix")
	case !in.Opaque && in.Audience == "trust_server":
		c.say(here+".audience", "trust_server is about opaque tokens, and opaque is false")
	}
	if c.given(here+".signed_audience") && in.SignedResponse == "off" {
		c.say(here+".signed_audience", "signed_audience is not used: signed_response is off")
	}
}

// credentials refuses keys that the method needs and has not, or has and does
// not use.
func (c *checker) credentials(here string, in *Introspection) {
	groups, known := credentials[in.Auth]
	if !known {
		return // said already
	}
	used := slices.Concat(append(slices.Clone(groups), optional[in.Auth])...)
	for _, group := range groups {
		present := 0
		for _, key := range group {
			if c.given(here+"."+key) || c.failed[here+"."+key] {
				present++
			}
		}
		switch {
		case present == 0:
			c.say(here+".auth", "%s needs %s", in.Auth, strings.Join(group, " or "))
		case present > 1:
			c.say(here+"."+group[1], "%s exclude each other", strings.Join(group, " and "))
		}
	}
	for _, key := range []string{"client_id", "client_secret", "client_secret_file", "key_file", "key_id", "algorithm", "assertion_audience", "cert_file", "token_file"} {
		if c.given(here+"."+key) && !slices.Contains(used, key) {
			c.say(here+"."+key, "%s is not used by %s", key, in.Auth)
		}
	}
}

// shared checks what several instances share.
func (c *checker) shared() {
	f := c.file
	asked := slices.ContainsFunc(f.Issuers, func(i Issuer) bool { return i.Introspection != nil })
	revoked := f.Revocation != nil && f.Revocation.List == "redis"
	proofs := f.DPoP != nil && f.DPoP.Replay == "redis" || c.failed["dpop"] || c.failed["dpop.replay"]
	if f.Redis != nil && !asked && !revoked && !proofs && !c.failed["issuers"] && !c.failed["revocation"] {
		c.say("redis", "nothing here uses redis: no issuer has introspection, and neither revocation nor dpop is on redis")
	}
	c.sharedKey(asked)
	if revoked && f.Redis == nil && !c.failed["redis"] {
		c.say("revocation.list", "a list on redis needs redis")
	}
	if f.Revocation != nil && f.Revocation.List == "memory" && (f.Admin == "" || c.given("admin") && !loopback(f.Admin)) {
		c.say("revocation.list", "a list in memory is filled over admin: set admin to a loopback address")
	}
}

// sharedKey wants a key for what is sealed on redis where there is no client
// secret to derive it from.
func (c *checker) sharedKey(asked bool) {
	if c.file.Redis == nil || c.failed["redis.key_file"] {
		return
	}
	if c.given("redis.key_file") {
		if !asked {
			c.say("redis.key_file", "key_file is not used: no issuer has introspection")
		}
		return
	}
	for n, i := range c.file.Issuers {
		in := i.Introspection
		if in == nil || in.Auth == "" || slices.Contains(slices.Concat(credentials[in.Auth]...), "client_secret") {
			continue
		}
		c.say(fmt.Sprintf("issuers[%d].introspection.auth", n), "%s has no client secret that could seal what is shared: redis needs key_file", in.Auth)
	}
}
