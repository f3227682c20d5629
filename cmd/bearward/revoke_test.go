package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bearward/bearward/internal/demo"
	"github.com/bearward/bearward/internal/redistest"
)

// The commands as an operator uses them: what bearward revoke names is refused
// by the running server on the next request, and no more.
func TestRevokeAtARunningServer(t *testing.T) {
	d, err := demo.Start(t.Context(), demo.Options{Free: true})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	t.Run("memory", func(t *testing.T) { revoke(t, d, "revocation: {list: memory}\n") })
	t.Run("redis", func(t *testing.T) {
		revoke(t, d, "redis: {url: \""+redistest.Start(t).URL()+"\"}\nrevocation: {list: redis}\n")
	})
}

func revoke(t *testing.T, d *demo.Demo, list string) {
	file, api := served(t, d, list)
	mint := func(client string) string {
		t.Helper()
		token, err := d.Mint(t.Context(), url.Values{"kind": {"opaque"}, "client_id": {client}})
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	stolen, other := mint("stolen"), mint("other")
	if got := [2]int{ask(t, api, stolen), ask(t, api, other)}; got != [2]int{200, 200} {
		t.Errorf("before: got %v", got)
	}
	out, err := exec.CommandContext(t.Context(), "bearward", "revoke", "--config", file, "--issuer", "demo", "--client", "stolen").CombinedOutput()
	if err != nil || string(out) != "revoked\n" {
		t.Errorf("revoke: %v: %s", err, out)
	}
	if got := [3]int{ask(t, api, stolen), ask(t, api, mint("stolen")), ask(t, api, other)}; got != [3]int{401, 401, 200} {
		t.Errorf("after: got %v", got)
	}
	if !strings.Contains(list, "redis") {
		return
	}
	out, err = exec.CommandContext(t.Context(), "bearward", "explain", "--config", file, stolen).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "FAIL  revocation") || strings.Contains(string(out), stolen) {
		t.Errorf("explain: %v: %s", err, out)
	}
}

// served starts bearward serve; it ends with the test.
func served(t *testing.T, d *demo.Demo, list string) (file, api string) {
	t.Helper()
	behind := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(behind.Close)
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	admin := free.Addr().String()
	_ = free.Close()
	file = filepath.Join(t.TempDir(), "bearward.yaml")
	text := fmt.Sprintf(`listen: 127.0.0.1:0
admin: %s
mode: proxy
upstream: %s
resource: %s
issuers:
  - {name: demo, issuer: "%s", allow_http: true, introspection: {auth: client_secret_basic, client_id: orders-api, client_secret: "demo: not secret"}}
%srules: [{match: /}]
`, admin, behind.URL, d.Resource, d.Issuer, list)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "bearward", "serve", "--config", file)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	lines := bufio.NewReader(out)
	for range 2 { // the API, and admin
		line, err := lines.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if api == "" {
			api = "http://" + strings.TrimSpace(strings.TrimPrefix(line, "bearward: listening on "))
		}
	}
	return file, api
}

func ask(t *testing.T, api, token string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, api, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	return resp.StatusCode
}
