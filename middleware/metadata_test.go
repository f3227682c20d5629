package middleware_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/bearward/bearward/middleware"
	"github.com/bearward/bearward/validate"
)

// resource is a guard for this resource, without anything to verify.
func resource(t *testing.T, resource string, change ...func(*middleware.Config)) *middleware.Guard {
	t.Helper()
	return foreign(t, gives(nil, validate.ErrExpired), append([]func(*middleware.Config){func(c *middleware.Config) {
		c.Resource = resource
		c.Issuers[0].Audience = nil
	}}, change...)...)
}

func document(t *testing.T, g *middleware.Guard, path string) string {
	t.Helper()
	status, _, body := g.Metadata(middleware.Request{Method: "GET", RawPath: path})
	if status != 200 {
		t.Errorf("%s: %d", path, status)
	}
	return string(body)
}

const root = "/.well-known/oauth-protected-resource"

// TestMetadataPlaces: the document is where RFC 9728 §3.1 says, and at the
// root for clients that ask there; the challenge names the first.
// [MD-02 MD-03 MD-06 MC-03 MC-08]
func TestMetadataPlaces(t *testing.T) {
	for res, c := range map[string]struct {
		url   string
		paths []string
	}{
		"https://api.example.test":            {"https://api.example.test" + root, []string{root}},
		"https://api.example.test/":           {"https://api.example.test" + root, []string{root}},
		"https://api.example.test:8443/":      {"https://api.example.test:8443" + root, []string{root}},
		"https://api.example.test/a/b":        {"https://api.example.test" + root + "/a/b", []string{root + "/a/b", root}},
		"https://api.example.test/a/b/":       {"https://api.example.test" + root + "/a/b", []string{root + "/a/b", root}},
		"https://api.example.test/a%2Fb":      {"https://api.example.test" + root + "/a%2Fb", []string{root + "/a%2Fb", root}},
		"https://api.example.test/a?tenant=1": {"https://api.example.test" + root + "/a?tenant=1", []string{root + "/a", root}},
		"https://api.example.test?tenant=1":   {"https://api.example.test" + root + "?tenant=1", []string{root}},
		"HTTPS://API.example.test/":           {"https://API.example.test" + root, []string{root}},
		"http://api.example.test":             {},
		"urn:example:orders":                  {},
		"orders":                              {},
		"https:///no-host":                    {},
		"":                                    {},
	} {
		g := resource(t, res)
		if got := g.MetadataPaths(); !slices.Equal(got, c.paths) {
			t.Errorf("%s: %q, want %q", res, got, c.paths)
		}
		for _, r := range []middleware.Request{request(), bearer(foreignToken)} {
			_, d := g.Decide(t.Context(), r, middleware.Policy{})
			if d.Denial.Details["resource_metadata"] != c.url {
				t.Errorf("%s: %v", res, d.Denial.Details)
			}
		}
		for _, path := range c.paths {
			if body := document(t, g, path); !strings.Contains(body, `"resource":"`+res+`"`) { // as configured, to the byte
				t.Errorf("%s: %s", res, body)
			}
		}
		for _, path := range []string{root + "/x", root + "/", root + "/a/b/c", "/", "", "/.well-known", root + "x"} {
			if slices.Contains(c.paths, path) {
				continue
			}
			if status, h, body := g.Metadata(middleware.Request{Method: "GET", RawPath: path}); status != 404 || len(body) != 0 || h.Get("Access-Control-Allow-Origin") != "*" {
				t.Errorf("%s at %s: %d", res, path, status)
			}
		}
		if len(c.paths) == 0 {
			if status, _, _ := g.Metadata(middleware.Request{Method: "GET", RawPath: root}); status != 404 {
				t.Errorf("%s: %d", res, status)
			}
		}
	}
}

