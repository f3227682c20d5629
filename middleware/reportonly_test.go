package middleware_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/bearward/bearward"
	"github.com/bearward/bearward/middleware"
	"github.com/bearward/bearward/validate"
)

// TestReportOnly: what is disregarded, and what is not.
func TestReportOnly(t *testing.T) {
	s := newStand(t, func(c *bearward.Config) { c.ReportOnly = true })
	good, bad := s.mint("", map[string]any{"scope": "read"}), s.mint("expired", nil)
	check := func(err error) middleware.Policy {
		return middleware.Policy{}.WithCheck(func(context.Context, *validate.Token) error { return err })
	}
	for name, c := range map[string]struct {
		r       middleware.Request
		p       middleware.Policy
		allowed bool
		token   bool
		code    validate.Code
	}{
		"accepted":    {bearer(good), middleware.Scopes("read"), true, true, ""},
		"no token":    {request(), middleware.Policy{}, true, false, validate.ErrTokenMissing},
		"bad token":   {bearer(bad), middleware.Policy{}, true, false, validate.ErrExpired},
		"optional":    {bearer(bad), middleware.Policy{Optional: true}, true, false, validate.ErrExpired},
		"scope":       {bearer(good), middleware.Scopes("write"), true, false, validate.ErrScopeMissing},
		"unavailable": {bearer(good), check(validate.ErrUnavailable), true, false, validate.ErrUnavailable},
		"hidden":      {bearer(good), middleware.Policy{AllScopes: []string{"write"}, Hide: true}, true, false, validate.ErrScopeMissing},
		"internal":    {bearer(good), check(validate.ErrInternal), false, false, validate.ErrInternal},
		"own code":    {bearer(good), check(validate.Code("mine")), false, false, "mine"},
		"faulty":      {bearer(good), middleware.Scopes("a b"), false, false, validate.ErrPolicyInvalid},
		"public":      {bearer(bad), middleware.Public(), true, false, ""},
	} {
		ctx, d := s.guard.Decide(middleware.WithToken(t.Context(), &validate.Token{Subject: "planted"}), c.r, c.p)
		if d.Allowed != c.allowed || (d.Token != nil) != c.token || (d.Denial == nil) != c.allowed || validate.CodeOf(d.Err) != c.code && c.code != "" || (d.Err == nil) != (c.code == "") {
			t.Errorf("%s: %+v", name, d)
		}
		if seen, ok := middleware.FromContext(ctx); c.allowed && c.code != "" && ok {
			t.Errorf("%s: the context has the token %v", name, seen)
		}
		token, err := s.guard.Check(t.Context(), c.r, c.p)
		if (token != nil) != c.token || (err == nil) != (c.code == "") {
			t.Errorf("%s: Check returns %v, %v", name, token, err)
		}
		report := s.guard.Explain(t.Context(), c.r, c.p)
		if report.Allowed != (c.code == "") || report.ReportOnly != (c.allowed && c.code != "") || (report.Status == 200) != c.allowed {
			t.Errorf("%s: %+v", name, report)
		}
		if report.ReportOnly != strings.Contains(report.String(), "passed on without token") {
			t.Errorf("%s: %s", name, report)
		}
	}
	if d := s.guard.Deny(t.Context(), request(), validate.ErrRouteDenied); d.Allowed {
		t.Error("what no policy covers passes")
	}
	if _, err := s.guard.Prepare(publicReporting()); err == nil {
		t.Error("a public policy has nothing to report")
	}
	_ = s.guard.Close()
	if d := s.decide(bearer(good), middleware.Policy{}); d.Allowed {
		t.Error("a closed guard lets pass")
	}
}

func publicReporting() middleware.Policy {
	p := middleware.Public()
	p.ReportOnly = true
	return p
}

// TestReportOnlyPanics: a header that panics while the refusal is disregarded is
// a refusal.
func TestReportOnlyPanics(t *testing.T) {
	s := newStand(t, func(c *bearward.Config) { c.ReportOnly = true })
	r := request()
	r.Header = brokenHeader{}
	if d := s.decide(r, middleware.Policy{}); d.Allowed || d.Denial.Status != 500 {
		t.Errorf("%+v", d)
	}
}

type brokenHeader struct{}

func (brokenHeader) Values(string) []string { panic("no header") }

// TestReportOnlyForeign: a check that has a nonce's code, on a guard without
// proofs, hands out none.
func TestReportOnlyForeign(t *testing.T) {
	g := foreign(t, gives(nil, validate.ErrNonceMissing), func(c *middleware.Config) { c.ReportOnly = true })
	if _, d := g.Decide(t.Context(), bearer(foreignToken), middleware.Policy{}); !d.Allowed || d.Header != nil {
		t.Errorf("%+v", d)
	}
}

