package middleware_test

import (
	"context"
	"log/slog"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/bearward/bearward/middleware"
	"github.com/bearward/bearward/validate"
)

// TestGuardOfNothing: a Guard that New did not make, and none at all, refuses
// and does not panic. [PV-07]
func TestGuardOfNothing(t *testing.T) {
	for name, g := range map[string]*middleware.Guard{"zero": {}, "nil": nil} {
		t.Run(name, func(t *testing.T) {
			for label, p := range map[string]middleware.Policy{"any": {}, "public": middleware.Public(), "optional": {Optional: true}} {
				_, d := g.Decide(t.Context(), bearer("x"), p)
				if d.Allowed || d.Denial == nil || d.Denial.Status != 500 || validate.CodeOf(d.Err) != validate.ErrInternal {
					t.Errorf("%s: %+v", label, d)
				}
				if report := g.Explain(t.Context(), bearer("x"), p); report.Allowed || report.Status != 500 {
					t.Errorf("%s: %+v", label, report)
				}
				if _, err := g.Prepare(p); err == nil {
					t.Errorf("%s: prepared", label)
				}
				if token, err := g.Check(t.Context(), middleware.Request{}, p); token != nil || err == nil {
					t.Errorf("%s: %v %v", label, token, err)
				}
			}
			if d := g.Deny(t.Context(), middleware.Request{}, validate.ErrRouteDenied); d.Allowed || d.Denial == nil || d.Denial.Status < 400 {
				t.Errorf("%+v", d)
			}
			if _, ok := g.Hold(); ok {
				t.Error("it can be held")
			}
			if status, _, _ := g.Metadata(middleware.Request{Method: "GET"}); status != http.StatusNotFound {
				t.Errorf("metadata: %d", status)
			}
			if g.MetadataPaths() != nil || len(g.Health()) != 0 || g.Load(t.Context()) == nil {
				t.Error("it has metadata, issuers or keys")
			}
			if err := g.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

type panickingLog struct{ slog.Handler }

func (panickingLog) Enabled(context.Context, slog.Level) bool  { return true }
func (panickingLog) Handle(context.Context, slog.Record) error { panic("log") }
func (panickingLog) WithAttrs([]slog.Attr) slog.Handler        { return panickingLog{} }
func (panickingLog) WithGroup(string) slog.Handler             { return panickingLog{} }

// TestPanickingSurroundings: a logger and a clock that panic end no process.
// [PV-07]
func TestPanickingSurroundings(t *testing.T) {
	verifier := validate.VerifierFunc(func(context.Context, string) (*validate.Token, error) { panic("verifier") })
	for name, change := range map[string]func(*middleware.Config){
		"log":          func(c *middleware.Config) { c.Logger, c.Issuers[0].Verifier = slog.New(panickingLog{}), verifier },
		"log, policy":  func(c *middleware.Config) { c.Logger = slog.New(panickingLog{}) },
		"log observes": func(c *middleware.Config) { c.Logger, c.Observer = slog.New(panickingLog{}), panicking{} },
		"clock":        func(c *middleware.Config) { c.Clock = func() time.Time { panic("clock") } },
	} {
		t.Run(name, func(t *testing.T) {
			g := foreign(t, gives(nil, validate.ErrExpired), change)
			p := middleware.Policy{}
			if name == "log, policy" {
				p.MaxAge = -1
			}
			_, d := g.Decide(t.Context(), bearer(foreignToken), p)
			if d.Allowed || d.Denial == nil || d.Denial.Status < 400 {
				t.Errorf("%+v", d)
			}
			if r := g.Explain(t.Context(), bearer(foreignToken), p); r.Allowed {
				t.Errorf("%+v", r)
			}
			if d := g.Deny(t.Context(), bearer(foreignToken), validate.ErrRouteDenied); d.Denial == nil || d.Denial.Status < 400 {
				t.Errorf("%+v", d)
			}
		})
	}
}

// TestEarlyDataValues: a field that is not 1, or repeated, counts as 1 (RFC
// 8470 §5.1). [TR-20]
func TestEarlyDataValues(t *testing.T) {
	g := foreign(t, gives(foreignClaims(), nil))
	for name, values := range map[string][]string{
		"1": {"1"}, "0": {"0"}, "true": {"true"}, "spaced": {" 1"}, "joined": {"1, 1"}, "two": {"0", "1"}, "empty": {""},
	} {
		r := bearer(foreignToken)
		r.Method = "POST"
		r.Header.(http.Header)["Early-Data"] = values
		if _, d := g.Decide(t.Context(), r, middleware.Policy{}); d.Allowed || d.Denial.Status != 425 {
			t.Errorf("%s: %+v", name, d)
		}
		r.Method = "GET"
		if _, d := g.Decide(t.Context(), r, middleware.Policy{}); !d.Allowed {
			t.Errorf("%s: %+v", name, d)
		}
	}
}

// TestCheckAlwaysHasAToken, or an error, but for public and optional policies:
// a caller of the short form has no CORS layer to hand a preflight to.
func TestCheckAlwaysHasAToken(t *testing.T) {
	g := foreign(t, gives(foreignClaims(), nil))
	r := request()
	r.Method = "OPTIONS"
	r.Header = http.Header{"Origin": {"https://app.example.test"}, "Access-Control-Request-Method": {"GET"}}
	if token, err := g.Check(t.Context(), r, middleware.Policy{}); token != nil || validate.CodeOf(err) != validate.ErrTokenMissing {
		t.Errorf("%v %v", token, err)
	}
	for name, p := range map[string]middleware.Policy{"public": middleware.Public(), "optional": {Optional: true}} {
		if token, err := g.Check(t.Context(), r, p); token != nil || err != nil {
			t.Errorf("%s: %v %v", name, token, err)
		}
	}
}

// TestExplainAsksNoStranger: a token of an unknown issuer is given to nobody,
// also where only one issuer is configured. [CL-08]
func TestExplainAsksNoStranger(t *testing.T) {
	asked := 0
	g := foreign(t, func(context.Context, string) (*validate.Token, error) {
		asked++
		return foreignClaims(), nil
	})
	// {"alg":"none"} . {"iss":"https://attacker.example.test"}
	r := bearer("eyJhbGciOiJub25lIn0.eyJpc3MiOiJodHRwczovL2F0dGFja2VyLmV4YW1wbGUudGVzdCJ9.")
	_, d := g.Decide(t.Context(), r, middleware.Policy{})
	report := g.Explain(t.Context(), r, middleware.Policy{})
	if asked != 0 || validate.CodeOf(d.Err) != validate.ErrIssuerUnknown || report.Allowed || report.Code != validate.ErrIssuerUnknown {
		t.Errorf("asked %d times; %v\n%s", asked, d.Err, report)
	}
}

// TestReportIsPrintable: values of a signed token cannot write into a terminal
// either, and are bounded.
func TestReportIsPrintable(t *testing.T) {
	token := foreignClaims()
	token.ACR = "a\nallowed\x1b[2J\u202e"
	token.Audience = []string{api, "x\r\ny", strings.Repeat("z", 10_000)}
	g := foreign(t, gives(token, nil))
	text := g.Explain(t.Context(), bearer(foreignToken), middleware.Policy{}.WithACR("phr").WithAudience(api)).String()
	for _, bad := range []string{"\x1b", "\r", "\nallowed", "\u202e", strings.Repeat("z", 500)} {
		if strings.Contains(text, bad) {
			t.Errorf("%q in %q", bad, text)
		}
	}
}

// TestLoadContainsPanics of a key source: they run on goroutines of ours.
// [PV-07]
func TestLoadContainsPanics(t *testing.T) {
	keys := &upstream{load: func(context.Context) error { panic("load") }}
	g := foreign(t, gives(nil, nil), func(c *middleware.Config) { c.Issuers[0].Keys = keys })
	if err := g.Load(t.Context()); validate.CodeOf(err) != validate.ErrInternal || err == nil {
		t.Errorf("%v", err)
	}
}

type farOff struct{ error }

func (f farOff) Unwrap() error           { return f.error }
func (farOff) RetryAfter() time.Duration { return math.MaxInt64 }

// TestLongestTimes do not wrap around.
func TestLongestTimes(t *testing.T) {
	token := foreignClaims()
	token.AuthTime = noon.Add(-time.Hour)
	g := foreign(t, gives(token, nil), func(c *middleware.Config) { c.Issuers[0].Leeway = validate.MaxLeeway })
	p := middleware.Policy{}.WithMaxAge(math.MaxInt64 / time.Second * time.Second)
	if _, d := g.Decide(t.Context(), bearer(foreignToken), p); !d.Allowed {
		t.Errorf("max_age: %v", d.Err)
	}
	g = foreign(t, gives(nil, farOff{validate.ErrUnavailable}))
	_, d := g.Decide(t.Context(), bearer(foreignToken), middleware.Policy{})
	if d.Denial.RetryAfter < 0 || strings.HasPrefix(d.Denial.Header.Get("Retry-After"), "-") {
		t.Errorf("%v", d.Denial.Header)
	}
}

// TestIssuerFaults: an issuer that could be taken for another, and a clock
// difference that is none. [CL-13]
func TestIssuerFaults(t *testing.T) {
	for want, change := range map[string]func(*middleware.Issuer){
		"another issuer's URL":  func(i *middleware.Issuer) { i.Name = foreignIssuer },
		"leeway 5m0.000000001s": func(i *middleware.Issuer) { i.Leeway = validate.MaxLeeway + 1 },
		"leeway -1ns":           func(i *middleware.Issuer) { i.Leeway = -1 },
	} {
		second := middleware.Issuer{URL: "https://b.example.test", Name: "b", Verifier: gives(nil, nil)}
		change(&second)
		_, err := middleware.New(middleware.Config{Issuers: []middleware.Issuer{
			{URL: foreignIssuer, Name: "a", Verifier: gives(nil, nil)}, second,
		}})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
	own := middleware.Issuer{URL: foreignIssuer, Name: foreignIssuer, Verifier: gives(nil, nil)}
	if _, err := middleware.New(middleware.Config{Issuers: []middleware.Issuer{own}}); err != nil {
		t.Error(err)
	}
}

// TestResourceHoldsNoSecret: it is the realm of every challenge, with a
// metadata document or without. [AZ-09]
func TestResourceHoldsNoSecret(t *testing.T) {
	for _, resource := range []string{"https://user:secret@api.example.test/", "http://user:secret@api.example.test/", "https://user@api.example.test/"} {
		for _, off := range []bool{true, false} {
			_, err := middleware.New(middleware.Config{Resource: resource, NoMetadata: off, Issuers: []middleware.Issuer{
				{URL: foreignIssuer, Name: "a", Verifier: gives(nil, nil)},
			}})
			if err == nil || strings.Contains(err.Error(), "secret@") {
				t.Errorf("%s, %t: %v", resource, off, err)
			}
		}
	}
}

// TestZeroRequest is one without credentials.
func TestZeroRequest(t *testing.T) {
	g := foreign(t, gives(foreignClaims(), nil))
	_, d := g.Decide(t.Context(), middleware.Request{}, middleware.Policy{})
	if d.Allowed || validate.CodeOf(d.Err) != validate.ErrTokenMissing || d.Denial.Status != 401 {
		t.Errorf("%+v", d)
	}
	var none context.Context
	if _, d := g.Decide(none, bearer(foreignToken), middleware.Policy{}); d.Allowed || d.Denial == nil {
		t.Errorf("without a context: %+v", d)
	}
}
