// Command nethttp protects a route of net/http.
package main

import (
	"context"
	"log"
	"net/http"

	"github.com/bearward/bearward"
	"github.com/bearward/bearward/adapters/httpauth"
	"github.com/bearward/bearward/middleware"
)

func main() {
	guard, err := bearward.New(context.Background(), bearward.Config{
		Resource: "https://api.example.com", Issuers: []bearward.Issuer{{URL: "https://login.example.com"}},
	})
	if err != nil {
		log.Fatal(err)
	}
	orders := func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("tea, honey\n")) }
	http.Handle("GET /orders", httpauth.Protect(guard, middleware.Scopes("orders:read"))(http.HandlerFunc(orders)))
	log.Fatal(http.ListenAndServe("127.0.0.1:8080", nil))
}
