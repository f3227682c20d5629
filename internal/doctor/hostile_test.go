package doctor

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/bearward/bearward/internal/issuer"
)

// A certificate that has ended, and what it says of itself.
func TestExpired(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().AddDate(-1, 0, 0), NotAfter: time.Now().AddDate(0, -1, 0),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewUnstartedServer(http.NotFoundHandler())
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	srv.StartTLS()
	t.Cleanup(srv.Close)
	s := newScene(t)
	s.issuerLines = "    ca_file: " + s.place("ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	expect(t, s.examine(s.text(srv.URL)), expired, template.NotAfter.UTC().Format(time.DateOnly), "renew")
}

// Whatever a server answers, the examination ends, names the server, and neither
// crashes nor shows what could steer a terminal.
func TestHostileServers(t *testing.T) {
	odd := "\x1b[31m\u202e" + strings.Repeat("x", 1<<16)
	for name, h := range map[string]http.HandlerFunc{
		"odd issuer": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprintf(w, `{"issuer":%q,"jwks_uri":"a"}`, "https://x"+odd)
		},
		"odd location": func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Location"] = []string{"https://" + odd}
			w.WriteHeader(http.StatusFound)
		},
		"deep": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, strings.Repeat(`{"issuer":[`, 20_000))
		},
		"endless": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			for {
				if _, err := io.WriteString(w, strings.Repeat(" ", 1<<16)); err != nil {
					return
				}
			}
		},
		"odd times": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Date", "Mon, 01 Jan 0001 00:00:00 GMT")
			w.Header().Set("Age", "99999999999999999999")
			w.WriteHeader(http.StatusTeapot)
		},
		"another protocol": func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := w.(http.Hijacker).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n")
			_ = conn.Close()
		},
		"a key set of everything": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprintf(w, `{"issuer":"http://%s","jwks_uri":"http://%s/k","keys":[%s{}]}`, r.Host, r.Host, strings.Repeat(`{"kty":7},`, 99))
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			own := listening(t, h)
			r := s.examine(s.text(own), Options{Via: own, Timeout: 20 * time.Second})
			text := r.String()
			if r.Errors == 0 || len(text) > 32<<10 || strings.ContainsAny(text, "\x1b\u202e") || strings.Contains(text, crashed.Name) {
				t.Errorf("%d bytes:\n%.4000s", len(text), text)
			}
		})
	}
}

// Every fault of an issuer ends in a finding.
func TestIssuerFaults(t *testing.T) {
	for _, fault := range issuer.Faults() {
		i := start(t, issuer.Config{})
		if err := i.Break(fault); err != nil {
			t.Fatal(err)
		}
		s := newScene(t)
		if r := s.examine(s.text(i.URL()), patience(fault)); r.Errors == 0 {
			t.Errorf("%s:\n%s", fault, r)
		}
		i.Heal()
	}
	for _, fault := range issuer.IntrospectionFaults() {
		i := guarded(t, false)
		if err := i.BreakIntrospection(fault); err != nil {
			t.Fatal(err)
		}
		s := newScene(t)
		s.issuerLines = asks("client_secret_basic", clientSecret)
		r := s.examine(s.text(i.URL()), patience(fault))
		if fine := fault == issuer.NoStore || fault == issuer.MaxAge; fine != (r.Errors+r.Warnings == 0) {
			t.Errorf("%s:\n%s", fault, r)
		}
		i.HealIntrospection()
	}
}

// patience is as short as it may be where nothing comes.
func patience(f issuer.Fault) Options {
	if f == issuer.Slow {
		return Options{Timeout: 300 * time.Millisecond}
	}
	return Options{}
}

// What is secret stays here, also where a server says it again: the secret of
// introspection, and whatever came from the environment.
func TestSecretsStay(t *testing.T) {
	t.Setenv("NAME", "from-the-environment")
	own := listening(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"issuer":"https://hidden-word/hidden+word"}`)
	})
	s := newScene(t)
	s.issuerLines = "    audience: \"${NAME}\"\n    introspection: {auth: client_secret_post, client_id: api, client_secret: hidden-word}"
	text := s.examine(s.text(own)).String()
	if strings.Contains(text, "hidden-word") || strings.Contains(text, "from-the-environment") || !strings.Contains(text, issuerOther.Name) || !strings.Contains(text, audienceFine.Name) {
		t.Errorf("%s", text)
	}
}
