package middleware

import (
	"errors"

	"github.com/bearward/bearward/validate"
)

// checkLive asks the issuer about a JWT where its configuration says so.
// Opaque tokens have their answer already.
func checkLive(p *pass) error {
	if !p.issuer.Confirm || p.opaque() {
		return nil
	}
	return p.issuer.Introspection.Confirm(p.ctx, p.raw, p.token, p.issuer.ConfirmAge) // [RV-02]
}

// opaque reports that the token's issuer was asked about it instead of its
// signature being verified.
func (p *pass) opaque() bool { return p.facts.Sealed() && !p.facts.Signed }

// checkRevocation asks the revocation list. A list that does not answer is an
// outage, never a pass.
func checkRevocation(p *pass) error {
	list := p.guard.config.Revocation
	if list == nil {
		return nil
	}
	revoked, err := list.Revoked(p.ctx, p.token)
	if err != nil {
		var coded *validate.Error
		if errors.As(err, &coded) && coded != nil {
			return err
		}
		return &validate.Error{Code: validate.ErrRevocationUnavailable, Err: err}
	}
	if revoked { // [RV-02]
		return refuse(validate.ErrRevoked)
	}
	return nil
}
