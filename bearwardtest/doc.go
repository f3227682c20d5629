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
// ones and wrong ones on purpose. It rotates its keys, breaks on demand, and has a clock that only moves when the
// test moves it, so that no test waits.
//
//	iss := bearwardtest.NewIssuer(t)
//	api := httpauth.Protect(iss.Guard(), middleware.Scopes("orders:read"))(orders)
//	r.Header.Set("Authorization", "Bearer "+iss.JWT(bearwardtest.Claims{Scope: "orders:read"}))
//
// Everything closes itself when the test ends. A failure inside of this
// package fails the test.
package bearwardtest
