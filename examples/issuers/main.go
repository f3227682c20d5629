// Command issuers accepts the tokens of three issuers at one guard: JWTs by
// the letter of RFC 9068, JWTs of a provider with habits of its own, and opaque
// tokens that their issuer is asked about.
package main

import (
	"context"
	"log"
	"net/http"
	"os"

	"github.com/bearward/bearward"
	"github.com/bearward/bearward/adapters/httpauth"
	"github.com/bearward/bearward/introspect"
	"github.com/bearward/bearward/middleware"
)

func main() {
	guard, err := bearward.New(context.Background(), config(os.Getenv("API_CLIENT_SECRET")))
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(http.ListenAndServe("127.0.0.1:8080", api(guard)))
}

func config(secret string) bearward.Config {
	return bearward.Config{
		Resource: "https://api.example.com",
		Issuers: []bearward.Issuer{
			{Name: "strict", URL: "https://login.example.com"},
			{Name: "keycloak", URL: "https://sso.example.com/realms/staff", Preset: "keycloak"},
			{Name: "partners", URL: "https://partners.example.com", Introspection: &bearward.Introspection{
				Auth:  introspect.Auth{Method: introspect.Basic, ClientID: "orders-api", Secret: secret},
				NoJWT: true,
			}},
		},
	}
}

func api(guard *middleware.Guard) http.Handler {
	orders := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("tea, honey\n")) })
	mux := http.NewServeMux()
	mux.Handle("GET /orders", httpauth.Protect(guard, middleware.Scopes("orders:read"))(orders))
	// Roles are the provider's, and a missing one is no missing scope.
	mux.Handle("DELETE /orders", httpauth.Protect(guard, middleware.Policy{Issuers: []string{"keycloak"}, Roles: []string{"admin"}})(orders))
	return mux
}
