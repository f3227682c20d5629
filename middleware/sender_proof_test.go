package middleware_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/bearward/bearward"
	"github.com/bearward/bearward/internal/prove"
	"github.com/bearward/bearward/middleware"
	"github.com/bearward/bearward/validate"
	"github.com/bearward/bearward/validate/dpop"
)

// refused wants the refusal of a proof: its code, and what the client is told in
// the scheme that it used.
func refused(t *testing.T, what string, d middleware.Decision, code validate.Code) {
	t.Helper()
	if d.Allowed || d.Denial == nil || validate.CodeOf(d.Err) != code {
		t.Errorf("%s: allowed %t, %v, want %s", what, d.Allowed, d.Err, code)
		return
	}
	lines := d.Denial.Header["Www-Authenticate"]
	if d.Denial.Status != 401 || d.Denial.Reason != "INVALID_DPOP_PROOF" || len(lines) != 2 || strings.Contains(lines[0], "error=") ||
		!strings.HasPrefix(lines[1], "DPoP ") || !strings.Contains(lines[1], `error="invalid_dpop_proof"`) {
		t.Errorf("%s: %d %s %q", what, d.Denial.Status, d.Denial.Reason, lines)
	}
}

// outage wants a refusal that is not the client's fault.
func outage(t *testing.T, what string, d middleware.Decision, code validate.Code) {
	t.Helper()
	if d.Allowed || d.Denial == nil || validate.CodeOf(d.Err) != code || d.Denial.Status != 503 ||
		d.Denial.Reason != "AUTH_BACKEND_UNAVAILABLE" || len(d.Denial.Header["Www-Authenticate"]) != 0 {
		t.Errorf("%s: allowed %t, %v, %+v, want 503 %s", what, d.Allowed, d.Err, d.Denial, code)
	}
}

// TestProofOfTheTokenReceived: a verifier that is not ours may return the token of
// another text, such as the one that it got for a handle. The proof is about
// the text that came with the request. [DP-14]
func TestProofOfTheTokenReceived(t *testing.T) {
	s, key := newStand(t, withDPoP), newKey(t)
	inner := s.mint("", map[string]any{"cnf": map[string]any{"jkt": key.Thumbprint()}})
	send := func(g *middleware.Guard, token, ath string) middleware.Decision {
		t.Helper()
		proof, err := key.Sign(prove.Claims{Method: "GET", URL: public + "/orders", Token: ath, Time: noon})
		if err != nil {
			t.Fatal(err)
		}
		r := request("DPoP " + token)
		r.Header.(http.Header)["Dpop"] = []string{proof}
		_, d := g.Decide(t.Context(), r, middleware.Policy{})
		return d
	}
	known := send(s.guard, inner, inner) // the token of a guard that knows its digest
	if !known.Allowed {
		t.Fatal(known.Err)
	}
	proofs, err := dpop.New(dpop.Config{Clock: atNoon})
	if err != nil {
		t.Fatal(err)
	}
	encode := func(v string) string { return base64.RawURLEncoding.EncodeToString([]byte(v)) }
	handle := encode(`{"alg":"none"}`) + "." + encode(`{"iss":"`+s.iss.URL()+`"}`) + "."
	exchanging := foreign(t, gives(known.Token, nil), func(c *middleware.Config) {
		c.DPoP, c.PublicURLs, c.Issuers[0].URL = proofs, []string{public}, s.iss.URL()
	})
	if d := send(exchanging, handle, handle); !d.Allowed {
		t.Errorf("a proof for the token as received: %v", d.Err)
	}
	refused(t, "a proof for the token behind it", send(exchanging, handle, inner), validate.ErrProofTokenMismatch)
}

// counting is a replay store that counts how often it is asked.
type counting struct {
	dpop.ReplayStore
	asked int
}

func (c *counting) First(ctx context.Context, client, id [32]byte, until time.Time) (bool, error) {
	c.asked++
	return c.ReplayStore.First(ctx, client, id, until)
}

