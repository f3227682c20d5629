package middleware_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/bearward/bearward"
	"github.com/bearward/bearward/internal/issuer"
	"github.com/bearward/bearward/middleware"
	"github.com/bearward/bearward/validate"
)

var reported = map[string]middleware.Policy{
	"none":     {},
	"scope":    middleware.Scopes("x"),
	"any":      middleware.Policy{}.WithAnyScope("x", "y"),
	"step-up":  middleware.Scopes("x").WithACR("phr").WithMaxAge(60e9),
	"user":     {UserOnly: true, NoDelegation: true},
	"strict":   {Profile: validate.RFC9068},
	"audience": middleware.Policy{}.WithAudience(api),
	"issuer":   middleware.Policy{}.WithIssuers("second"),
	"check":    middleware.Policy{}.WithCheck(func(context.Context, *validate.Token) error { return errors.New("no") }),
	"panic":    middleware.Policy{}.WithCheck(func(context.Context, *validate.Token) error { panic("check") }),
	"hidden":   {AllScopes: []string{"x"}, Hide: true},
	"optional": {Optional: true},
	"public":   middleware.Public(),
	"faulty":   middleware.Scopes("a b"),
}

// keyless is an issuer without keys.
type keyless struct{}

func (keyless) Keys(context.Context, string, string) ([]*validate.Key, error) { return nil, nil }
func (keyless) Live(*validate.Key) bool                                       { return false }

// TestExplainAgrees: for every kind of token, every shape of header and every
// policy the report's verdict, code and status are those of Decide; the report
// never holds the token; and the Observer does not hear of it.
func TestExplainAgrees(t *testing.T) {
	for _, profile := range []validate.Profile{validate.RFC9068, validate.Compat} {
		s := newStand(t, func(c *bearward.Config) {
			c.Issuers[0].Profile = profile
			c.Issuers = append(c.Issuers, bearward.Issuer{URL: "https://second.example.test", Name: "second", Keys: keyless{}})
		})
		requests := map[string][]string{"no header": nil, "empty": {""}, "scheme": {"Bearer"}, "basic": {"Basic x"}, "two": {"Bearer a", "Bearer b"}, "comma": {"Bearer a,b"}, "opaque": {"Bearer x"}, "long": {"Bearer " + strings.Repeat("a", 16<<10+1)}}
		for _, v := range issuer.Variants() {
			requests[v.Name] = []string{"Bearer " + s.mint(v.Name, map[string]any{"scope": "y"})}
		}
		for name, values := range requests {
			for label, p := range reported {
				for _, method := range []string{"GET", "POST"} {
					if method == "POST" && strings.Contains(joined(values), ".") && name != "valid" && name != "expired" {
						continue // early data has nothing to do with the token
					}
					r := request(values...)
					r.Method = method
					r.Header = list{"Authorization": values, "Early-Data": {"1"}}
					s.agree(t, name+", "+label+", "+method, r, p)
				}
			}
		}
	}
}

func joined(values []string) string { return strings.Join(values, "") }

func (s *stand) agree(t *testing.T, name string, r middleware.Request, p middleware.Policy) {
	t.Helper()
	d := s.decide(r, p)
	s.events.take()
	report := s.guard.Explain(t.Context(), r, p)
	if len(s.events.take()) != 0 {
		t.Errorf("%s: Explain notifies the Observer", name)
	}
	status, code := 200, validate.Code("")
	if !d.Allowed {
		status, code = d.Denial.Status, validate.CodeOf(d.Err)
	}
	if report.Allowed != d.Allowed || report.Code != code || report.Status != status {
		t.Errorf("%s: Decide says %d %q, Explain %d %q\n%s", name, status, code, report.Status, report.Code, report)
	}
	raw, err := json.Marshal(report)
	if err != nil {
		t.Errorf("%s: %v", name, err)
	}
	text := report.String() + string(raw)
	for _, value := range r.Header.Values("Authorization") {
		for part := range strings.SplitSeq(strings.TrimPrefix(value, "Bearer "), ".") {
			if len(part) > 20 && strings.Contains(text, part[:20]) {
				t.Errorf("%s: the report has the token: %s", name, text)
			}
		}
	}
	if !strings.HasSuffix(report.String(), "allowed\n") && !strings.HasSuffix(report.String(), "\n") {
		t.Errorf("%s: %s", name, report)
	}
}

