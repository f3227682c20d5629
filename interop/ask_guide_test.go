package interop

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// guide is docs/deploy.md: the first block of each language is the quick start.
func guide(t testing.TB, language string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "docs", "deploy.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, block, found := strings.Cut(string(raw), "\n```"+language+"\n")
	block, _, closed := strings.Cut(block, "```\n")
	if !found || !closed {
		t.Fatalf("docs/deploy.md has no block of %s", language)
	}
	return block
}

// The five minutes of the guide protect an API, with a file of 15 lines.
func TestAskGuide(t *testing.T) { // [PV-05 TR-13]
	nginx := askers[0]
	each(t, []proxy{nginx}, func(t *testing.T, p proxy) {
		file, location := guide(t, "yaml"), guide(t, "nginx")
		if lines := strings.Count(file, "\n"); lines > 15 {
			t.Errorf("the file has %d lines", lines)
		}
		b := &behind{proxy: p, api: newAPI(t), server: newIdentity(t, "proxy", publicHost), key: newP256(t, "issuer")}
		b.serve = serve(t, strings.NewReplacer(
			"127.0.0.1:9000", "127.0.0.1:0",
			"issuer: "+exampleIss+"\n", "issuer: "+exampleIss+"\n    jwks_file: "+b.key.publish(t)+"\n",
		).Replace(file))
		start := p.start
		p.start = func(at placement) []string { // the guide's lines in the example's server
			before, _, _ := strings.Cut(readFile(t, at.example), "\tlocation / {")
			text := strings.NewReplacer("127.0.0.1:9000", b.serve, "127.0.0.1:9100", b.api.addr()).Replace(location)
			at.write(t, "example", before+text+"}\n")
			return start(at)
		}
		b.at = p.run(t, b.server, "127.0.0.1:9000", b.serve)

		as := b.tokenWith(t, nil)
		b.passed(t, "token", b.ask(t, nil, "/orders/1", as), "user")
		b.passed(t, "public", b.ask(t, nil, "/healthz", as), "")
		for name, c := range map[string]struct {
			line   string
			status int
			fields []string
		}{
			"no token":    {"GET /orders/1", 401, nil},
			"two tokens":  {"GET /orders/1", 401, []string{as, as}},
			"no scope":    {"POST /orders/1", 403, []string{as, "Content-Length: 0"}},
			"no rule":     {"GET /", 403, []string{as}},
			"an identity": {"GET /healthz", 403, []string{"X-Auth-Subject: admin"}},
			"forged":      {"GET /orders/1", 401, []string{"X-Original-URI: /healthz", "X-Original-Method: GET"}},
		} {
			a := b.send(t, nil, c.line, c.fields...)
			if name == "two tokens" && a.StatusCode == 400 { // by nginx itself
				a.StatusCode = 401
			}
			if a.StatusCode != c.status || b.api.take() != nil || name == "no token" && !strings.HasPrefix(a.Header.Get("Www-Authenticate"), "Bearer ") {
				t.Errorf("%s: got %s %q", name, a.Status, a.Header)
			}
		}
	})
}

func readFile(t testing.TB, path string) string {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}
