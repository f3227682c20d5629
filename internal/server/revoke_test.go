package server

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bearward/bearward/bearwardtest"
	"github.com/bearward/bearward/internal/issuer"
	"github.com/bearward/bearward/internal/redistest"
	"github.com/bearward/bearward/internal/server/config"
	"github.com/bearward/bearward/validate"
)

// add revokes as bearward revoke does.
func (a *asked) add(e validate.RevocationEntry) error {
	file := *a.file
	file.Admin = a.admin
	return Revoke(a.t.Context(), &file, e)
}

func (a *asked) mustAdd(e validate.RevocationEntry) {
	a.t.Helper()
	e.Issuer = a.server.URL()
	if err := a.add(e); err != nil {
		a.t.Fatal(err)
	}
}

// What is revoked is refused on the next request, whatever is cached, and
// nothing else is.
func revokes(t *testing.T, a *asked) {
	now := a.clock.Now()
	for name, minted := range map[string]func(...map[string]any) string{"opaque": a.opaque, "JWT": a.jwt} {
		for _, c := range []struct {
			claims map[string]any
			entry  validate.RevocationEntry
		}{
			{map[string]any{"jti": name}, validate.RevocationEntry{ID: name}},
			{map[string]any{"sub": name}, validate.RevocationEntry{Subject: name, Before: now.Add(time.Second)}},
			{map[string]any{"sid": name}, validate.RevocationEntry{Session: name}},
			{map[string]any{"client_id": name}, validate.RevocationEntry{ClientID: name}},
		} {
			token, other := minted(c.claims), minted()
			a.get("/read", token, 200)
			a.get("/read", other, 200)
			a.mustAdd(c.entry)
			got := a.get("/read", token, 401)
			if !strings.Contains(got.Header.Get("WWW-Authenticate"), `error="invalid_token"`) {
				t.Errorf("got %v", got.Header)
			}
			a.get("/read", other, 200)
		}
	}
}

func TestRevocationInMemory(t *testing.T) { // [RV-03]
	a := inquire(t, issuer.Config{}, basic, "revocation: {list: memory}\n", grants)
	revokes(t, a)
	name := strings.TrimPrefix(a.server.URL(), "http://")
	token := a.jwt(map[string]any{"jti": "by name"})
	if err := a.add(validate.RevocationEntry{Issuer: name, ID: "by name"}); err != nil {
		t.Error(err)
	}
	a.get("/read", token, 401)
	if err := a.add(validate.RevocationEntry{Issuer: name}); err == nil {
		t.Error("an entry about nothing was taken")
	}
	a.get("/read", a.jwt(map[string]any{"exp": a.clock.Now().Add(721 * time.Hour).Unix()}), 401) // outlives entries
}

func TestRevokeFails(t *testing.T) {
	a := inquire(t, issuer.Config{}, basic)
	entry := validate.RevocationEntry{Issuer: a.server.URL(), ID: "a"}
	if err := a.add(entry); err == nil || !strings.Contains(err.Error(), "no revocation list") {
		t.Errorf("without a list: got %v", err)
	}
	a.file.Revocation = &config.Revocation{List: "memory"}
	if err := a.add(entry); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("at a server without a list: got %v", err)
	}
	a.admin = "127.0.0.1:1"
	if err := a.add(entry); err == nil || !strings.Contains(err.Error(), "does not answer at 127.0.0.1:1") {
		t.Errorf("without a server: got %v", err)
	}
}

