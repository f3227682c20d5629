package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
)

// grant is what every library has to find out.
type grant struct{ subject, client string }

// verifier judges a token. It lives until the context of its making ends.
type verifier func(ctx context.Context, raw string) (grant, error)

// protector puts itself before a handler.
type protector func(next http.Handler) http.Handler

// supply is how a library comes by its keys.
type supply int

const (
	given    supply = iota // its user hands them over
	onDemand               // the first token that needs them has them fetched
	atStart                // its constructor fetches them
)

// library is one way to judge tokens.
type library struct {
	name    string
	modules []string // whose versions matter
	keys    supply
	verify  func(ctx context.Context, t target) (verifier, error)  // nil: none of its own
	recall  func(ctx context.Context, t target) (verifier, error)  // with a cache of tokens; nil: none
	protect func(ctx context.Context, t target) (protector, error) // for net/http; nil: none
}

var libraries = []library{
	bearwardDefault, bearwardUncached,
	golangJWT, kataras, jwx2, jwx3, goJose, goOIDC, zitadel, auth0, mcp, kubernetes,
}

// absent are those that were looked for.
var absent = []struct{ name, reason string }{
	{"github.com/auth0/go-jwt-middleware/v3", "could not be fetched"},
	{"github.com/lestrrat-go/jwx/v4", "needs GOEXPERIMENT=jsonv2, and from v4.6.0 on Go 1.26.10"},
}

// full is the whole judgement of a token, through net/http where there is no
// other way.
func (l library) full(ctx context.Context, t target) (verifier, error) {
	if l.verify != nil {
		return l.verify(ctx, t)
	}
	protect, err := l.protect(ctx, t)
	if err != nil {
		return nil, err
	}
	return over(protect), nil
}

var errRefused = errors.New("refused")

// over is a request through a middleware, without a socket.
func over(protect protector) verifier {
	handler := protect(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	return func(ctx context.Context, raw string) (grant, error) {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, newRequest(ctx, raw))
		if w.Code != http.StatusNoContent {
			return grant{}, fmt.Errorf("%w: %d", errRefused, w.Code)
		}
		return grant{}, nil
	}
}

func newRequest(ctx context.Context, raw string) *http.Request {
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, "https://api.example.test/orders", nil)
	r.Header.Set("Authorization", "Bearer "+raw)
	return r
}
