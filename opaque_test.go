package bearward_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/bearward/bearward"
	"github.com/bearward/bearward/adapters/httpauth"
	"github.com/bearward/bearward/bearwardtest"
	"github.com/bearward/bearward/introspect"
	"github.com/bearward/bearward/middleware"
	"github.com/bearward/bearward/validate"
)

// get asks for / through a guard and a policy.
func get(g *middleware.Guard, p middleware.Policy, token string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("Authorization", "Bearer "+token)
	w := httptest.NewRecorder()
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("in")) })
	httpauth.Protect(g, p)(handler).ServeHTTP(w, r)
	return w
}

// What an answer says about user and grants counts as in a JWT.
func TestOpaqueTokensAreJudgedLikeJWTs(t *testing.T) { // [IN-21]
	iss := bearwardtest.NewIssuer(t)
	g := iss.Guard()
	detail := func(kind string) map[string]any {
		return map[string]any{"authorization_details": []any{map[string]any{"type": kind, "actions": []string{"initiate"}}}}
	}
	payment := middleware.Policy{Details: []middleware.Detail{{Type: "payment", Actions: []string{"initiate"}}}}
	for name, c := range map[string]struct {
		claims bearwardtest.Claims
		policy middleware.Policy
		status int
	}{
		"acr":             {bearwardtest.Claims{ACR: "phr"}, middleware.Policy{}.WithACR("phr"), 200},
		"no acr":          {bearwardtest.Claims{}, middleware.Policy{}.WithACR("phr"), 401},
		"auth_time":       {bearwardtest.Claims{AuthTime: iss.Clock.Now()}, middleware.Policy{}.WithMaxAge(time.Minute), 200},
		"auth_time old":   {bearwardtest.Claims{AuthTime: iss.Clock.Now().Add(-time.Hour)}, middleware.Policy{}.WithMaxAge(time.Minute), 401},
		"details":         {bearwardtest.Claims{Extra: detail("payment")}, payment, 200},
		"other details":   {bearwardtest.Claims{Extra: detail("refund")}, payment, 403},
		"no details":      {bearwardtest.Claims{}, payment, 403},
		"roles":           {bearwardtest.Claims{Extra: map[string]any{"roles": []string{"a"}}}, middleware.Policy{Roles: []string{"a"}}, 200},
		"no roles":        {bearwardtest.Claims{}, middleware.Policy{Roles: []string{"a"}}, 403},
		"bound":           {bearwardtest.Claims{Extra: map[string]any{"cnf": map[string]any{"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}}}, middleware.Policy{}, 401},
		"bound by type":   {bearwardtest.Claims{Extra: map[string]any{"token_type": "DPoP"}}, middleware.Policy{}, 401}, // [IN-10]
		"strict RFC 9068": {bearwardtest.Claims{}, middleware.Policy{Profile: validate.RFC9068}, 401},
		"client":          {bearwardtest.Claims{Extra: map[string]any{"sub": nil}}, middleware.Policy{UserOnly: true}, 403},
	} {
		w := get(g, c.policy, iss.Opaque(c.claims))
		if w.Code != c.status {
			t.Errorf("%s: %d %v", name, w.Code, w.Header())
		}
		if w.Code == 200 && w.Header().Get("Cache-Control") != "" { // [CA-03]
			t.Errorf("%s: %v", name, w.Header())
		}
		if strings.Contains(w.Header().Get("Cache-Control"), "public") {
			t.Errorf("%s: %v", name, w.Header())
		}
	}
}

// Nothing that is added to the response makes it cacheable by others.
func TestProtectedAnswersAreNotMadeCacheable(t *testing.T) { // [CA-03]
	iss := bearwardtest.NewIssuer(t)
	g := iss.Guard()
	for _, token := range []string{iss.JWT(), iss.Opaque(), iss.Wrong("expired"), "junk"} {
		cc := get(g, middleware.Policy{}, token).Header().Get("Cache-Control")
		if cc != "" && cc != "no-store" {
			t.Errorf("Cache-Control: %s", cc)
		}
	}
}

// A JWT that was taken back is refused as soon as the last answer about it is
// too old, and at once by the revocation list.
func TestRevocationReachesCachedTokens(t *testing.T) { // [RV-02]
	iss := bearwardtest.NewIssuer(t)
	cfg := iss.Config()
	cfg.Issuers[0].Introspection.Every = time.Minute
	list, err := validate.NewRevocationList(validate.RevocationListConfig{Clock: iss.Clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	cfg.Revocation = list
	g := iss.Guard(cfg)
	want := func(token string, status int) {
		t.Helper()
		if w := get(g, middleware.Policy{}, token); w.Code != status {
			t.Errorf("%d %s, want %d", w.Code, w.Header().Get("WWW-Authenticate"), status)
		}
	}
	jwt, opaque := iss.JWT(), iss.Opaque()
	want(jwt, 200)
	want(opaque, 200)
	iss.Revoke(jwt)
	iss.Revoke(opaque)
	want(jwt, 200) // for a minute
	want(opaque, 200)
	iss.Clock.Advance(31 * time.Second)
	want(jwt, 200)
	want(opaque, 401)
	iss.Clock.Advance(30 * time.Second)
	want(jwt, 401)

	other := iss.JWT(bearwardtest.Claims{ID: "token-1"})
	want(other, 200)
	if err := list.Revoke(t.Context(), validate.RevocationEntry{Issuer: iss.URL, ID: "token-1"}); err != nil {
		t.Fatal(err)
	}
	want(other, 401)

	opaque = iss.Opaque(bearwardtest.Claims{Subject: "mallory"})
	want(opaque, 200)
	iss.Revoke(opaque)
	g.Flush(opaque)
	want(opaque, 401)
}

// All faults of an issuer are said at once, each once.
func TestIntrospectionFaults(t *testing.T) {
	_, err := bearward.New(t.Context(), bearward.Config{
		Resource: "https://api.example",
		Issuers: []bearward.Issuer{
			{URL: "https://a.example", OpaquePrefix: "a_"},
			{URL: "https://b.example", Leeway: time.Hour, Preset: "no-such", Introspection: &bearward.Introspection{Always: true, Every: time.Minute}},
			{URL: "https://c.example", Introspection: &bearward.Introspection{NoOpaque: true}},
			{URL: "https://d.example", Introspection: &bearward.Introspection{NoJWT: true, Every: time.Hour}},
		},
	})
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{
		"OpaquePrefix needs Introspection", "Always and Every exclude each other", "nothing is asked about",
		"NoJWT excludes", "Every 1h0m0s is not within", "leeway", `preset "no-such"`, "method",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("nothing about %q in\n%v", want, err)
		}
	}
	lines := map[string]bool{}
	for _, line := range strings.Split(err.Error(), "\n") {
		if lines[line] {
			t.Errorf("said twice: %s", line)
		}
		lines[line] = true
	}
	if errors.Is(err, validate.ErrInternal) {
		t.Error(err)
	}
}

// Where something else stands in for aud, no route can ask for an audience.
func TestSubstitutedAudience(t *testing.T) { // [IN-08 CL-10]
	token := func(in *bearward.Introspection, preset string, clients ...string) bearward.Issuer {
		in.Auth.Method = introspect.None
		return bearward.Issuer{URL: "https://accounts.google.com", Preset: preset, ClientIDs: clients, AllowPrivate: true, Introspection: in}
	}
	for name, c := range map[string]struct {
		issuer bearward.Issuer
		fault  bool
	}{
		"aud required":     {token(&bearward.Introspection{}, ""), false},
		"server trusted":   {token(&bearward.Introspection{TrustServer: true}, ""), true},
		"clients":          {token(&bearward.Introspection{}, "cognito", "app"), true},
		"clients, opaque":  {token(&bearward.Introspection{NoJWT: true}, "google-access", "app"), true},
		"clients, generic": {token(&bearward.Introspection{}, "", "app"), false},
	} {
		g, err := bearward.New(t.Context(), bearward.Config{Resource: "https://api.example", Issuers: []bearward.Issuer{c.issuer}})
		if err != nil {
			t.Fatal(name, err)
		}
		if _, err := g.Prepare(middleware.Policy{}.WithAudience("https://api.example")); (err != nil) != c.fault {
			t.Errorf("%s: %v", name, err)
		}
		if err := g.Close(); err != nil {
			t.Error(err)
		}
	}
}
