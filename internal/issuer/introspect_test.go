package issuer_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/bearward/bearward/internal/issuer"
)

var api = issuer.Client{ID: "api", Secret: "s3cret"}

type call struct {
	path   string
	form   url.Values
	header http.Header
	client *http.Client
}

// post sends a form, by default to the introspection endpoint.
func post(t *testing.T, s *issuer.Server, c call) (*http.Response, string) {
	t.Helper()
	if c.path == "" {
		c.path = "/introspect"
	}
	origin, err := url.Parse(s.URL())
	must(t, err)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, origin.Scheme+"://"+origin.Host+c.path, strings.NewReader(c.form.Encode()))
	must(t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for name, values := range c.header {
		r.Header[name] = values
	}
	if c.client == nil {
		c.client = client
	}
	res, err := c.client.Do(r)
	must(t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	must(t, err)
	return res, string(body)
}

// about asks as the client api.
func about(t *testing.T, s *issuer.Server, token string, accept ...string) (*http.Response, string) {
	t.Helper()
	return post(t, s, call{
		form:   url.Values{"token": {token}, "client_id": {api.ID}, "client_secret": {api.Secret}},
		header: http.Header{"Accept": accept},
	})
}

func opaque(t *testing.T, s *issuer.Server, claims map[string]any) string {
	t.Helper()
	token, err := s.Opaque(claims)
	must(t, err)
	return token
}

func with(claims map[string]any, name string, value any) map[string]any {
	claims[name] = value
	return claims
}

func TestIntrospectActive(t *testing.T) {
	s := start(t, issuer.Config{Clients: []issuer.Client{api}, Path: "/a"})
	jwt, err := s.Mint("", s.Claims("alice"))
	must(t, err)
	for name, token := range map[string]string{
		"opaque": opaque(t, s, with(s.Claims("alice"), "cnf", map[string]any{"jkt": "x"})),
		"JWT":    jwt,
	} {
		t.Run(name, func(t *testing.T) {
			res, body := about(t, s, token)
			if res.StatusCode != 200 || res.Header.Get("Content-Type") != "application/json" || res.Header.Get("Cache-Control") != "" {
				t.Errorf("%s %v", res.Status, res.Header)
			}
			var got map[string]any
			decode(t, body, &got)
			kind := map[string]string{"opaque": "DPoP", "JWT": "Bearer"}[name]
			if got["active"] != true || got["sub"] != "alice" || got["iss"] != s.URL() || got["client_id"] != "client-1" || got["token_type"] != kind {
				t.Errorf("%s", body)
			}
			for _, required := range []string{"aud", "exp", "iat", "jti"} {
				if got[required] == nil {
					t.Errorf("no %s in %s", required, body)
				}
			}
		})
	}
}

func TestIntrospectInactive(t *testing.T) {
	now := time.Now()
	s := start(t, issuer.Config{Clients: []issuer.Client{api}, Now: func() time.Time { return now }})
	other := start(t, issuer.Config{Clients: []issuer.Client{api}})
	tokens := map[string]string{
		"unknown": "nonsense",
		"foreign": opaque(t, other, s.Claims("")),
		"expired": opaque(t, s, with(s.Claims(""), "exp", now.Unix())),
		"early":   opaque(t, s, with(s.Claims(""), "nbf", float64(now.Add(time.Hour).Unix()))),
	}
	for _, kind := range []string{
		"expired", "not-yet-valid", "wrong-issuer", "bad-signature", "wrong-key", "unknown-kid", "alg-none",
		"hs256-pem", "logout-token", "introspection-jwt", "crit", "claims-array", "duplicate-claim", "two-parts",
	} {
		token, err := s.Mint(kind, s.Claims(""))
		must(t, err)
		tokens["JWT "+kind] = token
	}
	for name, token := range tokens {
		if res, body := about(t, s, token); res.StatusCode != 200 || body != `{"active":false}` {
			t.Errorf("%s: %s %s", name, res.Status, body)
		}
	}
	late := opaque(t, s, with(s.Claims(""), "exp", now.Add(time.Second).Unix()))
	if _, body := about(t, s, late); !strings.Contains(body, `"active":true`) {
		t.Errorf("expired too early: %s", body)
	}
	now = now.Add(time.Second)
	if _, body := about(t, s, late); body != `{"active":false}` {
		t.Errorf("after its time: %s", body)
	}
}

// TestChosenActive: a claim active overrules the server's judgement.
func TestChosenActive(t *testing.T) {
	s := start(t, issuer.Config{Clients: []issuer.Client{api}})
	past := with(s.Claims(""), "exp", 1000)
	for want, active := range map[string]any{`"active":true`: true, `"active":"true"`: "true", `"active":1`: 1} {
		if _, body := about(t, s, opaque(t, s, with(past, "active", active))); !strings.Contains(body, want) || !strings.Contains(body, `"exp":1000`) {
			t.Errorf("%s: %s", want, body)
		}
	}
	token := opaque(t, s, map[string]any{"token_type": "refresh_token", "scope": []string{"a"}, "sub": nil})
	if _, body := about(t, s, token); body != `{"active":true,"scope":["a"],"token_type":"refresh_token"}` {
		t.Error(body)
	}
}

func TestRevoke(t *testing.T) {
	s := start(t, issuer.Config{Clients: []issuer.Client{api}})
	for _, inProcess := range []bool{true, false} {
		jwt, err := s.Mint("", s.Claims(""))
		must(t, err)
		for _, token := range []string{opaque(t, s, s.Claims("")), jwt} {
			if _, body := about(t, s, token); !strings.Contains(body, `"active":true`) {
				t.Fatal(body)
			}
			if inProcess {
				must(t, s.Revoke(token))
			} else if res, _ := post(t, s, call{path: "/revoke", form: url.Values{"token": {token}, "client_id": {api.ID}, "client_secret": {api.Secret}}}); res.StatusCode != 200 {
				t.Fatal(res.Status)
			}
			if _, body := about(t, s, token); body != `{"active":false}` {
				t.Error(body)
			}
		}
	}
	if res, _ := post(t, s, call{path: "/revoke", form: url.Values{"token": {"unknown"}, "client_id": {api.ID}, "client_secret": {api.Secret}}}); res.StatusCode != 200 {
		t.Errorf("unknown: %s", res.Status)
	}
	token := opaque(t, s, s.Claims(""))
	if res, _ := post(t, s, call{path: "/revoke", form: url.Values{"token": {token}}}); res.StatusCode != 401 {
		t.Errorf("without credentials: %s", res.Status)
	}
	if _, body := about(t, s, token); !strings.Contains(body, `"active":true`) {
		t.Errorf("revoked by nobody: %s", body)
	}
}

func TestIntrospectRefuses(t *testing.T) {
	s := start(t, issuer.Config{Clients: []issuer.Client{api}})
	right := url.Values{"token": {"t"}, "client_id": {api.ID}, "client_secret": {api.Secret}}
	for name, c := range map[string]struct {
		call
		status int
	}{
		"no token":       {call{form: url.Values{"client_id": {api.ID}, "client_secret": {api.Secret}}}, 400},
		"repeated":       {call{form: url.Values{"token": {"t", "u"}, "client_id": {api.ID}, "client_secret": {api.Secret}}}, 400},
		"another type":   {call{form: right, header: http.Header{"Content-Type": {"text/plain"}}}, 400},
		"token in query": {call{path: "/introspect?token=t", form: url.Values{"client_id": {api.ID}, "client_secret": {api.Secret}}}, 400},
		"too long":       {call{form: url.Values{"token": {strings.Repeat("x", 1<<17)}}}, 400},
	} {
		if res, body := post(t, s, c.call); res.StatusCode != c.status || body != `{"error":"invalid_request"}` {
			t.Errorf("%s: %s %s", name, res.Status, body)
		}
	}
	if res, _ := get(t, s.URL()+"/introspect?token=t"); res.StatusCode != 405 || res.Header.Get("Allow") != "POST" {
		t.Errorf("GET: %s", res.Status)
	}
}

func TestIntrospectionMetadata(t *testing.T) {
	off := start(t, issuer.Config{})
	if _, body := get(t, off.URL()+wellKnown); strings.Contains(body, "introspection") || off.IntrospectionEndpoint() != "" {
		t.Errorf("off: %s", body)
	}
	if res, _ := post(t, off, call{}); res.StatusCode != 404 {
		t.Errorf("off: %s", res.Status)
	}
	s := start(t, issuer.Config{Clients: []issuer.Client{api}, Path: "/a"})
	origin := strings.TrimSuffix(s.URL(), "/a")
	_, body := get(t, origin+wellKnown+"/a")
	var doc struct {
		Introspection string `json:"introspection_endpoint"`
		Revocation    string `json:"revocation_endpoint"`
	}
	decode(t, body, &doc)
	if doc.Introspection != origin+"/introspect" || doc.Revocation != origin+"/revoke" || doc.Introspection != s.IntrospectionEndpoint() {
		t.Errorf("%+v", doc)
	}
}

func TestPhantom(t *testing.T) {
	s := start(t, issuer.Config{Clients: []issuer.Client{api}, Phantom: true})
	token := opaque(t, s, with(s.Claims("alice"), "scope", "a"))
	res, body := about(t, s, token, "application/jwt")
	if res.Header.Get("Content-Type") != "application/jwt" || !strings.Contains(payload(t, body), `"scope":"a","sub":"alice"`) || strings.Contains(payload(t, body), "active") {
		t.Errorf("%s %s", res.Header.Get("Content-Type"), payload(t, body))
	}
	if _, again := about(t, s, body); !strings.Contains(again, `"active":true`) {
		t.Errorf("the JWT is not the issuer's: %s", again)
	}
	if res, body := about(t, s, "unknown", "application/jwt"); res.StatusCode != 204 || body != "" {
		t.Errorf("%s %s", res.Status, body)
	}
	off := start(t, issuer.Config{Clients: []issuer.Client{api}})
	if res, _ := about(t, off, opaque(t, off, nil), "application/jwt"); res.Header.Get("Content-Type") != "application/json" {
		t.Errorf("off: %s", res.Header.Get("Content-Type"))
	}
}

func TestOpaqueForms(t *testing.T) {
	s := start(t, issuer.Config{Clients: []issuer.Client{api}, OpaquePrefix: "op_"})
	for form, dots := range map[string]int{"": 0, "one-dot": 1, "two-dots": 2, "five-parts": 4} {
		token, err := s.OpaqueAs(form, s.Claims(""))
		must(t, err)
		if !strings.HasPrefix(token, "op_") || strings.Count(token, ".") != dots || len(token) < 40 {
			t.Errorf("%s: %s", form, token)
		}
		if _, body := about(t, s, token); !strings.Contains(body, `"active":true`) {
			t.Errorf("%s: %s", form, body)
		}
	}
	if _, err := s.OpaqueAs("round", nil); err == nil || !strings.Contains(err.Error(), "five-parts") {
		t.Errorf("%v", err)
	}
	if _, err := s.Opaque(map[string]any{"f": func() {}}); err == nil {
		t.Error("a function is no claim")
	}
}

func TestOpaqueIsBounded(t *testing.T) {
	s := start(t, issuer.Config{})
	first := opaque(t, s, nil)
	for range issuer.MaxTokens - 1 {
		opaque(t, s, nil)
	}
	if _, err := s.Opaque(nil); err == nil {
		t.Error("one too many")
	}
	must(t, s.Revoke(first))
	opaque(t, s, nil)
}

func TestTokenInfo(t *testing.T) {
	now := time.Unix(1712345678, 0)
	s := start(t, issuer.Config{TokenInfo: true, Now: func() time.Time { return now }})
	claims := map[string]any{
		"client_id": "app", "sub": "1", "aud": "ignored", "scope": "a b", "exp": now.Unix() + 3599,
		"email": "a@example.test", "email_verified": true, "secret": "x",
	}
	ask := func(token string) (*http.Response, string) {
		return post(t, s, call{path: "/tokeninfo", form: url.Values{"access_token": {token}}})
	}
	_, body := ask(opaque(t, s, claims))
	if want := `{"aud":"app","azp":"app","email":"a@example.test","email_verified":"true","exp":"1712349277","expires_in":"3599","scope":"a b","sub":"1"}`; body != want {
		t.Errorf("%s, want %s", body, want)
	}
	if _, body := ask(opaque(t, s, map[string]any{"aud": "app-2", "azp": "app-3"})); body != `{"aud":"app-2","azp":"app-3"}` {
		t.Error(body)
	}
	if res, body := ask("unknown"); res.StatusCode != 400 || body != `{"error":"invalid_token"}` {
		t.Errorf("%s %s", res.Status, body)
	}
}

// TestIntrospectBound asks about tokens that the token endpoint has bound.
func TestIntrospectBound(t *testing.T) {
	s := start(t, issuer.Config{Clients: []issuer.Client{api}, TokenEndpoint: true})
	for query, want := range map[string]string{
		"kind=opaque&jkt=a":       `"cnf":{"jkt":"a"},DPoP`,
		"kind=opaque&x5t=b":       `"cnf":{"x5t#S256":"b"},Bearer`,
		"kind=opaque&jkt=a&x5t=b": `"cnf":{"jkt":"a","x5t#S256":"b"},DPoP`,
		"jkt=a":                   `"cnf":{"jkt":"a"},DPoP`,
	} {
		res, token := get(t, s.URL()+"/token?"+query)
		if res.StatusCode != 200 {
			t.Fatal(token)
		}
		cnf, kind, _ := strings.Cut(want, "},")
		if _, body := about(t, s, token); !strings.Contains(body, cnf+"}") || !strings.Contains(body, `"token_type":"`+kind+`"`) {
			t.Errorf("%s: %s", query, body)
		}
	}
}
