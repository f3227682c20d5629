package server

import (
	"context"
	"net/http"
	"time"

	"github.com/bearward/bearward/internal/server/route"
	"github.com/bearward/bearward/middleware"
	"github.com/bearward/bearward/validate"
)

// verdict is what was decided about one request, whatever the mode makes of it.
type verdict struct {
	middleware.Decision
	identity  []string // values of the configured headers, of what may pass
	preflight bool
	route     string // of the rule; "" if there is none
}

// judge finds the rule for a request and decides by it. exact is false where
// what was received cannot be sent on as it is. The context of what may pass
// carries the token.
func (s *Service) judge(ctx context.Context, in middleware.Request, exact bool) (context.Context, verdict) {
	v := verdict{preflight: in.Preflight()}
	method := in.Method
	if v.preflight {
		method = in.Header.Values("Access-Control-Request-Method")[0] // [TR-16]
	}
	policy, outcome := s.Match(method, in.RawPath)
	switch {
	case outcome == route.Unmatched: // [PV-08]
		v.Decision = s.Guard.Deny(ctx, in, validate.ErrRouteDenied)
		return ctx, v
	case outcome != route.Matched || !exact: // [PV-08]
		v.Decision = s.Guard.Deny(ctx, in, validate.ErrTargetMalformed)
		return ctx, v
	}
	v.route = policy.Route
	passed, d := s.Guard.Decide(ctx, in, policy)
	if v.Decision = d; !d.Allowed {
		return ctx, v
	}
	identity, err := s.identity.of(d.Token)
	if err != nil { // its policy has refused it before
		v.Decision = s.Guard.Deny(ctx, in, validate.ErrInternal)
		return ctx, v
	}
	v.identity = identity
	return passed, v
}

// instead answers in place of the upstream.
func (s *Service) instead(h http.Handler, w http.ResponseWriter, r *http.Request) {
	s.hurry(w, r)
	h.ServeHTTP(w, r)
}

// hurry bounds how long net/http reads the rest of the request's body, to find
// the next request: not for as long as a client may take to send it. Nor does
// anything wait for ever for one that takes no answer.
func (s *Service) hurry(w http.ResponseWriter, r *http.Request) {
	conn, now := http.NewResponseController(w), time.Now()
	_ = conn.SetWriteDeadline(now.Add(s.silence))
	if carries(r) {
		_ = conn.SetReadDeadline(now.Add(s.linger))
	}
}
