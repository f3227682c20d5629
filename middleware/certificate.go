package middleware

import (
	"crypto/subtle"
	"time"

	"github.com/bearward/bearward/validate"
	"github.com/bearward/bearward/validate/mtls"
)

// checkCertificateField finds the client's certificate: that of the connection,
// or, where a trusted proxy is at its other end and a header is configured, what
// the proxy says in it, which may be that there is none.
func checkCertificateField(p *pass) error {
	h := p.guard.config.ClientCertHeader
	p.certificate = p.r.Certificate
	if h.Name == "" || !p.guard.trusts(p.r) { // [MT-07]
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
	if subtle.ConstantTimeCompare(sum[:], p.facts.X5T[:]) != 1 { // [MT-01 MT-02 MT-04]
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
	return encode(p.facts.X5T), found
}

// vary says that the answer depends on what the proxy forwarded.
func (p *pass) vary() {
	if p.facts.ByCert && p.forwarded { // [MT-10]
		p.respond("Vary", p.guard.config.ClientCertHeader.Name)
	}
}

// quiet is the least time between two log lines about forged headers.
const quiet = time.Minute

// forged returns the header that only a trusted proxy may send, if somebody else
// did: whoever comes after the guard must not believe it either.
func (g *Guard) forged(r *Request) []string {
	name := g.config.ClientCertHeader.Name
	if name == "" || g.trusts(r) || len(r.values(name)) == 0 {
		return nil
	}
	n := g.forgeries.Add(1)
	now, last := g.config.Clock().UnixNano(), g.forgeryTold.Load()
	if (last == 0 || now-last >= int64(quiet)) && g.forgeryTold.CompareAndSwap(last, now) {
		g.complain("bearward: a client certificate header came from an address that is not a trusted proxy, and was removed",
			"header", name, "peer", r.Peer.String(), "since_start", n)
	}
	return []string{name}
}
