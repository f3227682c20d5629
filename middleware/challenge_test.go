package middleware_test

import (
	"bytes"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/bearward/bearward"
	"github.com/bearward/bearward/internal/challengetest"
	"github.com/bearward/bearward/internal/issuer"
	"github.com/bearward/bearward/middleware"
	"github.com/bearward/bearward/validate"
)

// outputs is all that a refusal says to the outside.
func outputs(d *middleware.Denial) string {
	rec := httptest.NewRecorder()
	d.ServeHTTP(rec, nil)
	var b strings.Builder
	_ = rec.Result().Header.Write(&b)
	b.WriteString(rec.Body.String() + d.Error + d.Reason)
	for name, value := range d.Details {
		b.WriteString(name + value)
	}
	return b.String()
}

// TestRealm: printable ASCII with its quotes escaped, the resource by default,
// and never nothing. [ER-11 ER-12 ER-13 ER-15]
func TestRealm(t *testing.T) {
	for name, c := range map[string]struct{ realm, resource, want string }{
		"own":             {"orders", api, "orders"},
		"resource":        {"", "urn:example:orders", "urn:example:orders"},
		"quotes":          {`a "b" c`, api, `a "b" c`},
		"backslash":       {`a\b\\`, api, `a\b\\`},
		"ends in a quote": {`"`, api, `"`},
		"a parameter":     {`x", error="invalid_token`, api, `x", error="invalid_token`},
		"nothing":         {"", "", "api"},
	} {
		g := foreign(t, gives(nil, validate.ErrExpired), func(c2 *middleware.Config) { c2.Realm, c2.Resource = c.realm, c.resource })
		for _, r := range []middleware.Request{request(), request("Bearer"), bearer(foreignToken)} {
			_, d := g.Decide(t.Context(), r, middleware.Policy{})
			got, err := challengetest.Parse(d.Denial.Header.Get("WWW-Authenticate"))
			if err != nil || got.Scheme != "Bearer" || got.Params["realm"] != c.want {
				t.Errorf("%s: %v %v", name, got, err)
			}
		}
	}
	for _, bad := range []string{"ä", "a\r\nX: y", "a\x00", "\x7f", "a\tb"} {
		cfg := middleware.Config{Realm: bad, Issuers: []middleware.Issuer{{URL: foreignIssuer, Name: "a", Verifier: gives(nil, nil)}}}
		if _, err := middleware.New(cfg); err == nil || !strings.Contains(err.Error(), "realm") {
			t.Errorf("realm %q: %v", bad, err)
		}
	}
}

// TestResourceInChallenge: whatever the resource is, the challenge keeps its
// grammar. [ER-13 ER-15 MD-06]
func TestResourceInChallenge(t *testing.T) {
	for _, resource := range []string{
		`https://api.example.test/?q="x"`, `https://api.example.test/?q=a\b`, "https://api.example.test/?q=ä", "https://bücher.example.test/",
		"https://api.example.test/ä", `https://api.example.test/"x"`, "https://api.example.test/?a b",
	} {
		cfg := middleware.Config{
			Realm: "orders", Resource: resource,
			Issuers: []middleware.Issuer{{URL: foreignIssuer, Name: "a", Verifier: gives(nil, nil)}},
		}
		g, err := middleware.New(cfg)
		if err != nil {
			continue // refusing it is right as well
		}
		_, d := g.Decide(t.Context(), request(), middleware.Policy{})
		if _, err := challengetest.Parse(d.Denial.Header.Get("WWW-Authenticate")); err != nil {
			t.Errorf("%s: %v", resource, err)
		}
	}
}

