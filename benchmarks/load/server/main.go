// Command server is one of several servers under load, all the same but for what
// is before the handler:
//
//	go run ./benchmarks/load/server -variant cached -tokens 1000 tokens.txt
//
// none lets everything pass; floor does as well, but takes the digest of the token
// and hands something to the handler; cached is bearward as it is by default, uncached is
// the same without its cache of verified tokens, and dpop wants tokens that are
// bound to a key, with their proof.
package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"time"

	"github.com/bearward/bearward"
	"github.com/bearward/bearward/adapters/httpauth"
	"github.com/bearward/bearward/benchmarks/load/stand"
	"github.com/bearward/bearward/internal/jose"
	"github.com/bearward/bearward/middleware"
	"github.com/bearward/bearward/validate/cache"
	"github.com/bearward/bearward/validate/dpop"
)

var variants = map[string]stand.Variant{
	"none": func(context.Context, stand.API) (func(http.Handler) http.Handler, io.Closer, error) {
		return func(next http.Handler) http.Handler { return next }, nil, nil
	},
	"floor": func(context.Context, stand.API) (func(http.Handler) http.Handler, io.Closer, error) {
		return floor, nil, nil
	},
	"cached":   guarded(bearward.Config{}, middleware.Policy{}),
	"uncached": guarded(bearward.Config{Cache: cache.Config{Disabled: true}}, middleware.Policy{}),
	"dpop":     guarded(bearward.Config{DPoP: &dpop.Config{}}, middleware.Policy{}.WithDPoP()),
}

// seen is what floor hands to the handler.
type seen struct {
	digest [sha256.Size]byte
	at     time.Time
}

type seenKey struct{}

// floor is what a cache of tokens cannot do without.
func floor(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		s := &seen{sha256.Sum256(jose.View(token)), time.Now()}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), seenKey{}, s)))
	})
}

// guarded is bearward with this configuration and the API's issuer.
func guarded(c bearward.Config, p middleware.Policy) stand.Variant {
	return func(ctx context.Context, api stand.API) (func(http.Handler) http.Handler, io.Closer, error) {
		cfg := c
		cfg.Resource = api.Audience
		cfg.Issuers = []bearward.Issuer{{URL: api.Issuer, AllowHTTP: true}}
		guard, err := bearward.New(ctx, cfg)
		if err != nil {
			return nil, nil, err
		}
		return httpauth.Protect(guard, p), guard, nil
	}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := stand.Run(ctx, os.Args[1:], os.Stdout, variants)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "server:", err)
		os.Exit(1)
	}
}