func inMemory(t *testing.T, clock func() time.Time) *dpop.Memory {
	t.Helper()
	m, err := dpop.NewMemory(dpop.MemoryConfig{Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestProofOnceAGuard: a proof is verified and spent once by each guard that
// it passes, whatever stands between two policies of one of them. [DP-21]
func TestProofOnceAGuard(t *testing.T) {
	spent := &counting{ReplayStore: inMemory(t, atNoon)}
	a := newStand(t, withDPoP, func(c *bearward.Config) { c.DPoP.Replay = spent })
	another := &counting{ReplayStore: inMemory(t, atNoon)}
	b, err := bearward.New(t.Context(), bearward.Config{
		Resource: api, Issuers: []bearward.Issuer{{URL: a.iss.URL(), AllowHTTP: true}}, PublicURLs: []string{public},
		DPoP: &dpop.Config{Replay: another}, Clock: atNoon,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	pass := func(t *testing.T, ctx context.Context, g *middleware.Guard, r middleware.Request) context.Context {
		t.Helper()
		ctx, d := g.Decide(ctx, r, middleware.Policy{})
		if !d.Allowed {
			t.Fatal(d.Err)
		}
		return ctx
	}
	for name, c := range map[string]struct {
		between func(*testing.T, context.Context, middleware.Request) context.Context
		others  int // that b's store is asked
	}{
		"nothing": {func(_ *testing.T, ctx context.Context, _ middleware.Request) context.Context { return ctx }, 0},
		"a token for tests": {func(_ *testing.T, ctx context.Context, _ middleware.Request) context.Context {
			return middleware.WithToken(ctx, &validate.Token{})
		}, 0},
		"another guard": {func(t *testing.T, ctx context.Context, r middleware.Request) context.Context {
			return pass(t, ctx, b, r)
		}, 1},
		"another guard twice": {func(t *testing.T, ctx context.Context, r middleware.Request) context.Context {
			return pass(t, pass(t, ctx, b, r), b, r)
		}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			spent.asked, another.asked = 0, 0
			r := a.proven(newKey(t))
			ctx := c.between(t, pass(t, t.Context(), a.guard, r), r)
			pass(t, pass(t, ctx, a.guard, r), a.guard, r)
			if spent.asked != 1 || another.asked != c.others {
				t.Errorf("the stores were asked %d and %d times, want 1 and %d", spent.asked, another.asked, c.others)
			}
			refused(t, "again", a.decide(r, middleware.Policy{}), validate.ErrProofReplayed)
		})
	}
}

// TestClockGoesBack: what may have been forgotten before the clock went back is
// an outage and no second first use; what is remembered yet is a replay. [DP-22]
func TestClockGoesBack(t *testing.T) {
	const window = dpop.DefaultWindow
	for _, c := range []struct {
		name      string
		ahead, to time.Duration // of noon, when the proof was used
		outage    bool
	}{
		{"within its time", window / 2, 0, false},
		{"from its last second", window, window / 2, false},
		{"from just after its time, by little", window + 2*time.Second, window - time.Second, true},
		{"from far after its time", time.Hour, 30 * time.Second, true},
		{"to before it was used", window + 2*time.Second, -5 * time.Second, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			now := noon
			clock := func() time.Time { return now }
			store, err := dpop.NewMemory(dpop.MemoryConfig{Entries: 1000, Clock: clock}) // one shard
			if err != nil {
				t.Fatal(err)
			}
			s := newStand(t, withDPoP, func(cfg *bearward.Config) { cfg.DPoP.Replay, cfg.Clock = store, clock })
			used := s.proven(newKey(t))
			if d := s.decide(used, middleware.Policy{}); !d.Allowed {
				t.Fatal(d.Err)
			}
			now = noon.Add(c.ahead)
			for i := range byte(40) { // which lets the store forget what is over
				if first, err := store.First(t.Context(), [32]byte{i}, [32]byte{i}, now.Add(window)); !first || err != nil {
					t.Fatal(first, err)
				}
			}
			now = noon.Add(c.to)
			again := s.decide(used, middleware.Policy{})
			if c.outage {
				outage(t, "the used proof", again, validate.ErrReplayUnavailable)
			} else {
				refused(t, "the used proof", again, validate.ErrProofReplayed)
			}
			now = noon.Add(c.ahead)
			if first, err := store.First(t.Context(), [32]byte{1}, [32]byte{1, 1}, now.Add(window)); !first || err != nil {
				t.Errorf("once the clock is right again: %t, %v", first, err)
			}
		})
	}
}

// TestUnknownURLIsLogged: a program whose public URL is missing is told so, in one
// line a minute however many proofs come, and so is one whose proxy is
// silent. [DP-12]
func TestUnknownURLIsLogged(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*bearward.Config)
		cause  string
	}{
		"no public URL": {func(*bearward.Config) {}, "no public URL is configured"},
		"a silent proxy": {func(c *bearward.Config) {
			c.TrustedProxies, c.Forwarded = []netip.Prefix{netip.MustParsePrefix("10.9.0.0/16")}, middleware.XForwarded
		}, "a trusted proxy did not say"},
	} {
		t.Run(name, func(t *testing.T) {
			now := noon
			s := newStand(t, func(cfg *bearward.Config) {
				cfg.DPoP, cfg.Clock = &dpop.Config{}, func() time.Time { return now }
				c.change(cfg)
			})
			ask := func() {
				t.Helper()
				r := s.proven(newKey(t), func(p *prove.Claims) { p.Time = now })
				r.Peer = netip.MustParseAddr("10.9.0.1")
				d := s.decide(r, middleware.Policy{})
				if validate.CodeOf(d.Err) != validate.ErrTargetUnknown || d.Denial.Status != 500 || d.Denial.Reason != "" || len(d.Denial.Header["Www-Authenticate"]) != 0 {
					t.Errorf("%v, %+v", d.Err, d.Denial)
				}
			}
			lines := func(want int) {
				t.Helper()
				if got := strings.Count(s.log.String(), "a proof cannot be judged"); got != want {
					t.Errorf("%d lines, want %d:\n%s", got, want, s.log)
				}
			}
			for range 5 {
				ask()
			}
			lines(1)
			if log := s.log.String(); !strings.Contains(log, "public_url") || !strings.Contains(log, c.cause) {
				t.Errorf("the line names no setting or no cause: %s", log)
			}
			now = noon.Add(time.Minute - 1)
			ask()
			lines(1)
			now = noon.Add(time.Minute)
			ask()
			ask()
			lines(2)
		})
	}
}

// TestExplainShowsNoSecretOfTheURL: what a proof says of its URL is shown
// without user, query and fragment.
func TestExplainShowsNoSecretOfTheURL(t *testing.T) {
	s := newStand(t, withDPoP)
	for _, htu := range []string{
		"https://api.example.test/other?key=SECRET", "https://api.example.test/other#SECRET", "https://api.example.test/other?SECRET#SECRET", "https://api.example.test/other#SECRET?SECRET",
		"https://SECRET@api.example.test/other", "https://user:SECRET@api.example.test/other?SECRET", "SECRET@api.example.test", "https://a:SECRET@b:SECRET@api.example.test/other#SECRET",
	} {
		r := s.proven(newKey(t))
		parts := strings.Split(r.Header.Values("Dpop")[0], ".")
		raw, err := base64.RawURLEncoding.DecodeString(parts[1])
		if err != nil {
			t.Fatal(err)
		}
		var claims map[string]any
		if err := json.Unmarshal(raw, &claims); err != nil {
			t.Fatal(err)
		}
		claims["htu"] = htu
		if raw, err = json.Marshal(claims); err != nil {
			t.Fatal(err)
		}
		parts[1] = base64.RawURLEncoding.EncodeToString(raw)
		r.Header.(http.Header)["Dpop"] = []string{strings.Join(parts, ".")}
		report := s.guard.Explain(t.Context(), r, middleware.Policy{})
		text, err := json.Marshal(report)
		if err != nil {
			t.Fatal(err)
		}
		shown := append(text, report.String()...)
		if report.Allowed || bytes.Contains(shown, []byte("SECRET")) || !bytes.Contains(shown, []byte("api.example.test")) {
			t.Errorf("%s: %s", htu, report)
		}
		if d := s.decide(r, middleware.Policy{}); strings.Contains(d.Err.Error(), "SECRET") {
			t.Errorf("%s: %v", htu, d.Err)
		}
	}
}

// TestStreamEndsByItsPolicy: the refusal that ends a stream offers what the
// stream's policy does, not what the guard could. [ER-17 TR-19]
func TestStreamEndsByItsPolicy(t *testing.T) {
	s := newStand(t, withDPoP)
	for name, c := range map[string]struct {
		policy  middleware.Policy
		schemes []string
	}{
		"any":          {middleware.Scopes("orders:read"), []string{"Bearer", "DPoP"}},
		"by a key":     {middleware.Scopes("orders:read").WithDPoP(), []string{"DPoP"}},
		"by scheme":    {middleware.Policy{AllScopes: []string{"orders:read"}, Schemes: []string{"DPoP"}}, []string{"DPoP"}},
		"as prepared":  {prepared(t, s.guard, middleware.Scopes("orders:read").WithDPoP()), []string{"DPoP"}},
		"with a nonce": {middleware.Scopes("orders:read").WithNonce(dpop.NonceAdaptive), []string{"Bearer", "DPoP"}},
	} {
		r := s.proven(newKey(t))
		_, denial, ok := s.guard.Expiry(r, s.decide(r, c.policy))
		if !ok || denial.Status != 401 || denial.Code != validate.ErrExpired || denial.Reason != "INVALID_TOKEN" {
			t.Errorf("%s: %t %+v", name, ok, denial)
			continue
		}
		lines := denial.Header["Www-Authenticate"]
		var schemes []string
		for _, line := range lines {
			scheme, params, _ := strings.Cut(line, " ")
			schemes = append(schemes, scheme)
			if strings.Contains(params, `error="invalid_token"`) != (scheme == "DPoP") || !strings.Contains(params, `scope="orders:read"`) {
				t.Errorf("%s: %s", name, line)
			}
		}
		if strings.Join(schemes, " ") != strings.Join(c.schemes, " ") {
			t.Errorf("%s: %q, want %q", name, lines, c.schemes)
		}
	}
	// What another one made, as a struct of the caller's own, has no policy.
	r := s.proven(newKey(t))
	d := s.decide(r, middleware.Scopes("orders:read").WithDPoP())
	if _, denial, ok := s.guard.Expiry(r, middleware.Decision{Allowed: true, Token: d.Token}); !ok || len(denial.Header["Www-Authenticate"]) != 2 {
		t.Errorf("%t %+v", ok, denial)
	}
}

func prepared(t *testing.T, g *middleware.Guard, p middleware.Policy) middleware.Policy {
	t.Helper()
	p, err := g.Prepare(p)
	if err != nil {
		t.Fatal(err)
	}
	return p
}