// TestNothingOfTheRequest: no byte of the request, and no claim, is in an
// answer; the log has method and path, and no claim. [ER-16 PV-01 PV-03 PV-04]
func TestNothingOfTheRequest(t *testing.T) {
	var log bytes.Buffer
	observer := middleware.LogObserver(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	s := newStand(t, func(c *bearward.Config) { c.Observer = observer })
	marked := map[string]any{
		"sub": "mark-sub", "email": "mark-email@example.test", "name": "mark-name", "scope": "mark-scope", "acr": "mark-acr",
		"extra": "mark-extra", "amr": []string{"mark-amr"}, "groups": []string{"mark-group"},
	}
	policies := map[string]middleware.Policy{
		"none": {}, "scope": middleware.Scopes("x"), "acr": middleware.Policy{}.WithACR("phr"), "user": {UserOnly: true},
		"hidden": {AllScopes: []string{"x"}, Hide: true},
	}
	for _, v := range issuer.Variants() {
		token := s.mint(v.Name, marked)
		for name, p := range policies {
			for _, value := range []string{"Bearer " + token, "mark-scheme " + token, "Bearer mark-token", "Bearer mark token", "Bearer mark-\"\r\n", token} {
				r := middleware.Request{
					Method: "mark-METHOD", Scheme: "https", Host: "mark-host", RawPath: "/mark-path", RawQuery: "mark-query=1&access_token=" + token,
					Header: http.Header{
						"Authorization": {value}, "Origin": {"https://mark-origin"}, "Dpop": {"mark-proof"}, "Cookie": {"mark-cookie=" + token},
						"Host": {"mark-host2"}, "X-Forwarded-Host": {"mark-forwarded"}, "Referer": {"mark-referer"},
					},
				}
				d := s.decide(r, p)
				if d.Allowed {
					continue
				}
				if out := outputs(d.Denial); strings.Contains(out, "mark") || strings.Contains(out, "user-1") {
					t.Errorf("%s %s: the answer says %s", v.Name, name, out)
				}
				if strings.Contains(outputs(d.Denial), "signature=") {
					t.Error("unexpected text")
				}
			}
		}
		for i, part := range strings.Split(token, ".") {
			if len(part) > 20 && strings.Contains(log.String()+s.log.String(), part[len(part)-20:]) {
				t.Errorf("%s: part %d of the token is in the log", v.Name, i+1)
			}
		}
	}
	text := log.String() + s.log.String()
	text = strings.NewReplacer("mark-METHOD", "", "/mark-path", "").Replace(text)
	if i := strings.Index(text, "mark"); i >= 0 {
		t.Errorf("the log says …%s…", text[max(0, i-200):min(len(text), i+100)])
	}
	if !strings.Contains(log.String(), "sub_hash=") || !strings.Contains(log.String(), "request refused") {
		t.Error("the log has no lines")
	}
}

// phrase is what RFC 6750 §3 lets an error_description be.
var phrase = regexp.MustCompile(`^[\x20\x21\x23-\x5b\x5d-\x7e]*$`)

// TestPhrases: every code has a fixed text in the characters that are allowed,
// and none where the answer has no challenge. [ER-15 ER-16 ER-26]
func TestPhrases(t *testing.T) {
	list, table := validate.Codes()
	for _, code := range list {
		if !phrase.MatchString(table[code].Phrase) {
			t.Errorf("%s: %q", code, table[code].Phrase)
		}
	}
	if validate.ErrSignatureInvalid.Phrase() != validate.ErrKeyUnknown.Phrase() || validate.ErrKeyAmbiguous.Phrase() != validate.ErrKeyUnknown.Phrase() {
		t.Error("the wire tells why a key does not verify")
	}
}

// TestEveryCode makes the answer to every code there is: its status, challenge
// and gRPC fields are those of its class, and within their limits.
// [ER-01 ER-02 ER-24 GR-08]
func TestEveryCode(t *testing.T) {
	status := map[validate.Class]int{
		'N': 401, 'R': 400, 'T': 401, 'P': 401, 'U': 401, 'A': 401, 'S': 403, 'F': 403, 'V': 503, 'E': 500, '4': 425, 'H': 404,
	}
	upper := regexp.MustCompile(`^[A-Z][A-Z0-9_]{0,62}$`)
	g := foreign(t, gives(nil, nil))
	list, table := validate.Codes()
	for _, code := range list {
		d := g.Deny(t.Context(), request(), code)
		class := table[code].Class
		if d.Allowed || d.Denial.Status != status[class] || d.Denial.Code != code || validate.CodeOf(d.Err) != code {
			t.Errorf("%s: %+v", code, d.Denial)
		}
		if d.Denial.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %v", code, d.Denial.Header)
		}
		challenge := d.Denial.Header.Values("WWW-Authenticate")
		if want := strings.ContainsRune("NRTPUAS", rune(class)); want != (len(challenge) == 1) {
			t.Errorf("%s: challenges %q", code, challenge)
		}
		if class == 'E' != (d.Denial.Reason == "") || class != 'E' && !upper.MatchString(d.Denial.Reason) {
			t.Errorf("%s: reason %q", code, d.Denial.Reason)
		}
		for key, value := range d.Denial.Details {
			if len(key) > 64 || !regexp.MustCompile(`^[a-z][a-zA-Z0-9-_]+$`).MatchString(key) || value == "" {
				t.Errorf("%s: metadata %q: %q", code, key, value)
			}
		}
		if len(strings.Join(challenge, "")) > 1<<10 {
			t.Errorf("%s: a challenge of %d bytes", code, len(challenge[0]))
		}
	}
	if d := g.Deny(t.Context(), request(), "no such code"); d.Denial.Status != 500 || d.Denial.GRPC != 13 {
		t.Errorf("an unknown code: %+v", d.Denial)
	}
}

