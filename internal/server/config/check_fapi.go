package config

import (
	"fmt"
	"slices"
)

// fapi refuses what contradicts the FAPI 2.0 Security Profile.
func (c *checker) fapi() {
	f := c.file
	if !c.offered() && !c.certified() { // [HS-03]
		c.say("fapi", "fapi demands bound tokens: it needs dpop, or client certificates by tls with client_certs, or by client_cert_header")
	}
	if f.DPoP != nil {
		c.fapiAlgorithms("dpop.algorithms", f.DPoP.Algorithms)
		if f.DPoP.Nonce == "adaptive" { // [DP-25]
			c.say("dpop.nonce", "adaptive nonces are no part of FAPI 2.0: write required, or off")
		}
	}
	for n, i := range f.Issuers {
		path := fmt.Sprintf("issuers[%d]", n)
		c.fapiAlgorithms(path+".algorithms", i.Algorithms)
		in := i.Introspection
		live := in != nil && (in.Always || in.Every > 0 || !in.JWT) || c.failed[path+".introspection"]
		if !live && f.Revocation == nil && !c.failed["revocation"] { // [HS-01]
			c.say(path, "fapi demands that no revoked token passes: set revocation, or introspection with always or every")
		}
	}
}

// fapiAlgorithms refuses those that are not in FAPI 2.0 §5.4.1.
func (c *checker) fapiAlgorithms(path string, list []string) {
	for i, alg := range list {
		here := fmt.Sprintf("%s[%d]", path, i)
		if c.given(here) && !slices.Contains([]string{"PS256", "ES256", "EdDSA", "Ed25519"}, alg) { // [HS-04]
			c.say(here, "algorithm %s is none of FAPI 2.0, which has PS256, ES256 and EdDSA", quote(alg))
		}
	}
}