// TestResourceFaults are found at start. [AZ-09 MD-02]
func TestResourceFaults(t *testing.T) {
	for _, bad := range []string{
		"https://api.example.test/#f", "https://api.example.test#", "urn:x#y", "https://api.example.test/%zz", "https://user:secret@api.example.test/",
		"https://api.example.test/?ä", `https://api.example.test/?"`, "https://bücher.example.test",
	} {
		_, err := middleware.New(middleware.Config{Realm: "r", Resource: bad, Issuers: []middleware.Issuer{{URL: foreignIssuer, Name: "a", Verifier: gives(nil, nil)}}})
		if err == nil || !strings.Contains(err.Error(), "resource") || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

// TestMetadataAnswer: methods, type, caching, CORS, and nothing of the request
// in it. [MD-04 MD-05 MD-07 MD-09 MC-02]
func TestMetadataAnswer(t *testing.T) {
	g := resource(t, api, func(c *middleware.Config) {
		c.Issuers = append(c.Issuers, middleware.Issuer{URL: "https://second.example.test", Name: "second", Verifier: gives(nil, nil)})
	})
	r := middleware.Request{
		Method: "GET", Scheme: "http", Host: "evil.test", RawPath: root, RawQuery: "evil",
		Header: http.Header{"Authorization": {"a", "b"}, "Forwarded": {"host=evil.test"}, "X-Forwarded-Host": {"evil.test"}, "Origin": {"https://evil.test"}},
	}
	status, h, body := g.Metadata(r)
	want := `{"resource":"` + api + `","authorization_servers":["` + foreignIssuer + `","https://second.example.test"],"bearer_methods_supported":["header"]}` + "\n"
	if status != 200 || string(body) != want || h.Get("Content-Type") != "application/json" || h.Get("Cache-Control") != "max-age=3600" || h.Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("%d %v %s", status, h, body)
	}
	if _, d := g.Decide(t.Context(), r, middleware.Policy{}); strings.Contains(outputs(d.Denial), "evil") { // [MD-07]
		t.Errorf("%v", d.Denial)
	}
	r.Method = "HEAD"
	if status, _, _ := g.Metadata(r); status != 200 {
		t.Errorf("HEAD: %d", status)
	}
	for _, method := range []string{"POST", "PUT", "DELETE", "OPTIONS", "get", ""} {
		r.Method = method
		if status, h, _ := g.Metadata(r); status != 405 || h.Get("Allow") != "GET, HEAD" { // [MD-04]
			t.Errorf("%s: %d %v", method, status, h)
		}
	}
	paths := g.MetadataPaths()
	paths[0] = "/changed"
	if g.MetadataPaths()[0] != root {
		t.Error("MetadataPaths hands out the guard's own list")
	}
}

// TestMetadataScopes: those of prepared policies, sorted, each once, and never
// openid or offline_access. [MD-04 MD-09 MC-07]
func TestMetadataScopes(t *testing.T) {
	g := resource(t, api)
	if body := document(t, g, root); strings.Contains(body, "scopes_supported") {
		t.Errorf("a member without values: %s", body)
	}
	for _, p := range []middleware.Policy{
		middleware.Scopes("write", "openid"), middleware.Policy{}.WithAnyScope("a", "offline_access", "write"), middleware.Scopes("read", "k", "j", "i", "h", "g"), middleware.Public(), {},
	} {
		if _, err := g.Prepare(p); err != nil {
			t.Fatal(err)
		}
	}
	_, _ = g.Decide(t.Context(), request(), middleware.Scopes("unprepared"))
	_, _ = g.Prepare(middleware.Policy{AllScopes: []string{"faulty"}, MaxAge: -1})
	if _, err := g.Prepare(middleware.Policy{AllScopes: []string{"secret"}, Hide: true}); err != nil { // [ER-22]
		t.Fatal(err)
	}
	if body := document(t, g, root); !strings.Contains(body, `"scopes_supported":["a","g","h","i","j","k","read","write"],`) {
		t.Errorf("%s", body)
	}
}

// TestMetadataDetailTypes: those of prepared policies that do not hide, sorted,
// each once. [MD-09 ER-22]
func TestMetadataDetailTypes(t *testing.T) {
	g := resource(t, api)
	if body := document(t, g, root); strings.Contains(body, "authorization_details") {
		t.Errorf("a member without values: %s", body)
	}
	hidden := demands(middleware.Detail{Type: "secret"})
	hidden.Hide = true
	for _, p := range []middleware.Policy{
		demands(middleware.Detail{Type: "payment"}, middleware.Detail{Type: "account", Actions: []string{"read"}}), hidden,
		demands(middleware.MatchDetail("consent", func(context.Context, struct{}) bool { return true }), middleware.Detail{Type: "payment"}),
	} {
		if _, err := g.Prepare(p); err != nil {
			t.Fatal(err)
		}
	}
	_, _ = g.Decide(t.Context(), request(), demands(middleware.Detail{Type: "unprepared"}))
	_, _ = g.Prepare(demands(middleware.Detail{Type: "faulty"}, middleware.Detail{}))
	if body := document(t, g, root); !strings.Contains(body, `"authorization_details_types_supported":["account","consent","payment"]`) || strings.Contains(body, "scopes_supported") {
		t.Errorf("%s", body)
	}
}

// TestNoMetadata: neither document nor parameter.
func TestNoMetadata(t *testing.T) {
	g := resource(t, api, func(c *middleware.Config) { c.NoMetadata = true })
	if _, err := g.Prepare(middleware.Scopes("x")); err != nil {
		t.Fatal(err)
	}
	_, d := g.Decide(t.Context(), request(), middleware.Policy{})
	if status, _, _ := g.Metadata(middleware.Request{Method: "GET", RawPath: root}); status != 404 || d.Denial.Details["resource_metadata"] != "" || len(g.MetadataPaths()) != 0 {
		t.Errorf("%d %v", status, d.Denial.Details)
	}
}
