package issuer_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/bearward/bearward/internal/issuer"
)

func TestIntrospectionFaults(t *testing.T) {
	for fault, want := range map[issuer.Fault]struct {
		status int
		kind   string
		body   string // as it begins
		header string // name and value
	}{
		issuer.Status400:     {400, "application/json", `{"error":"unsupported_token_type"}`, ""},
		issuer.Status401:     {401, "application/json", `{"error":"invalid_client"}`, `WWW-Authenticate Basic realm="issuer"`},
		issuer.Status403:     {403, "application/json", `{"error":"access_denied"}`, ""},
		issuer.Status429:     {429, "text/plain", "too many", "Retry-After 7"},
		issuer.Status500:     {500, "text/plain", "internal", ""},
		issuer.Status503:     {503, "text/plain", "unavailable", ""},
		issuer.Garbage:       {200, "application/json", `{"active":true,"sub":`, ""},
		issuer.HTML:          {200, "text/html", "<html>", ""},
		issuer.Empty:         {200, "application/json", "", ""},
		issuer.ActiveText:    {200, "application/json", `{"active":"true","sub":"alice"`, ""},
		issuer.ActiveNumber:  {200, "application/json", `{"active":1,"sub":"alice"`, ""},
		issuer.ActiveNull:    {200, "application/json", `{"active":null,"sub":"alice"`, ""},
		issuer.ActiveMissing: {200, "application/json", `{"sub":"alice"`, ""},
		issuer.Duplicate:     {200, "application/json", `{"active":false,"active":true`, ""},
		issuer.Array:         {200, "application/json", `[{"active":true`, ""},
		issuer.Trailing:      {200, "application/json", `{"active":true,"sub":"alice","token_type":"Bearer"}{}`, ""},
		issuer.Deep:          {200, "application/json", `{"active":true,"extra":[[[[`, ""},
		issuer.Huge:          {200, "application/json", `{"active":true,"padding":"xxxx`, ""},
		issuer.PlainText:     {200, "text/plain", `{"active":true`, ""},
		issuer.NoStore:       {200, "application/json", `{"active":true`, "Cache-Control no-store"},
		issuer.MaxAge:        {200, "application/json", `{"active":true`, "Cache-Control max-age=5"},
	} {
		t.Run(string(fault), func(t *testing.T) {
			s := start(t, issuer.Config{Clients: []issuer.Client{api}})
			token := opaque(t, s, map[string]any{"sub": "alice"})
			must(t, s.BreakIntrospection(fault))
			res, body := about(t, s, token)
			if res.StatusCode != want.status || res.Header.Get("Content-Type") != want.kind || !strings.HasPrefix(body, want.body) || want.body == "" && body != "" {
				t.Errorf("%s %s %.80s", res.Status, res.Header.Get("Content-Type"), body)
			}
			if (len(body) > 1<<20) != (fault == issuer.Huge) {
				t.Errorf("%d bytes", len(body))
			}
			if name, value, ok := strings.Cut(want.header, " "); ok && res.Header.Get(name) != value {
				t.Errorf("%s: %q", name, res.Header.Get(name))
			}
			healthy(t, s)
			s.HealIntrospection()
			if _, body := about(t, s, token); body != `{"active":true,"sub":"alice","token_type":"Bearer"}` {
				t.Errorf("healed: %s", body)
			}
		})
	}
	if got := len(issuer.IntrospectionFaults()); got != 25 {
		t.Errorf("%d faults, all but Down, Slow and the redirects are tested here", got)
	}
}

// TestPartsBreakApart: faults of the documents and of introspection do not
// know of each other.
func TestPartsBreakApart(t *testing.T) {
	s := start(t, issuer.Config{Clients: []issuer.Client{api}})
	must(t, s.Break(issuer.Down))
	if _, body := about(t, s, opaque(t, s, nil)); !strings.Contains(body, `"active":true`) {
		t.Error(body)
	}
	must(t, s.BreakIntrospection(issuer.Status500))
	s.Heal()
	healthy(t, s)
	if res, _ := about(t, s, "t"); res.StatusCode != 500 {
		t.Error(res.Status)
	}
	if s.Break(issuer.Array) == nil || s.BreakIntrospection(issuer.EmptySet) == nil {
		t.Error("a fault of the other part began")
	}
}

func TestIntrospectionDown(t *testing.T) {
	s := start(t, issuer.Config{Clients: []issuer.Client{api}})
	must(t, s.BreakIntrospection(issuer.Down))
	if res, err := client.PostForm(s.IntrospectionEndpoint(), url.Values{"token": {"t"}}); err == nil {
		res.Body.Close()
		t.Error("answered")
	}
	if s.Requests("/introspect") != 1 {
		t.Error("not counted")
	}
}

func TestIntrospectionSlow(t *testing.T) {
	s := start(t, issuer.Config{Clients: []issuer.Client{api}})
	must(t, s.BreakIntrospection(issuer.Slow))
	got := make(chan string, 1)
	go func() {
		_, body := about(t, s, "t")
		got <- body
	}()
	must(t, s.Await(t.Context(), "/introspect", 1))
	select {
	case body := <-got:
		t.Fatalf("answered %s", body)
	default:
	}
	s.HealIntrospection()
	if body := <-got; body != `{"active":false}` {
		t.Error(body)
	}
}

func TestIntrospectionRedirects(t *testing.T) {
	following := &http.Client{Transport: client.Transport}
	for fault, status := range map[issuer.Fault]int{issuer.Redirect: 302, issuer.RedirectPost: 307} {
		s := start(t, issuer.Config{Clients: []issuer.Client{api}})
		must(t, s.BreakIntrospection(fault))
		res, _ := about(t, s, "t")
		if res.StatusCode != status || strings.HasPrefix(res.Header.Get("Location"), s.URL()) || s.Leaks() != 0 {
			t.Errorf("%s to %q, %d leaks", res.Status, res.Header.Get("Location"), s.Leaks())
		}
		_, body := post(t, s, call{form: form(), header: basic("api", "s3cret"), client: following})
		if !strings.Contains(body, `"active":true`) || s.Leaks() != 1 || s.Requests("/moved/introspect") != 1 {
			t.Errorf("%s: %s, %d leaks", fault, body, s.Leaks())
		}
	}
}
