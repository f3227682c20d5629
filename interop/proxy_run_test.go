package interop

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bearward/bearward/validate/mtls"
)

// proxy is a reverse proxy that terminates TLS, with its files in examples.
type proxy struct {
	name   string
	binary string
	pkg    string      // Debian's, that has it
	dir    string      // under examples, with file and bearward.yaml
	file   string      // its configuration there
	script string      // another file there that file names; "" if there is none
	faults []string    // edits of that, to break it
	edits  []string    // of that, old and new by turns: places of a test for those of the example
	serve  []string    // of bearward.yaml
	header mtls.Header // how it forwards the client's certificate
	start  func(placement) []string
}

// placement is where one run of a proxy has its things.
type placement struct {
	port    int    // on 127.0.0.1
	dir     string // for its own files
	example string // its file, edited
}

// places are what edits puts in.
func (at placement) places(t testing.TB, server identity) *strings.Replacer {
	certificate, key, both := server.files(t)
	return strings.NewReplacer("ADDRESS", addr(at.port), "CERTIFICATE", certificate, "KEY", key, "BOTH", both, "SCRIPT", filepath.Join(at.dir, "script"))
}

var proxies = []proxy{
	{
		name: "nginx", binary: "nginx", pkg: "nginx", dir: "proxies/nginx", file: "nginx.conf", start: startNginx,
		header: mtls.Header{Name: "X-Ssl-Client-Cert", Format: mtls.PEMURLEncoded},
		edits: []string{
			"listen 443 ", "listen ADDRESS ",
			"/etc/ssl/certs/api.example.com.pem", "CERTIFICATE",
			"/etc/ssl/private/api.example.com.key", "KEY",
		},
	},
	{
		name: "HAProxy", binary: "haproxy", pkg: "haproxy", dir: "proxies/haproxy", file: "haproxy.cfg", start: startHAProxy,
		header: mtls.Header{Name: "Client-Cert", Format: mtls.RFC9440},
		edits:  []string{"bind :443 ", "bind ADDRESS ", "/etc/haproxy/api.example.com.pem", "BOTH"},
	},
	{
		name: "HAProxy without colons", binary: "haproxy", pkg: "haproxy", dir: "proxies/haproxy", file: "haproxy.cfg", start: startHAProxy,
		header: mtls.Header{Name: "Client-Cert", Format: mtls.Base64DER},
		edits: []string{
			"bind :443 ", "bind ADDRESS ", "/etc/haproxy/api.example.com.pem", "BOTH",
			`":%[ssl_c_der,base64]:"`, "%[ssl_c_der,base64]",
		},
		serve: []string{"format: rfc9440", "format: base64-der"},
	},
	{
		name: "Caddy", binary: "caddy", pkg: "caddy", dir: "proxies/caddy", file: "Caddyfile", start: startCaddy,
		header: mtls.Header{Name: "Client-Cert", Format: mtls.RFC9440},
		edits:  []string{"/etc/caddy/api.example.com.pem", "CERTIFICATE", "/etc/caddy/api.example.com.key", "KEY"},
	},
	{
		name: "Apache", binary: "apache2", pkg: "apache2-bin", dir: "proxies/apache", file: "apache.conf", start: startApache,
		header: mtls.Header{Name: "X-Ssl-Client-Cert", Format: mtls.PEMOneLine},
		edits: []string{
			"*:443", "ADDRESS",
			"/etc/ssl/certs/api.example.com.pem", "CERTIFICATE",
			"/etc/ssl/private/api.example.com.key", "KEY",
		},
	},
}

// eachProxy runs the test with every proxy.
func eachProxy(t *testing.T, test func(t *testing.T, p proxy)) { each(t, proxies, test) }

func each(t *testing.T, proxies []proxy, test func(t *testing.T, p proxy)) {
	for _, p := range proxies {
		t.Run(p.name, func(t *testing.T) {
			if _, err := p.path(); err != nil {
				absent(t, fmt.Sprintf("%s is not installed: run `apt-get install %s`", p.binary, p.pkg))
			}
			test(t, p)
		})
	}
}

