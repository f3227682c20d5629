// Package bearward protects APIs with OAuth 2.0 access tokens.
//
//	guard, err := bearward.New(ctx, bearward.Config{
//		Resource: "https://api.example.com",
//		Issuers:  []bearward.Issuer{{URL: "https://login.example.com"}},
//	})
//	mux.Handle("GET /orders", httpauth.Protect(guard, middleware.Scopes("orders:read"))(orders))
//
// New wires the parts together: package jwks fetches the issuers' keys,
// package introspect asks issuers about their tokens, package validate judges
// them, packages dpop and mtls the proof that it is their owner who sends them,
// package middleware decides about requests, and the adapters httpauth, ginauth
// and grpcauth translate; redisstore shares answers, revocations and used proofs
// among processes. Every default is the strict one.
package bearward
