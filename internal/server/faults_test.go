package server

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/bearward/bearward/bearwardtest"
	"github.com/bearward/bearward/internal/issuer"
	"github.com/bearward/bearward/internal/server/config"
)

// faulty is a file with one issuer, whose keys stand in line 7, and what
// follows from line 8 on.
func faulty(t *testing.T, keys, more string) error {
	t.Helper()
	service, err := New(t.Context(), introspecting(t, []string{"{issuer: https://login.example.test, introspection: {" + keys + "}}"}, more), quiet)
	if err == nil {
		if err := service.Close(); err != nil {
			t.Error(err)
		}
	}
	return err
}

// What is wrong with a file that the file names is found at the start, at its
// place.
func TestCredentialFaults(t *testing.T) { // [IN-02]
	dir := t.TempDir()
	none, empty := filepath.Join(dir, "none"), place(t, dir, "empty", "\r\n")
	junk := place(t, dir, "junk", "-----BEGIN PRIVATE KEY-----\naHVudGVyMg==\n-----END PRIVATE KEY-----\n")
	public := place(t, dir, "public", "-----BEGIN PUBLIC KEY-----\naHVudGVyMg==\n-----END PUBLIC KEY-----\nhunter2\n")
	control := place(t, dir, "control", "hunter2\nhunter2\n")
	certFile, key, _ := clientCertificate(t, dir)
	_, other, _ := clientCertificate(t, t.TempDir())
	post := "auth: client_secret_post, client_id: api, client_secret_file: "
	jwt := "auth: private_key_jwt, client_id: api, key_file: "
	mutual := "auth: tls_client_auth, client_id: api, cert_file: "
	for _, c := range []struct{ keys, more, want string }{
		{post + none, "", "7:120: open "},
		{post + empty, "", "7:120: the file is empty"},
		{post + control, "", ":7:"},
		{jwt + none, "", "7:107: open "},
		{jwt + empty, "", "contains no PEM private key"},
		{jwt + junk, "", "the private key cannot be read"},
		{jwt + public, "", "contains no PEM private key"},
		{"auth: bearer, token_file: " + none, "", "7:84: open "},
		{"auth: bearer, token_file: " + empty, "", "7:84: the file is empty"},
		{mutual + none + ", key_file: " + key, "", "7:108: open "},
		{mutual + certFile + ", key_file: " + other, "", "7:108: tls: private key does not match public key"},
		{basic, "redis: {url: 'redis://127.0.0.1:1', key_file: " + none + "}\n", "8:47: open "},
		{basic, "redis: {url: 'redis://127.0.0.1:1', key_file: " + place(t, dir, "short", "hunter2") + "}\n", "the shared key has 7 bytes"},
		{basic, "redis: {url: 'http://:hunter2@127.0.0.1:1'}\n", "8:14: redis: the URL of Redis begins with"},
		{basic, "redis: {url: 'rediss://127.0.0.1:1', ca_file: " + junk + "}\n", "8:47: "},
	} {
		err := faulty(t, c.keys, c.more)
		var faults *config.Faults
		if !errors.As(err, &faults) || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s %s\ngot  %v\nwant %s", c.keys, c.more, err, c.want)
		}
	}
}

// A secret in the place of a file's name is not repeated.
func TestFaultsHideTheEnvironment(t *testing.T) {
	t.Setenv("SECRET", "hunter2")
	t.Setenv("REDIS", "redis://:hunter2@[::1")
	for _, c := range []struct{ keys, more string }{
		{`auth: client_secret_post, client_id: api, client_secret_file: "${SECRET}"`, ""},
		{`auth: bearer, token_file: "/run/${SECRET}"`, ""},
		{`auth: private_key_jwt, client_id: api, key_file: "${SECRET}"`, ""},
		{`auth: tls_client_auth, client_id: api, cert_file: "${SECRET}", key_file: "${SECRET}"`, ""},
		{basic, "redis: {url: \"${REDIS}\"}\n"},
		{basic, "redis: {url: \"redis://a\", key_file: \"${SECRET}\"}\n"},
	} {
		if err := faulty(t, c.keys, c.more); err == nil || strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(), "serve.yaml:") {
			t.Errorf("%s %s: got %v", c.keys, c.more, err)
		}
	}
}

// An issuer of opaque tokens only is ready when it is known where to ask, and
// the server starts without it.
func TestReadinessOfIntrospection(t *testing.T) {
	for _, keys := range []string{basic + ", jwt: false", basic} {
		clock := new(bearwardtest.Clock)
		i := startIssuer(t, clock, issuer.Config{})
		if err := i.Break(issuer.Down); err != nil {
			t.Fatal(err)
		}
		file := introspecting(t, []string{fmt.Sprintf(`{issuer: "%s", allow_http: true, introspection: {%s}}`, i.URL(), keys)}, "")
		a := &asked{served: startAt(t, clock, file), server: i}
		again := <-a.waits
		if status, body := a.state("/readyz"); status != 503 || !strings.Contains(body, `"reason":"`) {
			t.Errorf("while it is down: got %d %s", status, body)
		}
		token := a.opaque()
		a.get("/read", token, 503)
		i.Heal()
		clock.Advance(time.Minute)
		again <- clock.Now()
		a.loaded()
		a.get("/read", token, 200)
	}
	// A configured endpoint is known from the start, but keys are not.
	clock := new(bearwardtest.Clock)
	i := startIssuer(t, clock, issuer.Config{})
	if err := i.Break(issuer.Down); err != nil {
		t.Fatal(err)
	}
	for keys, want := range map[string]int{basic + ", jwt: false": 200, basic: 503} {
		keys += ", endpoint: \"" + i.IntrospectionEndpoint() + "\""
		s := startAt(t, clock, introspecting(t, []string{fmt.Sprintf(`{issuer: "%s", allow_http: true, introspection: {%s}}`, i.URL(), keys)}, ""))
		if want == 503 {
			<-s.waits
		}
		if status, body := s.state("/readyz"); status != want {
			t.Errorf("%s: got %d %s", keys, status, body)
		}
	}
}
