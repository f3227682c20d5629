package bearwardtest_test

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/bearward/bearward/adapters/httpauth"
	"github.com/bearward/bearward/bearwardtest"
	"github.com/bearward/bearward/middleware"
	"github.com/bearward/bearward/validate"
)

// orders is the handler under test.
var orders = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	token, ok := middleware.FromContext(r.Context())
	if !ok {
		http.Error(w, "no token", http.StatusInternalServerError)
		return
	}
	fmt.Fprintf(w, "orders of %s", token.Subject)
})

// The test of a handler needs no issuer, no guard and no token.
func ExampleWith() {
	w := httptest.NewRecorder()
	orders.ServeHTTP(w, bearwardtest.With(httptest.NewRequest("GET", "/orders", nil), &validate.Token{Subject: "alice"}))
	fmt.Println(w.Code, w.Body)
	// Output: 200 orders of alice
}

// The test of a protected route. In a real test t is the *testing.T.
func ExampleNewIssuer() {
	t := &fakeTB{}
	defer t.close()

	iss := bearwardtest.NewIssuer(t)
	api := httpauth.Protect(iss.Guard(), middleware.Scopes("orders:read"))(orders)
	get := func(token string) {
		w, r := httptest.NewRecorder(), httptest.NewRequest("GET", "/orders", nil)
		r.Header.Set("Authorization", "Bearer "+token)
		api.ServeHTTP(w, r)
		fmt.Println(w.Code)
	}
	get(iss.JWT(bearwardtest.Claims{Scope: "orders:read"}))
	get(iss.JWT(bearwardtest.Claims{Scope: "orders:write"}))
	get(iss.Wrong("alg-none", bearwardtest.Claims{Scope: "orders:read"}))
	// Output:
	// 200
	// 403
	// 401
}

// Opaque tokens need no option: the guard asks the issuer about them.
func ExampleIssuer_Opaque() {
	t := &fakeTB{}
	defer t.close()

	iss := bearwardtest.NewIssuer(t)
	guard := iss.Guard()
	token := iss.Opaque(bearwardtest.Claims{Scope: "orders:read"})
	ask := func() {
		_, d := guard.Decide(t.Context(), request("Bearer "+token), middleware.Scopes("orders:read"))
		fmt.Println(d.Allowed)
	}
	ask()
	iss.Revoke(token)
	ask() // the guard remembers the answer for 30 s
	iss.Clock.Advance(time.Minute)
	ask()
	// Output:
	// true
	// true
	// false
}

// A client whose tokens are bound to its key: the transport signs a proof for
// each request. Without it the token is worth nothing.
func ExampleIssuer_DPoP() {
	t := &fakeTB{}
	defer t.close()

	iss := bearwardtest.NewIssuer(t)
	api := httptest.NewServer(httpauth.Protect(iss.Guard(), middleware.Scopes("orders:read").WithDPoP())(orders))
	defer api.Close()
	alice, thief := iss.DPoP(), iss.DPoP()
	token := alice.JWT(bearwardtest.Claims{Scope: "orders:read"})
	for _, client := range []*bearwardtest.Client{alice, thief} {
		through := &http.Client{Transport: client.Transport(token, api.Client().Transport)}
		res, err := through.Get(api.URL + "/orders")
		if err != nil {
			t.Fatalf("%v", err)
		}
		res.Body.Close()
		fmt.Println(res.StatusCode)
	}
	// Output:
	// 200
	// 401
}

// Every way in which a proof can be wrong, sent to one route.
func ExampleProofKinds() {
	t := &fakeTB{}
	defer t.close()

	iss := bearwardtest.NewIssuer(t)
	guard, client, passed := iss.Guard(), iss.DPoP(), 0
	token := client.JWT()
	for _, kind := range bearwardtest.ProofKinds() {
		r := request("DPoP " + token)
		r.Header = http.Header{
			"Authorization": {"DPoP " + token},
			"Dpop":          client.WrongProof(kind.Name, bearwardtest.Proof{URL: "http://api.example.test/orders", Token: token}),
		}
		if _, d := guard.Decide(t.Context(), r, middleware.Policy{}); d.Allowed && kind.Code != "" {
			passed++
		}
	}
	fmt.Println(passed, "wrong proofs passed")
	// Output: 0 wrong proofs passed
}

// A client whose tokens are bound to its certificate.
func ExampleIssuer_Certificate() {
	t := &fakeTB{}
	defer t.close()

	iss := bearwardtest.NewIssuer(t)
	api := httptest.NewUnstartedServer(httpauth.Protect(iss.Guard(), middleware.Policy{}.WithMTLS())(orders))
	api.TLS = &tls.Config{ClientAuth: tls.RequestClientCert}
	api.StartTLS()
	defer api.Close()
	certificate := iss.Certificate()
	client, config := api.Client(), api.Client().Transport.(*http.Transport).TLSClientConfig
	for _, with := range [][]tls.Certificate{{certificate.TLS()}, nil} {
		config.Certificates = with
		r, err := http.NewRequest("GET", api.URL+"/orders", nil)
		if err != nil {
			t.Fatalf("%v", err)
		}
		r.Header.Set("Authorization", "Bearer "+certificate.JWT())
		res, err := client.Do(r)
		if err != nil {
			t.Fatalf("%v", err)
		}
		res.Body.Close()
		client.CloseIdleConnections()
		fmt.Println(res.StatusCode)
	}
	// Output:
	// 200
	// 401
}

// Outages and time are in the test's hand.
func ExampleIssuer_Break() {
	t := &fakeTB{}
	defer t.close()

	iss := bearwardtest.NewIssuer(t)
	guard := iss.Guard()
	ask := func() {
		_, d := guard.Decide(t.Context(), request("Bearer "+iss.JWT()), middleware.Policy{})
		fmt.Println(d.Allowed, validate.CodeOf(d.Err).Class() == validate.Unavailable)
	}
	iss.Break(bearwardtest.Down)
	ask()
	iss.Heal()
	iss.Clock.Advance(time.Minute)
	ask()
	// Output:
	// false true
	// true false
}

// Every way in which a token can be wrong, sent to one route.
func ExampleKinds() {
	t := &fakeTB{}
	defer t.close()

	iss := bearwardtest.NewIssuer(t)
	guard := iss.Guard()
	passed := 0
	for _, kind := range bearwardtest.Kinds() {
		if _, d := guard.Decide(t.Context(), request("Bearer "+iss.Wrong(kind.Name)), middleware.Policy{}); d.Allowed && kind.Code != "" {
			passed++
		}
	}
	fmt.Println(passed, "wrong tokens passed")
	// Output: 0 wrong tokens passed
}
