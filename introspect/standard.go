package introspect

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/bearward/bearward/internal/egress"
	"github.com/bearward/bearward/validate"
)

// standard is RFC 7662, with the signed answers of RFC 9701.
type standard struct {
	hint   string // a member of the form
	mode   SignedResponse
	signed *signed
	clock  func() time.Time
}

func newStandard(cfg Config, leeway time.Duration) *standard {
	s := &standard{mode: cfg.SignedResponse, signed: newSigned(cfg, leeway), clock: cfg.Token.Clock}
	if !cfg.NoTokenTypeHint {
		s.hint = "&token_type_hint=access_token" // [IN-01]
	}
	return s
}

func (s *standard) form(raw string) string { return "token=" + url.QueryEscape(raw) + s.hint } // [IN-01]

func (s *standard) accept() string {
	switch s.mode {
	case Accept: // [IN-18]
		return signedType + ", application/json;q=0.5"
	case Require:
		return signedType // [IN-18]
	case Off:
	}
	return "application/json"
}

func (s *standard) read(ctx context.Context, resp egress.Response) (reply, *failure) {
	if f := judgeStatus(resp, s.clock(), http.StatusOK); f != nil { // [IN-06]
		return reply{}, f
	}
	var r reply
	var err error
	kind := mediaType(resp.Header)
	switch signed := kind == signedType; {
	case signed && s.mode != Off: // [IN-18]
		r, err = s.signed.read(ctx, resp.Body)
	case !signed && s.mode != Require && isJSON(kind): // [IN-06]
		r, err = readAnswer(resp.Body)
	default:
		return reply{}, wrongType()
	}
	if err == nil {
		return r, nil
	}
	f := unusable(err)
	if errors.Is(err, errSignedKeys) { // [IN-19]
		f.code = validate.ErrKeysUnavailable
	}
	return reply{}, f
}

// wrongType speaks for the server: a page of a gateway, or a setting.
func wrongType() *failure {
	f := unusable(errContentType)
	f.counts = true
	return f
}
