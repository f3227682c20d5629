// Command dpop protects a route with tokens that are bound to their sender's
// key (RFC 9449): each request carries a proof, with a nonce of this server.
package main

import (
	"context"
	"log"
	"net/http"

	"github.com/bearward/bearward"
	"github.com/bearward/bearward/adapters/httpauth"
	"github.com/bearward/bearward/middleware"
	"github.com/bearward/bearward/validate/dpop"
)

func main() {
	guard, err := bearward.New(context.Background(), bearward.Config{
		Resource: "https://api.example.com", Issuers: []bearward.Issuer{{URL: "https://login.example.com"}},
		DPoP:       &dpop.Config{},
		PublicURLs: []string{"https://api.example.com"}, // what clients call, and proofs name
	})
	if err != nil {
		log.Fatal(err)
	}
	pay := func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("paid\n")) }
	policy := middleware.Scopes("payments").WithDPoP().WithNonce(dpop.NonceRequired)
	http.Handle("POST /payments", httpauth.Protect(guard, policy)(http.HandlerFunc(pay)))
	log.Fatal(http.ListenAndServe("127.0.0.1:8080", nil))
}
