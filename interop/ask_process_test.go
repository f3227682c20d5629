package interop

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/bearward/bearward/bearwardtest"
	"github.com/bearward/bearward/internal/redistest"
)

// asked is nginx that asks bearward serve, which is a process of its own, with an
// issuer and Redis that can go away.
type asked struct {
	iss     *bearwardtest.Issuer
	store   *redistest.Server
	server  identity // of nginx
	at      string   // its address
	admin   string   // of bearward
	process *os.Process
	file    string // its configuration
	text    string // of that
}

func startAskedProcess(t *testing.T) *asked {
	t.Helper()
	p := askers[0]
	if _, err := p.path(); err != nil {
		absent(t, "nginx is not installed: run `apt-get install nginx`")
	}
	a := &asked{
		store: redistest.Start(t, "--appendonly", "yes", "--appendfsync", "everysec"), server: newIdentity(t, "proxy", publicHost),
		iss: bearwardtest.NewIssuer(t, bearwardtest.Config{Resource: audience}), file: filepath.Join(t.TempDir(), "bearward.yaml"),
	}
	issuer := a.iss.Config().Issuers[0]
	a.text = fmt.Sprintf(`listen: 127.0.0.1:0
admin: 127.0.0.1:0
pprof: true
mode: forward-auth
forward_auth: {headers: x-original, single_line_challenge: true, status_for_400: 401}
resource: %s
public_url: https://%s
trusted_proxies: [127.0.0.1]
issuers:
  - issuer: %s
    allow_http: true
    opaque_prefix: %s
    jwks: {cooldown: 1s}
    introspection:
      endpoint: %s
      auth: client_secret_basic
      client_id: %s
      client_secret: %s
      cache: {entries: 500}
      limits: {parallel: 1000, per_second: 5000, timeout: 10s} # a machine that is busy is no outage
cache: {entries: 500}
dpop: {enabled: true, replay: redis}
redis: {url: %s, timeout: 2s}
rules:
  - {match: "/orders/", scopes: ["orders:read"]}
forward_headers: {X-Auth-Subject: sub, X-Auth-Client: client_id, X-Auth-Scope: scope}
log: {level: error}
`, audience, publicHost, issuer.URL, issuer.OpaquePrefix, issuer.Introspection.Endpoint,
		issuer.Introspection.Auth.ClientID, issuer.Introspection.Auth.Secret, a.store.URL())
	listen := a.run(t)
	a.at = p.run(t, a.server, "127.0.0.1:9000", listen, "127.0.0.1:9100", newAPI(t).addr())
	return a
}

// run starts bearward serve until the test ends, and returns where it listens.
func (a *asked) run(t *testing.T) (listen string) {
	t.Helper()
	if err := os.WriteFile(a.file, []byte(a.text), 0o600); err != nil {
		t.Fatal(err)
	}
	binary := filepath.Join(t.TempDir(), "bearward")
	if out, err := exec.Command("go", "build", "-o", binary, "../cmd/bearward").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	cmd := exec.Command(binary, "serve", "--config", a.file)
	said := new(bytes.Buffer)
	cmd.Stderr = said
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	a.process = cmd.Process
	relieve := guardProcess(t, cmd.Process.Pid)
	t.Cleanup(func() {
		relieve()
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("bearward said:\n%s", said)
		}
	})
	lines := bufio.NewScanner(out)
	var at []string
	for len(at) < 2 && lines.Scan() {
		if address, ok := strings.CutPrefix(lines.Text(), "bearward: listening on "); ok {
			at = append(at, address)
		}
	}
	if len(at) < 2 {
		t.Fatalf("bearward serve did not start: %s", said)
	}
	a.admin = at[1]
	return at[0]
}

// client has one connection to nginx.
func (a *asked) client() *http.Client {
	return &http.Client{
		Timeout: 30 * time.Second,
		Transport: &http.Transport{
			MaxConnsPerHost: 1, TLSClientConfig: clientTLS(a.server, nil),
			DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, network, a.at)
			},
		},
	}
}

// get returns the status of the answer, 0 if there was none, and its challenge.
func (a *asked) get(client *http.Client, fields ...string) (status int, why string) {
	r, err := http.NewRequest(http.MethodGet, "https://"+publicHost+"/orders/1", http.NoBody)
	if err != nil {
		return 0, err.Error()
	}
	for i := 0; i < len(fields); i += 2 {
		r.Header.Set(fields[i], fields[i+1])
	}
	resp, err := client.Do(r)
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, resp.Header.Get("WWW-Authenticate")
}

// size is that of bearward serve once nothing is under way: goroutines, and
// bytes of its heap after a collection.
func (a *asked) size(t *testing.T) (goroutines, heap int) {
	t.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for last, same := -1, 0; same < 5; last = goroutines {
		<-tick.C
		a.page(t, "/debug/pprof/heap?gc=1")
		metrics := a.page(t, "/metrics")
		goroutines, heap = gauge(t, metrics, "go_goroutines"), gauge(t, metrics, "go_memstats_heap_alloc_bytes")
		if same++; goroutines != last {
			same = 0
		}
	}
	return goroutines, heap
}

// settled reports a server that is larger than it was.
func (a *asked) settled(t *testing.T, goroutines, heap int) {
	t.Helper()
	nowGoroutines, nowHeap := a.size(t)
	t.Logf("goroutines %d, then %d; heap %d KiB, then %d KiB", goroutines, nowGoroutines, heap>>10, nowHeap>>10)
	if nowGoroutines > goroutines+8 {
		t.Errorf("%d goroutines, %d before", nowGoroutines, goroutines)
	}
	if nowHeap > heap+8<<20 {
		t.Errorf("a heap of %d KiB, %d before", nowHeap>>10, heap>>10)
	}
}

func (a *asked) page(t *testing.T, path string) string {
	t.Helper()
	resp, err := http.Get("http://" + a.admin + path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s, %v", path, resp.Status, err)
	}
	return string(body)
}

func gauge(t *testing.T, metrics, name string) int {
	t.Helper()
	found := regexp.MustCompile(`(?m)^` + name + ` (\S+)$`).FindStringSubmatch(metrics)
	if found == nil {
		t.Fatalf("no %s in\n%s", name, metrics)
	}
	value, err := strconv.ParseFloat(found[1], 64)
	if err != nil {
		t.Fatal(err)
	}
	return int(value)
}