// TestDenial writes itself, and a missing or empty one is an internal error.
func TestDenial(t *testing.T) {
	var none *middleware.Denial
	var zero middleware.Decision
	if zero.Allowed {
		t.Error("the zero Decision allows")
	}
	for _, d := range []*middleware.Denial{none, zero.Denial, {}} {
		rec := httptest.NewRecorder()
		d.ServeHTTP(rec, nil)
		if rec.Code != 500 || rec.Body.String() != `{"title":"Internal Server Error","status":500}`+"\n" || rec.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%d %s %v", rec.Code, rec.Body, rec.Header())
		}
	}
	g := foreign(t, gives(nil, nil))
	d := g.Deny(t.Context(), request(), validate.ErrTokenMissing).Denial
	rec := httptest.NewRecorder()
	rec.Header().Set("Cache-Control", "public, s-maxage=60")
	d.ServeHTTP(rec, nil)
	if rec.Code != 401 || !slices.Equal(rec.Header().Values("Cache-Control"), []string{"no-store"}) {
		t.Errorf("%d %v", rec.Code, rec.Header())
	}
	rec.Header()["Www-Authenticate"][0] = "changed"
	if d.Header.Get("WWW-Authenticate") == "changed" {
		t.Error("the answer shares memory with the refusal")
	}
}

// TestRestate: the body says what the status line says, and the error of the
// challenge.
func TestRestate(t *testing.T) {
	g := foreign(t, gives(nil, nil))
	r := request()
	r.Header = http.Header{"Authorization": {"Bearer a b"}}
	_, decision := g.Decide(t.Context(), r, middleware.Policy{})
	d := decision.Denial
	if d.Status != 400 {
		t.Fatal(d.Status)
	}
	d.Restate(401)
	if body := strings.TrimSpace(string(d.Body)); d.Status != 401 || body != `{"title":"Unauthorized","status":401,"error":"invalid_request"}` {
		t.Errorf("%d %s", d.Status, body)
	}
	if c, err := challengetest.Parse(d.Header.Get("WWW-Authenticate")); err != nil || c.Params["error"] != "invalid_request" {
		t.Errorf("%v %v", c, err)
	}
}

// TestOneWriter: one file of the module writes challenges.
func TestOneWriter(t *testing.T) {
	writer := regexp.MustCompile(`(?i)"WWW-Authenticate"`)
	root := ".."
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := filepath.ToSlash(path)
		if entry.IsDir() {
			// The embedded issuer challenges its own clients, not those of an API.
			if entry.Name() == "node_modules" || entry.Name() == ".git" || name == "../internal/issuer" {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		src, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if strings.Contains(string(src), "WWW-Authenticate") && name != "../middleware/challenge.go" {
			t.Errorf("%s speaks of the challenge's field", name)
		}
		// Lower-case forms may only be read or be listed.
		if strings.Contains(string(src), ".Set(\"Www-") || strings.Contains(string(src), ".Add(\"Www-") ||
			writer.Match(src) && strings.Contains(string(src), `w.Header().Set("www-`) {
			t.Errorf("%s writes a challenge", name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestRetryAfter is in whole seconds, rounded up, and absent if unknown.
// [ER-23 GR-06]
func TestRetryAfter(t *testing.T) {
	for _, c := range []struct {
		wait later
		want string
	}{{0, ""}, {-1, ""}, {1, "1"}, {1000, "1"}, {1001, "2"}, {90_000, "90"}} {
		g := foreign(t, gives(nil, &validate.Error{Code: validate.ErrUnavailable, Err: c.wait}))
		_, d := g.Decide(t.Context(), bearer(foreignToken), middleware.Policy{})
		if got := d.Denial.Header.Get("Retry-After"); got != c.want || d.Denial.Status != 503 {
			t.Errorf("%d ms: %d, Retry-After %q, want %q", c.wait, d.Denial.Status, got, c.want)
		}
	}
}
