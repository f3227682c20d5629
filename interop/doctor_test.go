package interop

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/bearward/bearward/internal/doctor"
	"github.com/bearward/bearward/internal/server/config"
)

// examined is what doctor says of a proxy that asks bearward serve, in front of
// an API that shows what it gets. edits are made in the proxy's file, or in that
// of bearward where they are found there.
func (p *proxy) examined(t *testing.T, edits ...string) doctor.Report {
	t.Helper()
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _ = r.Header.Write(w) }))
	t.Cleanup(api.Close)
	server := newIdentity(t, "proxy", publicHost)
	ours := []string{
		"listen: 127.0.0.1:9000", "listen: 127.0.0.1:0",
		"issuer: " + exampleIss + "\n", "issuer: " + exampleIss + "\n    jwks_file: " + newP256(t, "issuer").publish(t) + "\n",
	}
	theirs := []string{"127.0.0.1:9100", strings.TrimPrefix(api.URL, "http://")}
	for i := 0; i < len(edits); i += 2 {
		if strings.Contains(p.example(t, "bearward.yaml"), edits[i]) {
			ours = append(ours, edits[i:i+2]...)
		} else {
			theirs = append(theirs, edits[i:i+2]...)
		}
	}
	text := p.example(t, "bearward.yaml", ours...)
	file, err := config.Parse("bearward.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	at := p.run(t, server, slices.Concat([]string{"127.0.0.1:9000", serve(t, text)}, theirs)...)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate.Certificate[0]}), 0o600); err != nil {
		t.Fatal(err)
	}
	return doctor.Run(t.Context(), file, doctor.Options{Via: "https://" + publicHost, ViaAt: at, ViaCA: ca})
}

// The examples are healthy.
func TestDoctorExamples(t *testing.T) {
	eachAsker(t, func(t *testing.T, b *behind) {
		r := b.proxy.examined(t)
		if r.Errors > 0 || r.Warnings > 0 || !found(r, "via") || !found(r, "via_forged_ignored") || !found(r, "via_metadata") || found(r, "via_upstream_unseen") {
			t.Errorf("%s", r)
		}
	})
}

func found(r doctor.Report, name string) bool {
	return slices.ContainsFunc(r.Findings, func(f doctor.Finding) bool { return f.Name == name })
}

// Each line that is missing in a proxy's file is found.
func TestDoctorMistakes(t *testing.T) {
	for _, m := range []struct {
		proxy, name string
		edits       []string
		found       string
	}{
		{"nginx", "the client's host", []string{"proxy_set_header X-Original-Host $http_host;", ""}, "via_forged"},
		{"nginx", "the client's scheme", []string{"proxy_set_header X-Original-Proto $scheme;", ""}, "via_forged"},
		{"nginx", "the client's method", []string{"X-Original-Method $request_method;", "X-Original-Method $http_x_original_method;"}, "via_forged"},
		{"nginx", "the other family", []string{"headers: x-original", "headers: x-forwarded"}, "via_forged"},
		{"nginx", "the client's certificate", []string{"		proxy_set_header X-Original-Host $http_host;\n		proxy_set_header X-SSL-Client-Cert $ssl_client_escaped_cert;", "		proxy_set_header X-Original-Host $http_host;"}, "via_certificate"},
		{"nginx", "500 for 400", []string{"status_for_400: 401", "status_for_400: 400"}, "via_400_lost"},
		{"nginx", "one challenge of two", []string{"single_line_challenge: true", "single_line_challenge: false"}, "via_challenge_cut"},
		{"nginx", "tokens for the API", []string{"proxy_set_header Authorization \"\";", ""}, "via_credentials_seen"},
		{"nginx", "no document", []string{"location = /.well-known/oauth-protected-resource {", "location = /elsewhere {"}, "via_metadata_lost"},
		{"nginx", "another proxy", []string{"trusted_proxies: [127.0.0.1]", "trusted_proxies: [192.0.2.1]"}, "via_untrusted"},
		{"nginx", "nobody asks", []string{"auth_request /_bearward;", ""}, "via_open"},
		{"Caddy", "tokens for the API", []string{"header_up -Authorization", ""}, "via_credentials_seen"},
		{"Caddy", "the client's certificate", []string{"header_up Client-Cert \":{http.request.tls.client.certificate_der_base64}:\"", ""}, "via_certificate"},
		{"Caddy", "no challenge", []string{"	handle {\n", "	header -WWW-Authenticate\n\n	handle {\n"}, "via_challenge_lost"},
		{"Caddy", "nobody asks", []string{"forward_auth ", "forward_auth /never "}, "via_open"},
	} {
		t.Run(m.proxy+", "+m.name, func(t *testing.T) {
			i := slices.IndexFunc(askers, func(p proxy) bool { return p.name == m.proxy })
			p := &askers[i]
			if _, err := p.path(); err != nil {
				absent(t, p.binary+" is not installed")
			}
			if r := p.examined(t, m.edits...); !found(r, m.found) {
				t.Errorf("%s was not found:\n%s", m.found, r)
			}
		})
	}
}
