package bearwardtest

import (
	"context"
	"net/http"

	"github.com/bearward/bearward/middleware"
	"github.com/bearward/bearward/validate"
)

// With returns a copy of r in which a handler finds the token, as if a guard
// had accepted it. It is visible to middleware.FromContext only: no guard takes
// it for a credential, so it opens no protected route.
func With(r *http.Request, token *validate.Token) *http.Request {
	return r.WithContext(WithContext(r.Context(), token))
}

// WithContext is With for handlers that get a context, gRPC methods for
// example.
func WithContext(ctx context.Context, token *validate.Token) context.Context {
	return middleware.WithToken(ctx, token)
}
