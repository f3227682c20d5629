package config

import (
	"fmt"
	"strings"

	"github.com/bearward/bearward/validate/dpop"
	"github.com/bearward/bearward/validate/mtls"
)

// senders checks what tells who sends a token, and whose word counts for it.
func (c *checker) senders() {
	c.publicURLs()
	c.certHeader()
	c.proxies()
	c.proofs()
	if c.file.FAPI {
		c.fapi()
	}
}

// publicURLs wants an origin each, with a prefix perhaps, and no origin twice.
func (c *checker) publicURLs() {
	origins := map[string]bool{}
	for i, text := range c.file.PublicURL {
		here := fmt.Sprintf("public_url[%d]", i)
		if c.failed[here] {
			continue
		}
		normal, err := dpop.NormalizeTarget(text)
		if err != nil || strings.ContainsAny(text, "?#") {
			c.say(here, "%s is not http or https, a host, and perhaps a prefix of the path", quote(text))
			continue
		}
		scheme, rest, _ := strings.Cut(normal, "://")
		host, _, _ := strings.Cut(rest, "/")
		if origins[scheme+"://"+host] { // [DP-12]
			c.say(here, "there is one of the origin of %s already: Host cannot tell them apart", quote(text))
		}
		origins[scheme+"://"+host] = true
	}
}

// certHeader checks that the header of certificates is no other header.
func (c *checker) certHeader() {
	const here = "client_cert_header.name"
	if !c.given(here) {
		return
	}
	name := c.file.ClientCertHeader.Name
	if !isHeader(name) {
		c.say(here, "%s is not a header name of letters, digits and hyphens", quote(name))
	} else if err := (mtls.Header{Name: name, Format: mtls.RFC9440}).Check(); err != nil {
		c.say(here, "%s has a meaning of its own and cannot carry a certificate", quote(name))
	}
}

// proxies wants somebody to be believed for everything that is, and something
// for everybody.
func (c *checker) proxies() {
	f := c.file
	if c.failed["trusted_proxies"] {
		return
	}
	for i, p := range f.TrustedProxies {
		if p.Bits() == 0 { // [MT-07 DP-12]
			c.say(fmt.Sprintf("trusted_proxies[%d]", i), "this trusts everybody: name the addresses of the proxies")
		}
	}
	trusted := len(f.TrustedProxies) > 0
	if c.given("forwarded") && f.Forwarded != "none" && !trusted { // [DP-12]
		c.say("forwarded", "forwarded is believed of trusted_proxies only, and there are none")
	}
	if f.ClientCertHeader != nil && !trusted { // [MT-07]
		c.say("client_cert_header", "client_cert_header is believed of trusted_proxies only, and there are none")
	}
	if trusted && !c.isAsked() && f.Forwarded == "none" && f.ClientCertHeader == nil && !c.failed["client_cert_header"] {
		c.say("trusted_proxies", "trusted_proxies are trusted with nothing: set forwarded or client_cert_header")
	}
}