// TestReportIsComplete: all rules are in it, in the same order, whatever the
// first failure was.
func TestReportIsComplete(t *testing.T) {
	s := newStand(t)
	names := func(r middleware.Report) string {
		var out []string
		for _, f := range r.Rules {
			out = append(out, f.Rule)
		}
		return strings.Join(out, " ")
	}
	p := middleware.Scopes("x")
	full := s.guard.Explain(t.Context(), bearer(s.mint("", map[string]any{"scope": "x"})), p)
	if !full.Allowed || full.Code != "" || len(full.Rules) < 25 {
		t.Fatalf("%s", full)
	}
	for _, f := range full.Rules {
		if f.Status != validate.Passed || f.Unverified || f.Source == "" {
			t.Errorf("%+v", f)
		}
	}
	for _, kind := range []string{"expired", "bad-signature", "alg-none", "cnf-jkt", "deep", "two-parts", "unknown-kid"} {
		report := s.guard.Explain(t.Context(), bearer(s.mint(kind, nil)), p)
		if names(report) != names(full) {
			t.Errorf("%s: rules %s\nwant %s", kind, names(report), names(full))
		}
		for _, f := range report.Rules {
			if (f.Status == validate.Failed) != (f.Code != "") || f.Status == validate.Failed && f.Fix == "" {
				t.Errorf("%s: %+v", kind, f)
			}
		}
		if text := report.String(); !strings.Contains(text, "refused: "+string(report.Code)) || !strings.Contains(text, "fix: ") || strings.Count(text, "FAIL") == 0 {
			t.Errorf("%s: %s", kind, text)
		}
	}
}

// TestReportUnverified: values of a token without a good signature are marked.
func TestReportUnverified(t *testing.T) {
	s := newStand(t)
	for kind, unverified := range map[string]bool{"valid": false, "expired": false, "bad-signature": true, "wrong-key": true, "unknown-kid": true, "wrong-issuer": true} {
		report := s.guard.Explain(t.Context(), bearer(s.mint(kind, nil)), middleware.Policy{})
		seen := false
		for _, f := range report.Rules {
			if f.Found == "" || f.Rule == "size" {
				continue
			}
			seen = true
			if f.Unverified != unverified {
				t.Errorf("%s: %+v", kind, f)
			}
		}
		if !seen || strings.Contains(report.String(), "(unverified)") != unverified {
			t.Errorf("%s: %s", kind, report)
		}
	}
}

// TestReportAsksCheckLast: only where everything before it has passed.
func TestReportAsksCheckLast(t *testing.T) {
	s := newStand(t)
	asked := 0
	p := middleware.Scopes("x").WithCheck(func(context.Context, *validate.Token) error {
		asked++
		return nil
	})
	for _, kind := range []string{"valid", "expired", "alg-none"} { // none of them has the scope
		_ = s.guard.Explain(t.Context(), bearer(s.mint(kind, nil)), p)
	}
	if asked != 0 {
		t.Errorf("asked %d times", asked)
	}
	if r := s.guard.Explain(t.Context(), bearer(s.mint("", map[string]any{"scope": "x"})), p); asked != 1 || !r.Allowed {
		t.Errorf("asked %d times\n%s", asked, r)
	}
}

// TestReportSaysWhyACheckRefused: the program's words help it, and are shown
// without what could break a terminal.
func TestReportSaysWhyACheckRefused(t *testing.T) {
	s := newStand(t)
	p := middleware.Policy{}.WithCheck(func(context.Context, *validate.Token) error { return errors.New("not\x1b your order") })
	report := s.guard.Explain(t.Context(), bearer(s.mint("", nil)), p)
	last := report.Rules[len(report.Rules)-1]
	if report.Status != 403 || last.Code != validate.ErrCheckRefused || last.Found != "not\uFFFD your order" {
		t.Errorf("%s", report)
	}
}

// TestReportShort: what needs no token says so in one line.
func TestReportShort(t *testing.T) {
	s := newStand(t)
	preflight := middleware.Request{Method: "OPTIONS", Header: headers("Origin", "https://a.test", "Access-Control-Request-Method", "PUT")}
	for rule, report := range map[string]middleware.Report{
		"public":    s.guard.Explain(t.Context(), bearer("x"), middleware.Public()),
		"optional":  s.guard.Explain(t.Context(), request(), middleware.Policy{Optional: true}),
		"preflight": s.guard.Explain(t.Context(), preflight, middleware.Policy{}),
	} {
		if !report.Allowed || len(report.Rules) != 1 || report.Rules[0].Rule != rule || report.Status != 200 {
			t.Errorf("%s: %s", rule, report)
		}
	}
	_ = s.guard.Close()
	if r := s.guard.Explain(t.Context(), request(), middleware.Public()); r.Allowed || r.Code != validate.ErrGuardClosed || r.Status != 503 {
		t.Errorf("%s", r)
	}
}