// path finds the binary, also where /usr/sbin is not in PATH.
func (p *proxy) path() (string, error) {
	if path, err := exec.LookPath(p.binary); err == nil {
		return path, nil
	}
	return exec.LookPath("/usr/sbin/" + p.binary)
}

// example reads a file of the example and replaces texts in it, old and
// new by turns; each has to be there.
func (p *proxy) example(t testing.TB, name string, edits ...string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "examples", filepath.FromSlash(p.dir), name))
	if err != nil {
		t.Fatal(err)
	}
	text := string(raw)
	for i := 0; i < len(edits); i += 2 {
		if !strings.Contains(text, edits[i]) {
			t.Fatalf("%s/%s does not contain %q", p.dir, name, edits[i])
		}
		text = strings.ReplaceAll(text, edits[i], edits[i+1])
	}
	return text
}

// run starts the proxy with the server's certificate, until the test ends, and
// returns its address. edits are made in its file: the addresses behind it.
func (p *proxy) run(t testing.TB, server identity, edits ...string) string {
	t.Helper()
	for range 20 {
		at := placement{port: pickPort(t), dir: t.TempDir()}
		text := p.example(t, p.file, slices.Concat(p.edits, edits)...)
		at.example = at.write(t, "example", at.places(t, server).Replace(text))
		if p.script != "" {
			script := at.write(t, "script", p.example(t, p.script, slices.Concat(edits[:2], p.faults)...))
			if err := errors.Join(os.Chmod(script, 0o644), os.Chmod(filepath.Dir(at.dir), 0o755)); err != nil { // read by another user
				t.Fatal(err)
			}
		}
		said, up := p.launch(t, at, server)
		if up {
			return addr(at.port)
		}
		if !strings.Contains(strings.ToLower(said), "in use") {
			t.Fatalf("%s did not start:\n%s", p.name, said)
		}
	}
	t.Fatalf("%s found no port", p.name)
	return ""
}

func (at placement) write(t testing.TB, name, text string) string {
	t.Helper()
	path := filepath.Join(at.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// launch starts the process and waits until it answers as this server. If it
// ends before, launch returns what it said.
func (p *proxy) launch(t testing.TB, at placement, server identity) (said string, up bool) {
	t.Helper()
	binary, err := p.path()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(binary, p.start(at)...)
	cmd.Dir = at.dir
	cmd.Env = append(os.Environ(), "HOME="+at.dir, "XDG_DATA_HOME="+at.dir, "XDG_CONFIG_HOME="+at.dir)
	out := new(bytes.Buffer)
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	relieve := guardProcess(t, cmd.Process.Pid)
	t.Cleanup(func() {
		relieve()
		_ = cmd.Process.Kill()
		<-ended
	})
	retry := time.NewTicker(5 * time.Millisecond)
	defer retry.Stop()
	for range 4000 {
		conn, err := tls.DialWithDialer(&net.Dialer{Timeout: time.Second}, "tcp", addr(at.port), clientTLS(server, nil))
		if err == nil {
			_ = conn.Close()
			return "", true
		}
		select {
		case <-ended:
			return out.String(), false
		case <-retry.C:
		}
	}
	_ = cmd.Process.Kill()
	<-ended
	t.Fatalf("%s does not answer:\n%s", p.name, out)
	return "", false
}

// guardProcess has a process killed when this one ends without having done it,
// as it does when a test runs out of time: the pipe to the shell closes.
func guardProcess(t testing.TB, pid int) (relieve func()) {
	t.Helper()
	sh := exec.Command("sh", "-c", fmt.Sprintf("read -r _; kill -9 %d", pid))
	in, err := sh.StdinPipe()
	if err == nil {
		err = sh.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	return func() {
		_ = sh.Process.Kill()
		_ = sh.Wait()
		_ = in.Close()
	}
}
