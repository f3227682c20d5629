package doctor

import (
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/bearward/bearward/internal/issuer"
	"github.com/bearward/bearward/internal/server/config"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const resource = "https://api.example.test"

// scene is what a test plants faults in.
type scene struct {
	t   *testing.T
	dir string

	issuerLines string // of the one issuer, after its identifier
	top         string // of the file
	rules       string
	upstream    string
}

func newScene(t *testing.T) *scene {
	t.Helper()
	return &scene{
		t: t, dir: t.TempDir(), upstream: listening(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "orders") }),
		rules: `  - {match: "GET /read", scopes: [read]}
  - {match: "GET /open", public: true}
`,
	}
}

// listening serves h on loopback until the test ends.
func listening(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

// secure serves nothing over https.
func secure(t *testing.T) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

// start runs an issuer until the test ends.
func start(t *testing.T, cfg issuer.Config) *issuer.Server {
	t.Helper()
	s, err := issuer.Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// place writes a file that only its owner can read.
func (s *scene) place(name, content string) string {
	s.t.Helper()
	path := filepath.Join(s.dir, name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		s.t.Fatal(err)
	}
	return path
}

// text is the file for an issuer.
func (s *scene) text(identifier string) string {
	return fmt.Sprintf(`listen: 127.0.0.1:0
mode: proxy
upstream: %s
resource: %s
issuers:
  - issuer: %q
    allow_http: true
%s
rules:
%s
%s`, s.upstream, resource, identifier, s.issuerLines, s.rules, s.top)
}

// examine looks at the surroundings of the file that text is.
func (s *scene) examine(text string, options ...Options) Report {
	s.t.Helper()
	file, err := config.Parse("serve.yaml", []byte(text))
	if err != nil {
		return Faults(err)
	}
	o := Options{}
	if len(options) > 0 {
		o = options[0]
	}
	return Run(s.t.Context(), file, o)
}

// expect wants a finding of that kind with these words in its fix, or in what was
// found.
func expect(t *testing.T, r Report, kind *Kind, words ...string) {
	t.Helper()
	for _, f := range r.Findings {
		if f.Name != kind.Name {
			continue
		}
		for _, w := range words {
			if !strings.Contains(f.Fix+"\n"+f.Found, w) {
				t.Errorf("%s: %q is not in\n%s\n%s", kind.Name, w, f.Found, f.Fix)
			}
		}
		if kind.Severity == Error && r.Errors == 0 || kind.Severity == Warning && r.Warnings == 0 {
			t.Errorf("%s is not counted: %+v", kind.Name, r)
		}
		if (f.Severity == Error || f.Severity == Warning) && f.Fix == "" {
			t.Errorf("%s has no fix", kind.Name)
		}
		if strings.Contains(strings.NewReplacer("{tenantid}", "", "{status_for_400:", "", "{single_line_challenge:", "").Replace(f.Found+f.Fix), "{") {
			t.Errorf("%s: a word is missing:\n%s\n%s", kind.Name, f.Found, f.Fix)
		}
		seen[kind.Name] = true
		return
	}
	t.Errorf("%s was not found:\n%s", kind.Name, r)
}

// seen are the kinds that some test found.
var seen = map[string]bool{}

// healthy wants neither an error nor a warning.
func healthy(t *testing.T, r Report) {
	t.Helper()
	if r.Errors > 0 || r.Warnings > 0 {
		t.Errorf("a healthy set-up:\n%s", r)
	}
}

// closedPort is an address where nobody listens.
func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// authorityOf writes the certificate of a test server as a ca_file.
func (s *scene) authorityOf(srv *httptest.Server) string {
	return s.place("ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw})))
}

// at runs the examination by another clock.
func at(offset time.Duration) Options {
	return Options{Now: func() time.Time { return time.Now().Add(offset) }}
}
