package interop

import (
	"log/slog"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/bearward/bearward/internal/challengetest"
	"github.com/bearward/bearward/internal/server"
	"github.com/bearward/bearward/internal/server/config"
	"github.com/bearward/bearward/validate/mtls"
)

// askers are proxies that ask bearward serve, with their files of
// examples/forward-auth.
var askers = []proxy{
	{
		name: "nginx", binary: "nginx", pkg: "nginx", dir: "forward-auth/nginx", file: "nginx.conf", start: startNginx,
		header: mtls.Header{Name: "X-Ssl-Client-Cert", Format: mtls.PEMURLEncoded}, edits: proxies[0].edits,
	},
	{
		name: "HAProxy", binary: "haproxy", pkg: "haproxy", dir: "forward-auth/haproxy", file: "haproxy.cfg", script: "bearward.lua", start: startHAProxy,
		header: mtls.Header{Name: "Client-Cert", Format: mtls.RFC9440},
		edits:  append(slices.Clip(proxies[1].edits), "/etc/haproxy/bearward.lua", "SCRIPT"),
	},
	{
		name: "Caddy", binary: "caddy", pkg: "caddy", dir: "forward-auth/caddy", file: "Caddyfile", start: startCaddy,
		header: mtls.Header{Name: "Client-Cert", Format: mtls.RFC9440}, edits: proxies[3].edits,
	},
	{
		name: "Apache", binary: "apache2", pkg: "apache2-bin", dir: "forward-auth/apache", file: "apache.conf", script: "bearward.lua", start: startApache,
		header: mtls.Header{Name: "X-Ssl-Client-Cert", Format: mtls.PEMOneLine},
		edits:  append(slices.Clip(proxies[4].edits), "/etc/apache2/bearward.lua", "SCRIPT"),
	},
}

// documented are proxies that are not tried here: only their files for bearward
// are.
var documented = []proxy{{dir: "forward-auth/traefik"}, {dir: "forward-auth/envoy"}}

// eachAsker runs the test with every proxy that asks.
func eachAsker(t *testing.T, test func(t *testing.T, b *behind)) {
	each(t, askers, func(t *testing.T, p proxy) {
		if p.name == "Apache" {
			if _, err := os.Stat("/usr/share/lua/5.3/socket/http.lua"); err != nil {
				absent(t, "LuaSocket is not installed: run `apt-get install lua-socket`")
			}
		}
		test(t, startAsked(t, p))
	})
}

// startAsked starts a proxy in front of an API, and bearward beside it.
func startAsked(t testing.TB, p proxy) *behind {
	t.Helper()
	b := &behind{proxy: p, api: newAPI(t), server: newIdentity(t, "proxy", publicHost), key: newP256(t, "issuer")}
	b.serve = serve(t, p.example(t, "bearward.yaml",
		"listen: 127.0.0.1:9000", "listen: 127.0.0.1:0",
		"issuer: "+exampleIss+"\n", "issuer: "+exampleIss+"\n    jwks_file: "+b.key.publish(t)+"\n  - {issuer: "+downIss+", jwks_uri: 'http://127.0.0.1:1/', allow_http: true}\n",
	))
	b.at = p.run(t, b.server, "127.0.0.1:9000", b.serve, "127.0.0.1:9100", b.api.addr())
	return b
}

// downIss is an issuer whose keys cannot be had.
const downIss = "https://down.example.com"

// The files of bearward serve are usable as they are.
func TestAskFiles(t *testing.T) {
	for _, p := range slices.Concat(askers, documented) {
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

// identityFields are those of the examples.
var identityFields = []string{"X-Auth-Subject", "X-Auth-Client", "X-Auth-Scope"}

// passed reports an answer other than that of the API, and an API that saw a
// credential, or another identity than these values ("" is none).
func (b *behind) passed(t testing.TB, name string, a answer, identity ...string) {
	t.Helper()
	seen := b.api.take()
	if a.StatusCode != http.StatusOK || seen == nil {
		t.Errorf("%s: got %s %q %s", name, a.Status, a.Header["Www-Authenticate"], a.body)
		return
	}
	got := map[string]string{}
	for name, values := range seen {
		switch folded := fold(name); {
		case slices.Contains([]string{"authorization", "dpop", "x-original-url", fold(b.proxy.header.Name)}, folded):
			t.Errorf("the API sees %s: %q", name, values)
		case strings.HasPrefix(folded, "x-auth-"):
			got[folded] += strings.Join(values, "|")
		}
	}
	for i, want := range identity {
		if folded := fold(identityFields[i]); got[folded] != want {
			t.Errorf("%s: %s is %q, want %q", name, folded, got[folded], want)
		}
	}
}

var nextChallenge = regexp.MustCompile(`, (Bearer|DPoP) `)

// denied reports an answer that is not this refusal: with a challenge for each
// scheme, of which one has the error.
func (b *behind) denied(t testing.TB, name string, a answer, status int, schemes ...string) {
	t.Helper()
	if b.api.take() != nil {
		t.Errorf("%s: the API heard of it", name)
	}
	var got []string
	for _, line := range a.Header["Www-Authenticate"] {
		for _, one := range strings.Split(nextChallenge.ReplaceAllString(line, "\n$1 "), "\n") {
			c, err := challengetest.Parse(one)
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			got = append(got, strings.TrimSuffix(c.Scheme+" "+c.Params["error"], " "))
		}
	}
	if a.StatusCode != status || !slices.Equal(got, schemes) || !slices.Equal(a.Header["Cache-Control"], []string{"no-store"}) {
		t.Errorf("%s: got %s %q %q %s, want %d %q", name, a.Status, got, a.Header["Cache-Control"], a.body, status, schemes)
	}
}
