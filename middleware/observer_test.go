package middleware_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/bearward/bearward"
	"github.com/bearward/bearward/middleware"
	"github.com/bearward/bearward/validate"
)

// TestEvents: one for each decision, of every class, with what is known.
func TestEvents(t *testing.T) {
	s := newStand(t)
	good := s.mint("", map[string]any{"scope": "read"})
	early := bearer(good)
	early.Method = "POST"
	early.Header = headers("Authorization", "Bearer "+good, "Early-Data", "1")
	preflight := request()
	preflight.Method = "OPTIONS"
	preflight.Header = headers("Origin", "https://a.test", "Access-Control-Request-Method", "PUT")
	check := func(err error) middleware.Policy {
		return middleware.Policy{}.WithCheck(func(context.Context, *validate.Token) error { return err })
	}
	for name, c := range map[string]struct {
		r      middleware.Request
		p      middleware.Policy
		code   validate.Code
		issuer string
		token  bool
	}{
		"accepted":  {bearer(good), middleware.Scopes("read"), "", "main", true},
		"public":    {bearer(good), middleware.Public(), "", "", false},
		"optional":  {request(), middleware.Policy{Optional: true}, "", "", false},
		"preflight": {preflight, middleware.Policy{}, "", "", false},
		"N":         {request(), middleware.Policy{}, validate.ErrTokenMissing, "", false},
		"R":         {request("Bearer"), middleware.Policy{}, validate.ErrRequestMalformed, "", false},
		"T":         {bearer(s.mint("expired", nil)), middleware.Policy{}, validate.ErrExpired, "", false},
		"A":         {bearer(good), middleware.Policy{}.WithACR("phr"), validate.ErrAuthenticationContext, "main", false},
		"S":         {bearer(good), middleware.Scopes("write"), validate.ErrScopeMissing, "main", false},
		"F":         {bearer(good), check(errors.New("no")), validate.ErrCheckRefused, "main", false},
		"H":         {bearer(good), middleware.Policy{AllScopes: []string{"write"}, Hide: true}, validate.ErrScopeMissing, "main", false},
		"V":         {bearer(good), check(validate.ErrUnavailable), validate.ErrUnavailable, "main", false},
		"E":         {bearer(good), middleware.Scopes("a b"), validate.ErrPolicyInvalid, "", false},
		"425":       {early, middleware.Policy{}, validate.ErrTooEarly, "", false},
	} {
		c.p.Route = "route " + name
		s.events.take()
		_, d := s.guard.Decide(t.Context(), c.r, c.p)
		events := s.events.take()
		if len(events) != 1 {
			t.Errorf("%s: %d events", name, len(events))
			continue
		}
		e := events[0]
		if e.Allowed != d.Allowed || e.Allowed != (c.code == "") || e.Code != c.code || (e.Err == nil) != e.Allowed || (e.Token != nil) != c.token {
			t.Errorf("%s: %+v", name, e)
		}
		if known := e.Issuer == c.issuer || c.code.Class() == validate.BadToken; !known || e.Method != c.r.Method || e.Path != "/orders" || !e.Time.Equal(noon) || e.Duration != 0 {
			t.Errorf("%s: %+v", name, e)
		}
		if name != "E" && e.Route != "route "+name {
			t.Errorf("%s: route %q", name, e.Route)
		}
	}
	_ = s.guard.Deny(t.Context(), request(), validate.ErrRouteDenied)
	if events := s.events.take(); len(events) != 1 || events[0].Code != validate.ErrRouteDenied {
		t.Errorf("Deny: %+v", events)
	}
	_ = s.guard.Explain(t.Context(), bearer(good), middleware.Policy{})
	if events := s.events.take(); len(events) != 0 {
		t.Errorf("Explain: %+v", events)
	}
	_ = s.guard.Close()
	_ = s.decide(bearer(good), middleware.Policy{})
	if events := s.events.take(); len(events) != 1 || events[0].Code != validate.ErrGuardClosed {
		t.Errorf("closed: %+v", events)
	}
}

func headers(pairs ...string) middleware.Header {
	h := list{}
	for i := 0; i < len(pairs); i += 2 {
		h[pairs[i]] = append(h[pairs[i]], pairs[i+1])
	}
	return h
}

// list is a Header that knows no spelling but the one it was given.
type list map[string][]string

func (l list) Values(name string) []string { return l[name] }