// TestLogReportOnly says so.
func TestLogReportOnly(t *testing.T) {
	var out bytes.Buffer
	s := newStand(t, func(c *bearward.Config) {
		c.ReportOnly, c.Observer = true, middleware.LogObserver(slog.New(slog.NewTextHandler(&out, nil)))
	})
	_ = s.decide(bearer(s.mint("", nil)), middleware.Scopes("write"))
	if line := out.String(); !strings.Contains(line, `msg="request would be refused" code=scope_missing`) || !strings.Contains(line, "report_only=true status=0") {
		t.Error(line)
	}
}

// TestLogRefs: a refusal names token, subject and client, the same each time,
// and tells none of them. [PV-01 PV-02]
func TestLogRefs(t *testing.T) {
	s := newStand(t)
	token := s.mint("", map[string]any{"sub": "alice", "client_id": "shop"})
	event := func(token string, p middleware.Policy) middleware.Event {
		s.events.take()
		_ = s.decide(bearer(token), p)
		return s.events.take()[0]
	}
	all := map[string]bool{}
	refs := func(e middleware.Event) [3]string { return [3]string{e.TokenRef(), e.SubjectRef(), e.ClientRef()} }
	refused := event(token, middleware.Scopes("x"))
	if refused.Status != 403 {
		t.Errorf("status %d", refused.Status)
	}
	for _, ref := range refs(refused) {
		if len(ref) != 12 || all[ref] {
			t.Errorf("reference %q", ref)
		}
		all[ref] = true
	}
	if again := refs(event(token, middleware.Scopes("y"))); again != refs(refused) {
		t.Errorf("%q, then %q", refs(refused), again)
	}
	if accepted := refs(event(token, middleware.Policy{})); accepted != refs(refused) {
		t.Errorf("%q, accepted %q", refs(refused), accepted)
	}
	other := event(s.mint("", map[string]any{"sub": "alice", "client_id": "shop"}), middleware.Scopes("x"))
	if o := refs(other); all[o[0]] || o[1] != refused.SubjectRef() || o[2] != refused.ClientRef() {
		t.Errorf("%q, of another token %q", refs(refused), o)
	}
	unverified := event(s.mint("bad-signature", nil), middleware.Policy{})
	if r := refs(unverified); r[0] == "" || r[1] != "" || r[2] != "" {
		t.Errorf("an unverified token: %q", r)
	}
	if none := event("", middleware.Policy{}); refs(none) != [3]string{} {
		t.Errorf("no token: %q", refs(none))
	}
	if long := event(strings.Repeat("a", validate.MaxToken+1), middleware.Policy{}); refs(long) != [3]string{} {
		t.Errorf("too long: %q", refs(long))
	}
}

// TestLogFlood: one reason is written a bounded number of times, the others all
// the same, and what is left out is counted.
func TestLogFlood(t *testing.T) {
	var out bytes.Buffer
	o := middleware.LogObserver(slog.New(slog.NewTextHandler(&out, nil)))
	at := noon
	flood := func(code validate.Code, n int) int {
		out.Reset()
		for range n {
			o.Observe(t.Context(), middleware.Event{Time: at, Code: code, Err: code})
		}
		return strings.Count(out.String(), "\n")
	}
	if n := flood(validate.ErrExpired, 1000); n != 20 {
		t.Errorf("%d lines of 1000", n)
	}
	if n := flood(validate.ErrTokenMissing, 1); n != 1 {
		t.Error("another reason is not written")
	}
	at = at.Add(3 * time.Second)
	if n := flood(validate.ErrExpired, 1000); n != 3 || !strings.Contains(out.String(), "suppressed=980\n") || strings.Count(out.String(), "suppressed") != 1 {
		t.Errorf("%d lines after 3 s: %s", n, out.String())
	}
	at = at.Add(-time.Hour)
	if n := flood(validate.ErrExpired, 10); n != 0 {
		t.Errorf("%d lines when the clock went back", n)
	}
	at = at.Add(24 * time.Hour)
	if n := flood(validate.ErrExpired, 1000); n != 20 {
		t.Errorf("%d lines after a day", n)
	}
	for i := range 1000 { // codes of a program's own making are one reason
		if n := flood(validate.Code(strings.Repeat("x", i+1)), 1); (n == 1) != (i < 20) {
			t.Errorf("own code %d: %d lines", i, n)
		}
	}
}
