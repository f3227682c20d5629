package interop

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const (
	serverDir    = "oidcprovider"
	audience     = "https://api.example.com"
	clientID     = "interop"
	clientSecret = "interop-on-loopback-only"
)

// oidcProvider is a running oidc-provider. Its methods belong to one goroutine.
type oidcProvider struct {
	t      testing.TB
	scheme string // of its URL
	port   int

	cmd    *exec.Cmd
	stdin  io.WriteCloser
	stdout *bufio.Scanner
	stderr *bytes.Buffer
}

// startOIDCProvider starts the server with the keys that makeKeys returns, on a
// port of its own, and ends it with the test.
func startOIDCProvider(t testing.TB, makeKeys func(testing.TB) keySet) *oidcProvider {
	t.Helper()
	requireServer(t)
	keys := makeKeys(t)
	p := &oidcProvider{t: t, scheme: "http"}
	if keys.tls != nil {
		p.scheme = "https"
	}
	t.Cleanup(p.stop)
	for range 20 {
		p.port = pickPort(t)
		if p.run(keys) {
			return p
		}
		if !strings.Contains(p.stderr.String(), "EADDRINUSE") {
			break // only a port that somebody took meanwhile is worth another try
		}
	}
	t.Fatalf("oidc-provider did not start:\n%s", p.stderr)
	return nil
}

// requireServer asks for Node.js and the packages of package.json, and names the
// command that provides what is missing.
func requireServer(t testing.TB) {
	t.Helper()
	missing := ""
	if version := nodeVersion(); version < 20 {
		missing = fmt.Sprintf("Node.js 20 or later is needed, found %d (0: none in PATH)", version)
	}
	for _, name := range []string{"oidc-provider", "oauth4webapi", "openid-client", "dpop", "jose", "undici"} {
		if _, err := os.Stat(filepath.Join(serverDir, "node_modules", name)); err != nil && missing == "" {
			missing = name + " is not installed: run `npm ci` in interop/" + serverDir
		}
	}
	absent(t, missing)
}

// absent skips the test if something is missing, or fails it where everything is
// required.
func absent(t testing.TB, missing string) {
	t.Helper()
	switch {
	case missing == "":
	case os.Getenv("BEARWARD_REQUIRE_ALL") == "1":
		t.Fatal(missing)
	default:
		t.Skip(missing)
	}
}

// nodeVersion returns the major version of node in PATH, 0 without one.
func nodeVersion() int {
	out, err := exec.Command("node", "--version").Output() // v20.20.2
	if err != nil {
		return 0
	}
	major, _, _ := strings.Cut(strings.TrimPrefix(string(out), "v"), ".")
	version, _ := strconv.Atoi(major)
	return version
}

// pickPort returns a free port below the range that the system hands out by
// itself, so that it stays free while the server restarts.
func pickPort(t testing.TB) int {
	t.Helper()
	for range 1000 {
		port := 20_000 + rand.IntN(12_000)
		if l, err := net.Listen("tcp", addr(port)); err == nil {
			_ = l.Close()
			return port
		}
	}
	t.Fatal("no free port on loopback")
	return 0
}

func addr(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// URL is the issuer identifier.
func (p *oidcProvider) URL() string { return p.scheme + "://" + addr(p.port) }

// run starts the process on p.port and reports whether it got ready.
func (p *oidcProvider) run(keys keySet) bool {
	p.t.Helper()
	p.cmd = exec.Command("node", "server.mjs", strconv.Itoa(p.port), keys.file(p.t))
	p.cmd.Dir = serverDir
	p.stderr = new(bytes.Buffer)
	p.cmd.Stderr = p.stderr
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		p.t.Fatal(err)
	}
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		p.t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.stdout = bufio.NewScanner(stdout)
	if p.answered("ready " + strconv.Itoa(p.port)) {
		return true
	}
	p.stop()
	return false
}

// answered reads the next line the server prints.
func (p *oidcProvider) answered(want string) bool {
	return p.stdout.Scan() && p.stdout.Text() == want
}

// publish replaces the keys of the running server.
func (p *oidcProvider) publish(keys keySet) {
	p.t.Helper()
	p.command("keys", keys.file(p.t))
}

// down resets connections and refuses new ones, until up; nothing is forgotten.
func (p *oidcProvider) down() { p.t.Helper(); p.command("down") }
func (p *oidcProvider) up()   { p.t.Helper(); p.command("up") }

// command has the server do something, and waits until it is done.
func (p *oidcProvider) command(name string, arguments ...any) {
	p.t.Helper()
	if _, err := fmt.Fprintln(p.stdin, append([]any{name}, arguments...)...); err != nil {
		p.t.Fatal(err)
	}
	if !p.answered(name) {
		p.t.Fatalf("oidc-provider failed at %s:\n%s", name, p.stderr)
	}
}

// restart runs the server again on its port after stop or kill.
func (p *oidcProvider) restart(keys keySet) {
	p.t.Helper()
	if !p.run(keys) {
		p.t.Fatalf("oidc-provider did not come back:\n%s", p.stderr)
	}
}

// kill ends the server as a crash would: open connections are reset.
func (p *oidcProvider) kill() {
	_ = p.cmd.Process.Kill()
	p.stop()
}

// stop ends the server; it does nothing the second time.
func (p *oidcProvider) stop() {
	if p.cmd == nil {
		return
	}
	_ = p.stdin.Close()
	_ = p.cmd.Wait() // killed, or 0 at the end of stdin
	p.cmd = nil
}
