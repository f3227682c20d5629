package middleware

import (
	"crypto/subtle"
	"net/http"
	"strings"

	"github.com/bearward/bearward/validate"
	"github.com/bearward/bearward/validate/mtls"
)

// checkCertificateField finds the client's certificate: that of the connection,
// or, where a trusted proxy is at its other end and a header is configured, what
// the proxy says in it, which may be that there is none.
func checkCertificateField(p *pass) error {
	h := p.guard.config.ClientCertHeader
	if h.Name == "" || !p.guard.trusts(p.r) { // [MT-07]
		p.certificate = p.r.Certificate
		return nil
	}
	forwarded, err := h.Parse(p.r.values(h.Name))
	if err != nil { // [MT-08]
		return &validate.Error{Code: validate.ErrCertificateField, Err: err}
	}
	p.certificate, p.forwarded = forwarded, true
	return nil
}

// checkCertificate demands the certificate that the token is bound to, on every
// route.
func checkCertificate(p *pass) error {
	if !p.facts.ByCert { // [MT-05]
		return nil
	}
	sum, ok := mtls.Thumbprint(p.certificate)
	if !ok { // [MT-01]
		return &validate.Error{Code: validate.ErrCertificateMissing, Claim: "cnf"}
	}
	if want := p.facts.X5T(); subtle.ConstantTimeCompare(sum[:], want[:]) != 1 { // [MT-01 MT-02 MT-04]
		return &validate.Error{Code: validate.ErrCertificateMismatch, Claim: "cnf"}
	}
	return nil
}

func showCertificate(p *pass) (expected, found string) {
	if !p.facts.ByCert {
		return "any", ""
	}
	found = "no certificate"
	if sum, ok := mtls.Thumbprint(p.certificate); ok {
		found = encode(sum)
	}
	return encode(p.facts.X5T()), found
}

// vary says that the answer depends on what the proxy forwarded.
func (p *pass) vary() {
	if p.facts.ByCert && p.forwarded { // [MT-10]
		p.respond("Vary", p.guard.config.ClientCertHeader.Name)
	}
}

// chainField may only stand beside Client-Cert (RFC 9440 §2.3).
const chainField = "Client-Cert-Chain"

// forged returns the headers that only a trusted proxy may send, in every
// spelling that something behind the guard could take for them, if somebody else
// sent them: whoever comes after must not believe them either.
func (g *Guard) forged(r *Request) (names []string) {
	name := g.config.ClientCertHeader.Name
	if name == "" || g.trusts(r) {
		return nil
	}
	if h, ok := r.Header.(http.Header); ok {
		for spelled := range h {
			if folded := fold(spelled); folded == fold(name) || folded == fold(chainField) {
				names = append(names, spelled)
			}
		}
	} else {
		for _, n := range []string{name, chainField} {
			if len(r.values(n)) > 0 {
				names = append(names, n)
			}
		}
	}
	if len(names) > 0 {
		n := g.forgeries.Add(1)
		g.tell(&g.forgeryTold, "bearward: a client certificate header came from an address that is not a trusted proxy, and was removed",
			"header", name, "peer", r.Peer.String(), "since_start", n)
	}
	return names
}

// fold spells a name as gateways do that write it into an environment.
func fold(name string) string { return strings.ReplaceAll(strings.ToLower(name), "_", "-") }
