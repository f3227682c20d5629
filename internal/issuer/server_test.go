package issuer_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bearward/bearward/internal/issuer"
)

func TestDiscovery(t *testing.T) {
	for _, test := range []struct {
		path  string
		known []string
	}{
		{"", []string{"/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"}},
		{"/", []string{"/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"}},
		{"/realms/a", []string{
			"/.well-known/oauth-authorization-server/realms/a",
			"/.well-known/openid-configuration/realms/a",
			"/realms/a/.well-known/openid-configuration",
		}},
	} {
		t.Run(test.path, func(t *testing.T) {
			s := start(t, issuer.Config{Path: test.path})
			origin := strings.TrimSuffix(s.URL(), test.path)
			for _, path := range test.known {
				res, body := get(t, origin+path)
				var doc struct {
					Issuer  string   `json:"issuer"`
					JWKSURI string   `json:"jwks_uri"`
					Proofs  []string `json:"dpop_signing_alg_values_supported"`
				}
				decode(t, body, &doc)
				if doc.Issuer != s.URL() || doc.JWKSURI != origin+"/jwks" || !slices.Contains(doc.Proofs, "ES256") {
					t.Errorf("%s: %+v", path, doc)
				}
				if got := res.Header.Get("Content-Type"); got != "application/json" {
					t.Errorf("%s: Content-Type %q", path, got)
				}
				if got := s.Requests(path); got != 1 {
					t.Errorf("%s: counted %d times", path, got)
				}
			}
			if got := s.Requests(""); got != len(test.known) {
				t.Errorf("counted %d requests, want %d", got, len(test.known))
			}
		})
	}
}

func TestKeySetHeaders(t *testing.T) {
	now := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	s := start(t, issuer.Config{Now: func() time.Time { return now }, CacheControl: "no-store"})
	res, _ := get(t, s.URL()+"/jwks")
	if got := res.Header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control %q", got)
	}
	if got, want := res.Header.Get("Date"), "Wed, 02 Jan 2030 03:04:05 GMT"; got != want {
		t.Errorf("Date %q, want %q", got, want)
	}
}

func TestUnknownPathAndMethod(t *testing.T) {
	s := start(t, issuer.Config{Path: "/a"})
	for _, path := range []string{"/", "/token", "/a/jwks", "//jwks", "/.well-known/openid-configuration"} {
		if res, _ := get(t, strings.TrimSuffix(s.URL(), "/a")+path); res.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %s", path, res.Status)
		}
	}
	res, err := client.Post(strings.TrimSuffix(s.URL(), "/a")+"/jwks", "text/plain", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusMethodNotAllowed || res.Header.Get("Allow") != "GET, HEAD" {
		t.Errorf("POST: %s, Allow %q", res.Status, res.Header.Get("Allow"))
	}
}

func TestStartRefuses(t *testing.T) {
	for _, test := range []struct {
		name   string
		config issuer.Config
		want   []string
	}{
		{"address of all interfaces", issuer.Config{Addr: ":0"}, []string{"not a loopback address"}},
		{"no address", issuer.Config{Addr: "nonsense"}, []string{"issuer:"}},
		{"all faults at once", issuer.Config{Path: "a", Algorithms: []string{"none", "HS256"}}, []string{`"a"`, `"none"`, `"HS256"`}},
		{"query", issuer.Config{Path: "/a?b"}, []string{"plain"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, err := issuer.Start(test.config)
			if err == nil {
				_ = s.Close()
				t.Fatal("started")
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%v does not say %q", err, want)
				}
			}
		})
	}
}

func TestCloseAgain(t *testing.T) {
	s := start(t, issuer.Config{})
	for range 2 {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTokenEndpoint(t *testing.T) {
	s := start(t, issuer.Config{TokenEndpoint: true})
	for _, test := range []struct {
		query  string
		status int
		want   string // in the claims, or in the body of a refusal
	}{
		{"", 200, `"sub":"user-1"`},
		{"sub=alice&scope=a+b", 200, `"scope":"a b"`},
		{"sub=alice", 200, `"sub":"alice"`},
		{"aud=https://a.test&aud=https://b.test", 200, `"aud":["https://a.test","https://b.test"]`},
		{"jkt=a", 200, `"cnf":{"jkt":"a"}`},
		{"x5t=b", 200, `"cnf":{"x5t#S256":"b"}`},
		{"jkt=a&x5t=b", 200, `"cnf":{"jkt":"a","x5t#S256":"b"}`},
		{"kind=wrong-audience", 200, `"aud":"https://other.example.test"`},
		{"kind=nonsense", 400, "there are: valid"},
		{"knid=expired", 400, `unknown parameter "knid"`},
		{"jkt=a&jkt=b", 400, `"jkt" is repeated`},
		{"sub=a&sub=b", 400, `"sub" is repeated`},
		{"sub=%zz", 400, "invalid URL escape"},
	} {
		t.Run(test.query, func(t *testing.T) {
			res, body := get(t, s.URL()+"/token?"+test.query)
			if res.StatusCode != test.status {
				t.Fatalf("%s: %s", res.Status, body)
			}
			if got := res.Header.Get("Cache-Control"); got != "no-store" {
				t.Errorf("Cache-Control %q", got)
			}
			if got := res.Header.Get("Content-Type"); got != "text/plain; charset=utf-8" {
				t.Errorf("Content-Type %q", got)
			}
			if test.status == 200 {
				body = payload(t, body)
			}
			if !strings.Contains(body, test.want) {
				t.Errorf("%s does not contain %s", body, test.want)
			}
		})
	}
}
