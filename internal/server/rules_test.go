package server

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bearward/bearward/bearwardtest"
	"github.com/bearward/bearward/internal/server/config"
	"github.com/bearward/bearward/internal/server/route"
)

const contract = `openapi: 3.1.0
servers: [{url: "https://api.example.test/v1"}]
paths:
  /orders/{id}:
    get: {security: [{o: ["read"]}]}
    put: {security: [{o: ["write"]}, {o: ["admin"]}]}
  /orders/mine: {get: {}, put: {security: []}}
  /orders/: {get: {security: [{}, {o: []}]}}
  /by/hand: {get: {security: []}}
components: {securitySchemes: {o: {type: oauth2}}}
`

// TestReportOnlyOfDocument: operations that refuse nothing are named at the start,
// those that nobody may call are refused all the same.
func TestReportOnlyOfDocument(t *testing.T) {
	log := &notes{}
	s := serve(t, echo, "report_only: true\nopenapi: "+place(t, t.TempDir(), "api.yaml", contract)+"\n", log.log)
	for path, want := range map[string]int{"/v1/orders/7": 200, "/v1/orders/mine": 403} {
		if a := s.ask("GET", path); a.StatusCode != want {
			t.Errorf("%s: %d, want %d", path, a.StatusCode, want)
		}
	}
	text := log.String()
	if !strings.Contains(text, "report_only: what these rules refuse is let through") || !strings.Contains(text, "GET /v1/orders/{id}") {
		t.Errorf("at the start: %s", text)
	}
	if strings.Contains(text, "GET /v1/orders/mine") || strings.Contains(text, "GET /v1/by/hand") {
		t.Errorf("rules that report nothing are named: %s", text)
	}
}

// A document's operations are rules like others; what has no security is
// refused, also where a wider rule would match.
func TestOpenAPI(t *testing.T) { // [PV-08 AZ-01]
	api := place(t, t.TempDir(), "api.yaml", contract)
	s := serve(t, echo, "openapi: "+api+"\nforward_headers: {X-Auth-Subject: sub}\nimplies: {admin: [write]}\nrules:\n  - {match: GET /v1/by/hand, scopes: [read]}\n")
	for _, c := range []struct {
		method, path, scope string
		want                int
	}{
		{"GET", "/v1/orders/7", "read", 200},
		{"HEAD", "/v1/orders/7", "read", 200},
		{"GET", "/v1/orders/7", "write", 403},
		{"GET", "/v1/orders/7", "", 401},
		{"PUT", "/v1/orders/7", "write", 200},
		{"PUT", "/v1/orders/7", "admin", 200},
		{"PUT", "/v1/orders/7", "read", 403},
		{"DELETE", "/v1/orders/7", "read", 403},
		{"GET", "/v1/orders/mine", "read", 403}, // [PV-08]
		{"HEAD", "/v1/orders/mine", "read", 403},
		{"PUT", "/v1/orders/mine", "", 200},
		{"GET", "/v1/orders/", "", 200},
		{"GET", "/v1/orders/", "other", 200},
		{"GET", "/v1/by/hand", "", 401},
		{"GET", "/v1/by/hand", "read", 200},
		{"GET", "/orders/7", "read", 403},
		{"GET", "/v1/orders/7/lines", "read", 403},
	} {
		var fields []string
		if c.scope != "" {
			fields = []string{s.as(c.scope)}
		}
		a := s.ask(c.method, c.path, fields...)
		if a.StatusCode != c.want {
			t.Errorf("%s %s with %q: got %d, want %d", c.method, c.path, c.scope, a.StatusCode, c.want)
		}
		if c.want == 200 && c.method == "GET" && (c.scope != "") != strings.Contains(a.body, "X-Auth-Subject: user-1") {
			t.Errorf("%s %s: the upstream got %s", c.method, c.path, a.body)
		}
	}
	refused(t, "a scope that is missing", s.ask("GET", "/v1/orders/7", s.as("write")), 403, "Bearer", "insufficient_scope")
	if a := s.ask("GET", "/v1/orders/mine"); a.StatusCode != 403 || a.Header.Get("Www-Authenticate") != "" {
		t.Errorf("an operation without security: got %d %v", a.StatusCode, a.Header)
	}
}

// A base path is that of requests as they arrive.
func TestOpenAPIBasePath(t *testing.T) {
	api := place(t, t.TempDir(), "api.yaml", contract)
	issuer := bearwardtest.NewIssuer(t)
	s, err := New(t.Context(), parse(t, issuer.URL, "http://127.0.0.1:1", "openapi: "+api+"\nopenapi_base_path: /\n"), quiet)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if p, outcome := s.Match("GET", "/orders/7"); outcome != route.Matched || p.Route != "GET /orders/{id}" {
		t.Errorf("got %q %d", p.Route, outcome)
	}
	if _, outcome := s.Match("GET", "/v1/orders/7"); outcome != route.Unmatched {
		t.Errorf("got %d", outcome)
	}
}

// Faults of the document have its name and lines, beside those of the file.
func TestOpenAPIFaults(t *testing.T) {
	dir := t.TempDir()
	api := place(t, dir, "api.yaml", strings.Replace(contract, "{o: [\"read\"]}", "{x: []}", 1))
	none := filepath.Join(dir, "none")
	issuer := bearwardtest.NewIssuer(t)
	_, err := New(t.Context(), parse(t, issuer.URL, "https://127.0.0.1:1", "openapi: "+api+"\nupstream_ca_file: "+none+"\n"), quiet)
	var faults *config.Faults
	if !errors.As(err, &faults) {
		t.Fatalf("got %v", err)
	}
	for _, want := range []string{api + `:5:23: there is no security scheme "x"`, "serve.yaml:9:19: "} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%s is missing in %v", want, err)
		}
	}
	for _, path := range []string{none, dir} {
		if _, err := New(t.Context(), parse(t, issuer.URL, "http://127.0.0.1:1", "openapi: "+path+"\n"), quiet); err == nil || !strings.Contains(err.Error(), "serve.yaml:8:10: ") {
			t.Errorf("%s: got %v", path, err)
		}
	}
}

// The example's document fits its file.
func TestOpenAPIExample(t *testing.T) {
	dir := filepath.Join("..", "..", "examples", "serve")
	text, err := os.ReadFile(filepath.Join(dir, "openapi.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	text = []byte(strings.Replace(string(text), "openapi: examples/serve", "openapi: "+dir, 1))
	file, err := config.Parse("openapi.yaml", text)
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(t.Context(), file, quiet)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for request, want := range map[string]string{"GET /orders": "GET /orders", "DELETE /orders/7": "DELETE /orders/{id}", "GET /orders/7": "GET /orders/{id}"} {
		method, path, _ := strings.Cut(request, " ")
		if p, outcome := s.Match(method, path); outcome != route.Matched || p.Route != want {
			t.Errorf("%s: got %q %d", request, p.Route, outcome)
		}
	}
}