// Nothing that a web page can send adds an entry, and nothing that is not
// understood.
func TestRevocationRequests(t *testing.T) {
	a := inquire(t, issuer.Config{}, basic, "revocation: {list: memory}\n", grants)
	iss := `{"iss":"` + a.server.URL() + `",`
	for _, c := range []struct {
		what, method, host, kind, origin, body string
		want                                   int
	}{
		{"right", "POST", "", "application/json", "", iss + `"jti":"a"}`, 204},
		{"right, with times", "POST", "", "application/json; charset=utf-8", "", iss + `"sub":"a","before":"2026-01-01T00:00:00Z","until":"2036-01-01T00:00:00Z"}`, 204},
		{"localhost", "POST", "localhost:9001", "application/json", "", iss + `"sid":"a"}`, 204},
		{"IPv6", "POST", "[::1]:9001", "application/json", "", iss + `"client_id":"a"}`, 204},
		{"origin", "POST", "", "application/json", "http://127.0.0.1:9001", iss + `"jti":"b"}`, 403},
		{"opaque origin", "POST", "", "application/json", "null", iss + `"jti":"b"}`, 403},
		{"form", "POST", "", "text/plain", "", iss + `"jti":"b"}`, 403},
		{"no type", "POST", "", "", "", iss + `"jti":"b"}`, 403},
		{"foreign host", "POST", "rebound.example:9001", "application/json", "", iss + `"jti":"b"}`, 403},
		{"public host", "POST", "192.0.2.1:9001", "application/json", "", iss + `"jti":"b"}`, 403},
		{"prefix of a host", "POST", "localhost.example:9001", "application/json", "", iss + `"jti":"b"}`, 403},
		{"GET", "GET", "", "", "", "", 405},
		{"PUT", "PUT", "", "application/json", "", iss + `"jti":"b"}`, 405},
		{"unknown member", "POST", "", "application/json", "", iss + `"jti":"b","token":"x"}`, 400},
		{"other case", "POST", "", "application/json", "", iss + `"JTI":"b"}`, 400},
		{"member twice", "POST", "", "application/json", "", iss + `"jti":"b","jti":"c"}`, 400},
		{"no issuer", "POST", "", "application/json", "", `{"jti":"b"}`, 400},
		{"nothing", "POST", "", "application/json", "", iss + `"before":"2026-01-01T00:00:00Z"}`, 400},
		{"two things", "POST", "", "application/json", "", iss + `"jti":"b","sid":"b"}`, 400},
		{"user without time", "POST", "", "application/json", "", iss + `"sub":"b"}`, 400},
		{"time without zone", "POST", "", "application/json", "", iss + `"sub":"b","before":"2026-01-01"}`, 400},
		{"empty", "POST", "", "application/json", "", "", 400},
		{"array", "POST", "", "application/json", "", "[" + iss + `"jti":"b"}]`, 400},
		{"trailing", "POST", "", "application/json", "", iss + `"jti":"b"}{}`, 400},
		{"too long", "POST", "", "application/json", "", iss + `"jti":"` + strings.Repeat("b", maxRevocation) + `"}`, 400},
	} {
		r, err := http.NewRequestWithContext(t.Context(), c.method, "http://"+a.admin+revocationsPath, strings.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		r.Host = c.host
		for name, value := range map[string]string{"Content-Type": c.kind, "Origin": c.origin} {
			if value != "" {
				r.Header.Set(name, value)
			}
		}
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if resp.StatusCode != c.want || resp.Header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: got %d %s", c.what, resp.StatusCode, body)
		}
		if len(body) > 300 || c.want == 204 && len(body) > 0 {
			t.Errorf("%s: says %s", c.what, body)
		}
	}
	a.get("/read", a.jwt(map[string]any{"jti": "b"}), 200)
	a.get("/read", a.jwt(map[string]any{"jti": "a"}), 401)
}

// notes is a log.
type notes struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (n *notes) Write(p []byte) (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.text.Write(p)
}

func (n *notes) String() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.text.String()
}

func (n *notes) log(s *Service) { s.logger = slog.New(slog.NewTextHandler(n, nil)) }

func onRedis(url string) string { return "redis: {url: \"" + url + "\"}\n" }

const listOnRedis = "revocation: {list: redis}\n"

func TestRevocationOnRedis(t *testing.T) { // [RV-03]
	store := redistest.Start(t)
	a := inquire(t, issuer.Config{}, basic, onRedis(store.URL()), listOnRedis, grants)
	revokes(t, a)
	token := a.jwt()
	store.Stop()
	a.get("/read", token, 503)
	if err := a.add(validate.RevocationEntry{Issuer: a.server.URL(), ID: "c"}); err == nil {
		t.Error("nobody has the entry")
	}
	store.Restart()
	a.clock.Advance(5 * time.Second)
	a.get("/read", token, 200)
}

