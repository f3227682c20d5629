// Command mtls protects a route with tokens that are bound to their sender's
// certificate (RFC 8705): they work over connections with it only.
package main

import (
	"context"
	"crypto/tls"
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
	pay := func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("paid\n")) }
	http.Handle("POST /payments", httpauth.Protect(guard, middleware.Scopes("payments").WithMTLS())(http.HandlerFunc(pay)))
	// Any certificate is taken: the token says which one is right.
	server := http.Server{Addr: "127.0.0.1:8443", TLSConfig: &tls.Config{ClientAuth: tls.RequestClientCert}}
	log.Fatal(server.ListenAndServeTLS("server.pem", "server-key.pem"))
}
