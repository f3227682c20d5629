// Package bearwardtest tests programs that use bearward, without an identity
// provider and without a network beyond loopback.
//
// [With] is for the test of a handler: it plants a token where the handler
// looks for one. No guard takes part.
//
//	r := bearwardtest.With(httptest.NewRequest("GET", "/orders", nil), &validate.Token{Subject: "alice"})
//	w := httptest.NewRecorder()
//	orders.ServeHTTP(w, r)
//
// [NewIssuer] is for the test of a whole program: a real issuer on loopback
// with metadata, keys, introspection and tokens, JWTs and opaque ones, right
// ones and wrong ones on purpose. It rotates its keys, breaks on demand, and has
// a clock that only moves when the test moves it, so that no test waits.
//
//	iss := bearwardtest.NewIssuer(t)
//	api := httpauth.Protect(iss.Guard(), middleware.Scopes("orders:read"))(orders)
//	r.Header.Set("Authorization", "Bearer "+iss.JWT(bearwardtest.Claims{Scope: "orders:read"}))
//
// [Issuer.DPoP] is a client whose tokens are bound to its key (RFC 9449). Its
// transport signs a proof for each request and answers nonces; proofs can also
// be wrong on purpose, see [ProofKinds]. A guard without PublicURLs takes the
// URL of a request from its Host on loopback only, so start the API with
// httptest.NewServer:
//
//	api := httptest.NewServer(httpauth.Protect(iss.Guard(), middleware.Policy{}.WithDPoP())(orders))
//	client := iss.DPoP()
//	through := &http.Client{Transport: client.Transport(client.JWT(), api.Client().Transport)}
//	res, err := through.Get(api.URL + "/orders")
//
// [Issuer.Certificate] is a client certificate, with tokens that are bound to it
// (RFC 8705), for an API that asks for one in the TLS handshake:
//
//	api.TLS = &tls.Config{ClientAuth: tls.RequestClientCert}
//	api.StartTLS()
//	certificate := iss.Certificate()
//	config.Certificates = []tls.Certificate{certificate.TLS()}
//	r.Header.Set("Authorization", "Bearer "+certificate.JWT())
//
// Everything closes itself when the test ends. A failure inside of this
// package fails the test.
package bearwardtest
