package issuer_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/bearward/bearward/internal/issuer"
)

const wellKnown = "/.well-known/oauth-authorization-server"

func TestFaults(t *testing.T) {
	for _, test := range []struct {
		fault  issuer.Fault
		path   string
		status int
		kind   string
		want   string
	}{
		{issuer.Status500, "/jwks", 500, "text/plain", "internal error"},
		{issuer.Status500, wellKnown, 500, "text/plain", "internal error"},
		{issuer.Garbage, "/jwks", 200, "application/json", `{"keys":[{"kty":`},
		{issuer.HTML, wellKnown, 200, "text/html", "<html>"},
		{issuer.EmptySet, "/jwks", 200, "application/json", `{"keys":[]}`},
		{issuer.EmptySet, wellKnown, 200, "application/json", `"jwks_uri"`},
		{issuer.WrongIssuer, wellKnown, 200, "application/json", `/other"`},
		{issuer.WrongIssuer, "/jwks", 200, "application/json", `"es256-1"`},
	} {
		t.Run(string(test.fault)+test.path, func(t *testing.T) {
			s := start(t, issuer.Config{})
			must(t, s.Break(test.fault))
			res, body := get(t, s.URL()+test.path)
			if res.StatusCode != test.status || res.Header.Get("Content-Type") != test.kind || !strings.Contains(body, test.want) {
				t.Errorf("%s %s %.80q", res.Status, res.Header.Get("Content-Type"), body)
			}
			s.Heal()
			healthy(t, s)
		})
	}
}

func healthy(t *testing.T, s *issuer.Server) {
	t.Helper()
	_, body := get(t, s.URL()+wellKnown)
	var doc struct {
		Issuer string `json:"issuer"`
	}
	decode(t, body, &doc)
	var set struct {
		Keys []issuer.JWK `json:"keys"`
	}
	_, body = get(t, s.URL()+"/jwks")
	decode(t, body, &set)
	if doc.Issuer != s.URL() || len(set.Keys) != len(s.JWKS()) {
		t.Errorf("not healthy: %+v %+v", doc, set)
	}
}

func TestDown(t *testing.T) {
	s := start(t, issuer.Config{TokenEndpoint: true})
	must(t, s.Break(issuer.Down))
	for n := 1; n <= 3; n++ {
		if res, err := client.Get(s.URL() + "/jwks"); err == nil {
			res.Body.Close()
			t.Fatal("answered")
		}
		if got := s.Requests("/jwks"); got != n {
			t.Fatalf("counted %d requests, want %d", got, n)
		}
	}
	if res, _ := get(t, s.URL()+"/token"); res.StatusCode != http.StatusOK {
		t.Errorf("the token endpoint breaks as well: %s", res.Status)
	}
	s.Heal()
	healthy(t, s)
}

func TestHuge(t *testing.T) {
	s := start(t, issuer.Config{})
	must(t, s.Break(issuer.Huge))
	for _, path := range []string{"/jwks", wellKnown} {
		if _, body := get(t, s.URL()+path); len(body) <= 1<<20 {
			t.Errorf("%s: %d bytes", path, len(body))
		}
	}
}

func TestRedirect(t *testing.T) {
	s := start(t, issuer.Config{})
	must(t, s.Break(issuer.Redirect))
	res, _ := get(t, s.URL()+"/jwks")
	target := res.Header.Get("Location")
	if res.StatusCode != http.StatusFound || strings.HasPrefix(target, s.URL()) {
		t.Fatalf("%s to %q", res.Status, target)
	}
	if s.Requests("/moved/jwks") != 0 {
		t.Error("counted before it was asked")
	}
	if _, body := get(t, target); !strings.Contains(body, `"es256-1"`) {
		t.Errorf("the target has no keys: %s", body)
	}
	if s.Requests("/moved/jwks") != 1 {
		t.Error("the target is not counted")
	}
}

type answer struct {
	body string
	err  error
}

func ask(url string) <-chan answer {
	out := make(chan answer, 1)
	go func() {
		res, err := client.Get(url)
		if err != nil {
			out <- answer{err: err}
			return
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		out <- answer{string(body), err}
	}()
	return out
}

func TestSlowUntilHealed(t *testing.T) {
	s := start(t, issuer.Config{})
	must(t, s.Break(issuer.Slow))
	got := ask(s.URL() + "/jwks")
	must(t, s.Await(t.Context(), "/jwks", 1))
	select {
	case a := <-got:
		t.Fatalf("answered: %+v", a)
	default:
	}
	s.Heal()
	if a := <-got; a.err != nil || !strings.Contains(a.body, `"es256-1"`) {
		t.Errorf("%+v", a)
	}
}

func TestSlowUntilClosed(t *testing.T) {
	s := start(t, issuer.Config{})
	must(t, s.Break(issuer.Slow))
	got := ask(s.URL() + "/jwks")
	must(t, s.Await(t.Context(), "", 1))
	must(t, s.Close())
	if a := <-got; a.err == nil {
		t.Errorf("answered %q", a.body)
	}
}

func TestSlowThenDown(t *testing.T) {
	s := start(t, issuer.Config{})
	must(t, s.Break(issuer.Slow))
	got := ask(s.URL() + "/jwks")
	must(t, s.Await(t.Context(), "/jwks", 1))
	must(t, s.Break(issuer.Down))
	if a := <-got; a.err == nil {
		t.Errorf("answered %q", a.body)
	}
}

func TestBreakUnknown(t *testing.T) {
	s := start(t, issuer.Config{})
	if err := s.Break("flood"); err == nil || !strings.Contains(err.Error(), "wrong-issuer") {
		t.Errorf("%v", err)
	}
	healthy(t, s)
	if len(issuer.Faults()) != 9 {
		t.Errorf("%q", issuer.Faults())
	}
}

func TestAwaitEnds(t *testing.T) {
	s := start(t, issuer.Config{})
	ctx, cancel := contextOf(t)
	cancel()
	if err := s.Await(ctx, "/jwks", 1); !errors.Is(err, ctx.Err()) {
		t.Errorf("%v", err)
	}
}
