package introspect

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/bearward/bearward/internal/egress"
	"github.com/bearward/bearward/internal/facts"
	"github.com/bearward/bearward/validate"
)

var errPhantom = errors.New("the answer is not a JWT of this issuer")

// phantomDialect is asked as RFC 7662 says and answers with the JWT that the
// opaque token stands for, or 204 where it stands for none.
type phantomDialect struct {
	*standard
	jwt *validate.JWT
}

func (*phantomDialect) accept() string { return "application/jwt" }

func (p *phantomDialect) read(ctx context.Context, resp egress.Response) (reply, *failure) {
	if f := judgeStatus(resp, p.clock(), http.StatusOK, http.StatusNoContent); f != nil { // [IN-06]
		return reply{}, f
	}
	if resp.Status == http.StatusNoContent {
		return reply{}, nil // [IN-04]
	}
	if mediaType(resp.Header) != "application/jwt" { // [IN-06]
		return reply{}, wrongType()
	}
	token, err := p.jwt.Verify(ctx, resp.Body)
	if err == nil {
		facts.Of(token).Signed = false // the issuer was asked: no second answer is needed
		return reply{active: true, token: token}, nil
	}
	var refusal *validate.Error
	if errors.As(err, &refusal) && slices.Contains(aboutToken, refusal.Code) { // [IN-07]
		return reply{active: true, refusal: refusal}, nil
	}
	f := unusable(errPhantom)
	if code := validate.CodeOf(err); code.Class() != validate.BadToken { // [IN-06]
		f.code = code
	}
	return reply{}, f
}

// aboutToken are the refusals of a JWT that say something about the token. All
// others mean that the server's answer is broken.
var aboutToken = []validate.Code{
	validate.ErrExpired, validate.ErrNotYetValid, validate.ErrLifetimeTooLong, validate.ErrKindRefused,
	validate.ErrAudienceRefused, validate.ErrClientRefused, validate.ErrConfirmationInvalid,
	validate.ErrClaimRefused,
}