// TestDuration is measured by the guard's clock.
func TestDuration(t *testing.T) {
	now := noon
	events := &recorder{}
	verify := func(context.Context, string) (*validate.Token, error) {
		now = now.Add(3 * time.Second)
		return nil, validate.ErrExpired
	}
	g := foreign(t, verify, func(c *middleware.Config) { c.Clock, c.Observer = func() time.Time { return now }, events })
	_, _ = g.Decide(t.Context(), bearer(foreignToken), middleware.Policy{})
	if e := events.take()[0]; e.Duration != 3*time.Second || !e.Time.Equal(noon) {
		t.Errorf("%+v", e)
	}
}

// TestLogLevels: refusals are information, outages a warning, defects an
// error, and accepted requests are for debugging. [PV-02]
func TestLogLevels(t *testing.T) {
	for code, want := range map[validate.Code]slog.Level{
		"": slog.LevelDebug, validate.ErrExpired: slog.LevelInfo, validate.ErrScopeMissing: slog.LevelInfo, validate.ErrTokenMissing: slog.LevelInfo,
		validate.ErrKeysUnavailable: slog.LevelWarn, validate.ErrGuardClosed: slog.LevelWarn, validate.ErrInternal: slog.LevelError, "mine": slog.LevelError,
	} {
		for _, level := range []slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError} {
			var out bytes.Buffer
			o := middleware.LogObserver(slog.New(slog.NewJSONHandler(&out, &slog.HandlerOptions{Level: level})))
			o.Observe(t.Context(), middleware.Event{Allowed: code == "", Code: code, Err: code, Route: "r", Method: "GET", Path: "/p", Issuer: "main"})
			if (out.Len() > 0) != (want >= level) {
				t.Errorf("%q at %s: %s", code, level, out.String())
			}
			if out.Len() == 0 {
				continue
			}
			var line struct{ Level, Msg, Route, Method, Path, Issuer, Code, Fix string }
			if err := json.Unmarshal(out.Bytes(), &line); err != nil || line.Level != want.String() || line.Route != "r" || line.Path != "/p" || line.Issuer != "main" {
				t.Errorf("%s %v", out.String(), err)
			}
			if code != "" && (line.Code != string(code) || line.Fix != code.Fix() || line.Msg != "request refused") {
				t.Errorf("%s", out.String())
			}
		}
	}
}

// TestLogAccepted names token and principal without telling them. [PV-01 PV-02]
func TestLogAccepted(t *testing.T) {
	var out bytes.Buffer
	s := newStand(t, func(c *bearward.Config) {
		c.Observer = middleware.LogObserver(slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug})))
	})
	token := s.mint("", map[string]any{"sub": "alice@example.test", "email": "alice@example.test", "jti": "id-1"})
	if d := s.decide(bearer(token), middleware.Policy{}); !d.Allowed {
		t.Fatal(d.Err)
	}
	line := out.String()
	for _, want := range []string{"sub_hash=", "jti=id-1", "client_id=client-1", "kid=" + s.iss.KeyID(""), "issuer=main"} {
		if !strings.Contains(line, want) {
			t.Errorf("%s is not in %s", want, line)
		}
	}
	for _, bad := range append(strings.Split(token, "."), "alice", "example.test\"") {
		if strings.Contains(line, bad) {
			t.Errorf("%s is in %s", bad, line)
		}
	}
}

// TestLogBounds: text from outside is cut.
func TestLogBounds(t *testing.T) {
	var out bytes.Buffer
	o := middleware.LogObserver(slog.New(slog.NewTextHandler(&out, nil)))
	long := strings.Repeat("x", 1<<16)
	o.Observe(t.Context(), middleware.Event{Code: validate.ErrExpired, Method: long, Path: long, Err: errors.New(long)})
	if out.Len() > 2<<10 {
		t.Errorf("a line of %d bytes", out.Len())
	}
	out.Reset()
	o.Observe(t.Context(), middleware.Event{Code: validate.ErrExpired, Path: "/a\nlevel=ERROR msg=forged"})
	if strings.Count(out.String(), "\n") != 1 {
		t.Errorf("%s", out.String())
	}
}

// TestObservers tells each of them, in order.
func TestObservers(t *testing.T) {
	if middleware.Observers() != nil || middleware.Observers(nil, nil) != nil {
		t.Error("nobody is an observer")
	}
	one, two := &recorder{}, &recorder{}
	if got := middleware.Observers(nil, one); got != middleware.Observer(one) {
		t.Errorf("a single one is %T", got)
	}
	middleware.Observers(one, nil, two).Observe(t.Context(), middleware.Event{Code: validate.ErrExpired})
	for _, r := range []*recorder{one, two} {
		if events := r.take(); len(events) != 1 || events[0].Code != validate.ErrExpired {
			t.Errorf("%+v", events)
		}
	}
}
