package config

import (
	"fmt"
	"slices"

	"github.com/bearward/bearward/internal/jose"
)

// nonceModes are in the order in which each demands more.
var nonceModes = []string{"off", "adaptive", "required"}

// proofs checks dpop. One that is switched off is as good as absent.
func (c *checker) proofs() {
	f := c.file
	if c.given("dpop.enabled") && !f.DPoP.Enabled {
		f.DPoP = nil
	}
	d := f.DPoP
	if d == nil {
		return
	}
	for i, alg := range d.Algorithms {
		here := fmt.Sprintf("dpop.algorithms[%d]", i)
		if c.given(here) && !jose.Known(alg) { // [DP-05]
			c.say(here, "algorithm %s cannot be allowed: the known ones are RS, PS and ES with 256, 384 or 512, and EdDSA or Ed25519", quote(alg))
		}
	}
	shared, nonces := d.Replay == "redis", c.nonces()
	if shared && f.Redis == nil && !c.failed["redis"] {
		c.say("dpop.replay", "used proofs on redis need redis")
	}
	if shared && c.given("dpop.entries") {
		c.say("dpop.entries", "entries is not used: used proofs are on redis")
	}
	if shared && nonces && d.NonceKeysFile == "" && !c.failed["dpop.nonce_keys_file"] { // [DP-27]
		c.say("dpop.replay", "instances that share used proofs and ask for nonces need nonce_keys_file: each would refuse the nonces of the others")
	}
	if c.given("dpop.nonce_keys_file") && !nonces {
		c.say("dpop.nonce_keys_file", "nonce_keys_file is not used: no nonces are asked for, here or in a rule")
	}
}

// nonces reports that any rule asks for them, as far as is known.
func (c *checker) nonces() bool {
	if c.file.DPoP.Nonce != "off" || c.failed["rules"] {
		return true
	}
	for i, r := range c.file.Rules {
		if r.Nonce != "" && r.Nonce != "off" || c.failed[fmt.Sprintf("rules[%d].nonce", i)] {
			return true
		}
	}
	return false
}

// offered reports that proofs are judged, as far as is known.
func (c *checker) offered() bool { return c.file.DPoP != nil || c.failed["dpop"] }

// certified reports that a client certificate can arrive, as far as is known.
func (c *checker) certified() bool {
	f := c.file
	byTLS := f.TLS != nil && f.TLS.ClientCerts != "none" && !c.isAsked()
	return byTLS || f.ClientCertHeader != nil || c.failed["tls"] || c.failed["client_cert_header"]
}

// sender checks what a rule demands of whoever sends a token.
func (c *checker) sender(path string, rule *Rule) {
	if rule.Public {
		return
	}
	for i, scheme := range rule.Schemes {
		if here := fmt.Sprintf("%s.schemes[%d]", path, i); c.given(here) && scheme == "dpop" && !c.offered() {
			c.say(here, "scheme dpop needs dpop: without it no proofs are judged")
		}
	}
	named := len(rule.Schemes) == 0 || slices.Contains(rule.Schemes, "dpop") || c.failed[path+".schemes"]
	c.binding(path, rule, named)
	if c.given(path + ".nonce") {
		c.nonce(path+".nonce", rule, named)
	}
}

// binding refuses a demand that no token can meet. named says that the rule
// accepts the scheme dpop, if that is on.
func (c *checker) binding(path string, rule *Rule, named bool) {
	here := path + ".binding"
	byKey, byCert := c.offered() && named, c.certified()
	const how = "set tls with client_certs, or client_cert_header"
	switch {
	case rule.Binding == "dpop" && !c.offered(): // [DP-18]
		c.say(here, "binding dpop needs dpop: without it no proofs are judged")
	case rule.Binding == "dpop" && !named:
		c.say(here, "binding dpop where schemes has no dpop leaves no way to send a token")
	case rule.Binding == "mtls" && !byCert: // [MT-01]
		c.say(here, "binding mtls needs client certificates, and none can arrive: %s", how)
	case rule.Binding == "bound" && !byKey && !byCert:
		c.say(here, "binding bound needs dpop, or client certificates: %s", how)
	case c.file.FAPI && c.given(here) && rule.Binding == "if-bound": // [HS-03]
		c.say(here, "fapi demands bound tokens of every rule")
	case c.file.FAPI && c.offered() && !byKey && !byCert:
		c.say(path+".schemes", "fapi demands bound tokens, and schemes without dpop leaves no way to send one: %s", how)
	}
}

// nonce refuses a demand that lowers that of dpop, or that concerns no proof.
func (c *checker) nonce(here string, rule *Rule, named bool) {
	asked, least := rule.Nonce != "off", "off"
	if d := c.file.DPoP; d != nil && !c.failed["dpop.nonce"] {
		least = d.Nonce
	}
	switch {
	case asked && !c.offered():
		c.say(here, "nonce %s needs dpop: without it no proofs are judged", rule.Nonce)
	case slices.Index(nonceModes, rule.Nonce) < slices.Index(nonceModes, least): // [DP-25]
		c.say(here, "nonce %s is less than the %s of dpop: a rule can only raise it", rule.Nonce, least)
	case asked && !named:
		c.say(here, "nonce is about proofs, and schemes has no dpop")
	case c.file.FAPI && rule.Nonce == "adaptive": // [DP-25]
		c.say(here, "adaptive nonces are no part of FAPI 2.0: write required, or off")
	}
}
