package interop

import (
	"bufio"
	"crypto/tls"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bearward/bearward/internal/challengetest"
	"github.com/bearward/bearward/internal/server"
	"github.com/bearward/bearward/internal/server/config"
	"github.com/bearward/bearward/validate"
)

// behind is bearward serve behind a proxy, both with their files of
// examples/proxies, in front of an API.
type behind struct {
	proxy  proxy
	server identity // of the proxy
	at     string   // the proxy's address
	serve  string   // that of bearward
	api    *api
	key    signingKey // of the issuer
}

const (
	publicHost = "api.example.com" // of examples/proxies
	exampleIss = "https://login.example.com"
)

func startBehind(t testing.TB, p proxy) *behind {
	t.Helper()
	b := &behind{proxy: p, api: newAPI(t), server: newIdentity(t, "proxy", publicHost), key: newP256(t, "issuer")}
	edits := append([]string{
		"listen: 127.0.0.1:9000", "listen: 127.0.0.1:0",
		"http://127.0.0.1:9100", b.api.URL,
		"issuer: " + exampleIss + "\n", "issuer: " + exampleIss + "\n    jwks_file: " + b.key.publish(t) + "\n",
	}, p.serve...)
	b.serve = serve(t, p.example(t, "bearward.yaml", edits...))
	b.at = p.run(t, b.server, "127.0.0.1:9000", b.serve)
	return b
}

// The files of bearward serve are usable as they are.
func TestProxyFiles(t *testing.T) {
	for _, p := range proxies {
		file, err := config.Parse(p.dir, []byte(p.example(t, "bearward.yaml")))
		if err != nil {
			t.Fatal(err)
		}
		service, err := server.New(t.Context(), file, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		if err := service.Close(); err != nil {
			t.Error(err)
		}
	}
}

// publish writes the public half into a file as a key set.
func (k signingKey) publish(t testing.TB) string {
	t.Helper()
	public := k.jwk(t)
	delete(public, "d")
	raw, err := json.Marshal(map[string]any{"keys": []any{public}})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "jwks.json")
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// token is bound to what cnf says; nil: to nothing.
func (b *behind) token(t testing.TB, cnf map[string]string) string {
	t.Helper()
	now := time.Now().Unix()
	claims := map[string]any{
		"iss": exampleIss, "sub": clientID, "client_id": clientID, "aud": audience,
		"iat": now, "exp": now + 600, "jti": "1", "scope": "orders:read",
	}
	if cnf != nil {
		claims["cnf"] = cnf
	}
	return b.key.sign(t, claims)
}

func toCertificate(i identity) map[string]string {
	return map[string]string{"x5t#S256": i.thumbprint()}
}

// ask sends a GET through the proxy, header fields as they are written.
func (b *behind) ask(t testing.TB, own *identity, path string, fields ...string) answer {
	t.Helper()
	conn, err := tls.Dial("tcp", b.at, clientTLS(b.server, own))
	if err != nil {
		t.Fatal(err)
	}
	return exchange(t, conn, path, fields)
}

// pass sends a GET past the proxy, straight to bearward, from an address of
// loopback.
func (b *behind) pass(t testing.TB, from, path string, fields ...string) answer {
	t.Helper()
	conn, err := (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}).Dial("tcp", b.serve)
	if err != nil {
		t.Fatal(err)
	}
	return exchange(t, conn, path, fields)
}

func exchange(t testing.TB, conn net.Conn, path string, fields []string) answer {
	t.Helper()
	return speak(t, conn, "GET "+path, fields)
}

// send is ask with any method.
func (b *behind) send(t testing.TB, own *identity, line string, fields ...string) answer {
	t.Helper()
	conn, err := tls.Dial("tcp", b.at, clientTLS(b.server, own))
	if err != nil {
		t.Fatal(err)
	}
	return speak(t, conn, line, fields)
}

func speak(t testing.TB, conn net.Conn, line string, fields []string) answer {
	t.Helper()
	defer conn.Close()
	text := line + " HTTP/1.1\r\nHost: " + publicHost + "\r\n"
	for _, f := range fields {
		text += f + "\r\n"
	}
	if _, err := io.WriteString(conn, text+"\r\n"); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	return read(t, resp)
}

// answer is a response that was read to its end.
type answer struct {
	*http.Response
	body string
}

func read(t testing.TB, resp *http.Response) answer {
	t.Helper()
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{resp, string(body)}
}

// accepted reports an answer other than 200, or an API that saw something it
// must not see.
func (b *behind) accepted(t testing.TB, a answer) {
	t.Helper()
	seen := b.api.take()
	if a.StatusCode != http.StatusOK || seen == nil {
		t.Errorf("got %s %q %s", a.Status, a.Header["Www-Authenticate"], a.body)
	}
	for name := range seen {
		switch fold(name) {
		case "authorization", "dpop", fold(b.proxy.header.Name):
			t.Errorf("the API sees %s: %q", name, seen[name])
		}
	}
}

func fold(name string) string { return strings.ToLower(strings.ReplaceAll(name, "_", "-")) }

// refused reports an answer other than 401 with a challenge Bearer and one
// DPoP, of which one tells a code of these as its reason.
func (b *behind) refused(t testing.TB, a answer, codes ...validate.Code) {
	t.Helper()
	if b.api.take() != nil {
		t.Error("the API heard of it")
	}
	lines := a.Header["Www-Authenticate"]
	if a.StatusCode != http.StatusUnauthorized || len(lines) != 2 {
		t.Errorf("got %s %q, want 401 with two challenges", a.Status, lines)
		return
	}
	why := ""
	for i, scheme := range []string{"Bearer", "DPoP"} {
		c, err := challengetest.Parse(lines[i])
		if err != nil || c.Scheme != scheme {
			t.Errorf("%v in %q, want %s", err, lines[i], scheme)
		}
		why += c.Params["error_description"]
	}
	if !slices.ContainsFunc(codes, func(c validate.Code) bool { return c.Phrase() == why }) {
		t.Errorf("refused because %q, want %q", why, codes)
	}
}