// Without revocations Redis is a second level only: its outage is told, and
// changes no answer.
func TestIntrospectionOnRedis(t *testing.T) { // [CA-05]
	store := redistest.Start(t)
	clock := new(bearwardtest.Clock)
	i := startIssuer(t, clock, issuer.Config{})
	entry := `{issuer: "` + i.URL() + `", allow_http: true, introspection: {` + basic + `}}`
	file := introspecting(t, []string{entry}, onRedis(store.URL()))
	var told notes
	a := &asked{served: startAt(t, clock, file, told.log), server: i}
	b := startAt(t, clock, file)
	token := a.opaque()
	a.get("/read", token, 200)
	b.get("/read", token, 200)
	if a.calls() != 1 {
		t.Errorf("two processes asked %d times", a.calls())
	}
	store.Stop()
	a.get("/read", token, 200)
	for range 4 {
		a.get("/read", a.opaque(), 200)
	}
	if !strings.Contains(told.String(), "level=ERROR") || !strings.Contains(told.String(), "shared level") {
		t.Errorf("the outage is not told: %s", told.String())
	}
	var late notes
	c := startAt(t, clock, file, late.log)
	if !strings.Contains(late.String(), "redis is not usable at start") {
		t.Errorf("got %s", late.String())
	}
	c.get("/read", token, 200)
}

// A Redis that may drop revocations ends the start; one that is away, or that
// keeps answers only, does not.
func TestRedisPolicy(t *testing.T) { // [RV-03]
	store := redistest.Start(t, "--maxmemory-policy", "allkeys-lru")
	clock := new(bearwardtest.Clock)
	i := startIssuer(t, clock, issuer.Config{})
	entry := `{issuer: "` + i.URL() + `", allow_http: true, introspection: {` + basic + `}}`
	file := introspecting(t, []string{entry}, onRedis(store.URL())+listOnRedis+grants)
	var out bytes.Buffer
	err := Run(t.Context(), file, nil, &out)
	if err == nil || out.Len() > 0 || !strings.Contains(err.Error(), "serve.yaml:8:14: ") || !strings.Contains(err.Error(), "noeviction") {
		t.Errorf("got %v, printed %s", err, out.String())
	}
	if err := Revoke(context.Background(), file, validate.RevocationEntry{Issuer: i.URL(), ID: "a"}); err == nil || !strings.Contains(err.Error(), "noeviction") {
		t.Errorf("got %v", err)
	}
	a := &asked{served: startAt(t, clock, introspecting(t, []string{entry}, onRedis(store.URL()))), server: i}
	a.get("/read", a.opaque(), 200)
	store.Stop()
	var told notes
	b := &asked{served: startAt(t, clock, file, told.log), server: i}
	b.get("/read", b.opaque(), 503)
	if !strings.Contains(told.String(), "redis is not usable at start") {
		t.Errorf("got %s", told.String())
	}
}

// An entry about an issuer that nobody configured would change nothing.
func TestIssuerOf(t *testing.T) {
	file := &config.File{Issuers: []config.Issuer{
		{Name: "main", Issuer: "https://a.example"},
		{Name: "staff", Issuer: "https://b.example/{tenantid}/v2.0"},
	}}
	for name, want := range map[string]string{
		"main":                              "https://a.example",
		"https://a.example":                 "https://a.example",
		"https://b.example/12/v2.0":         "https://b.example/12/v2.0",
		"staff":                             "",
		"https://b.example/{tenantid}/v2.0": "",
		"https://a.example/":                "",
		"https://b.example/12/":             "",
		"":                                  "",
	} {
		if got, err := issuerOf(file, name); got != want || err == nil != (want != "") {
			t.Errorf("%q: got %q, %v", name, got, err)
		}
	}
}

// Whatever is sent, an entry is added only by what names one thing.
func FuzzRevocation(f *testing.F) {
	for _, seed := range []string{
		`{"iss":"a","jti":"b"}`, `{"iss":"a","sub":"b","before":"2026-01-01T00:00:00Z","until":"2026-01-01T00:00:00.5+01:00"}`,
		`{"iss":"a","sid":"b","client_id":"c"}`, `{"iss":"a","jti":"b","jti":"c"}`, `{"iss":null}`, `[]`, `{}`, ``, `{"iss":"\ud800","sid":"x"}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		list, err := validate.NewRevocationList(validate.RevocationListConfig{})
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://127.0.0.1:9001"+revocationsPath, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		(&admin{revocations: list, logger: slog.New(slog.DiscardHandler)}).revoke(w, r)
		if added := list.Len() == 1; added != (w.Code == http.StatusNoContent) || !added && w.Code != http.StatusBadRequest {
			t.Errorf("%q: %d with %d entries", body, w.Code, list.Len())
		}
	})
}
