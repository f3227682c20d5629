package bearward_test

import (
	"context"
	"log"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/bearward/bearward"
	"github.com/bearward/bearward/adapters/httpauth"
	"github.com/bearward/bearward/middleware"
)

// A program that changes its configuration while it serves: each request runs by one
// of them.
func ExampleUpdate() { //nolint:testableexamples // it would serve for ever
	ctx := context.Background()
	cfg := bearward.Config{
		Resource: "https://api.example.com",
		Issuers:  []bearward.Issuer{{URL: "https://login.example.com"}},
	}
	orders := http.NotFoundHandler()
	protect := func(g *middleware.Guard) http.Handler {
		return httpauth.Protect(g, middleware.Scopes("orders:read"))(orders)
	}

	guard, err := bearward.New(ctx, cfg)
	if err != nil {
		log.Fatal(err)
	}
	var current atomic.Pointer[http.Handler]
	first := protect(guard)
	current.Store(&first)
	http.HandleFunc("/orders", func(w http.ResponseWriter, r *http.Request) { (*current.Load()).ServeHTTP(w, r) })

	// Later: another issuer. Keys and used proofs of before stay.
	cfg.Issuers = append(cfg.Issuers, bearward.Issuer{URL: "https://partner.example.com"})
	next, err := bearward.Update(ctx, guard, cfg)
	if err != nil {
		log.Print(err) // all faults; guard goes on
		return
	}
	second := protect(next)
	current.Store(&second)
	old := guard
	time.AfterFunc(time.Minute, func() { _ = old.Close() }) // no request can reach it any more
}
