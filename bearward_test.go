package bearward_test

import (
	"bytes"
	"context"
	"log/slog"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/bearward/bearward"
	"github.com/bearward/bearward/internal/issuer"
	"github.com/bearward/bearward/jwks"
	"github.com/bearward/bearward/middleware"
	"github.com/bearward/bearward/validate"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const api = issuer.DefaultAudience

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func newIssuer(t *testing.T, config ...issuer.Config) *issuer.Server {
	t.Helper()
	s, err := issuer.Start(append(config, issuer.Config{})[0])
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func newGuard(t *testing.T, cfg bearward.Config) *middleware.Guard {
	t.Helper()
	if cfg.Logger == nil {
		cfg.Logger = quiet()
	}
	g, err := bearward.New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = g.Close() })
	return g
}

func mint(t *testing.T, s *issuer.Server, claims map[string]any) string {
	t.Helper()
	all := s.Claims("")
	maps.Copy(all, claims)
	token, err := s.Mint("", all)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func decide(t *testing.T, g *middleware.Guard, token string) middleware.Decision {
	t.Helper()
	_, d := g.Decide(t.Context(), middleware.Request{
		Method: "GET", RawPath: "/", Header: http.Header{"Authorization": {"Bearer " + token}},
	}, middleware.Policy{})
	return d
}

// TestFaultsTogether: every fault of a configuration is in one report.
// [CL-13 JK-01 JO-01 JO-03 JO-04 AZ-09 ER-15]
func TestFaultsTogether(t *testing.T) {
	keys := static(t, newIssuer(t))
	cfg := bearward.Config{
		Resource: "https://api.example.test/#fragment", Realm: "\n",
		Issuers: []bearward.Issuer{
			{},
			{URL: "http://plain.example.test", Leeway: 301 * time.Second},
			{URL: "https://a.example.test?q", Algorithms: []string{"none"}, Profile: "lax"},
			{URL: "https://b.example.test", Algorithms: []string{"HS256"}, MaxLifetime: -1},
			{URL: "https://c.example.test", Keys: keys, JWKSURL: "https://c.example.test/jwks"},
			{URL: "https://d.example.test", JWKSURL: "https://d.example.test/jwks", DiscoveryURL: "https://d.example.test/x"},
			{URL: "https://e.example.test", JWKSURL: "http://e.example.test/jwks"},
			{URL: "https://f.example.test", Refresh: bearward.Refresh{Interval: -1, Cooldown: -1, MaxStale: -1}},
			{URL: "https://g.example.test", Audience: []string{"x", ""}},
			{URL: "https://h.example.test", Name: "same"},
			{URL: "https://i.example.test", Name: "same"},
			{URL: "https://k.example.test"},
			{URL: "https://k.example.test"},
			{URL: "https://127.0.0.1/private"},
			{URL: "https://user:secret@l.example.test"},
			{URL: "https://m.example.test", Profile: "lax"},
			{URL: "https://m.example.test", Profile: "lax"},
		},
	}
	_, err := bearward.New(t.Context(), cfg)
	if err == nil {
		t.Fatal("no fault is reported")
	}
	text := err.Error()
	for _, want := range []string{
		"fragment", "realm", "issuer 1:", "issuer is empty", "issuer 2:", "plain.example.test is not https", "5m1s", "issuer 3:", "query", `"none"`, `"lax"`,
		"issuer 4:", `"HS256"`, "max lifetime", "issuer 5:", "Keys excludes", "issuer 6:", "exclude each other", "issuer 7:", "JWKS URL", "issuer 8:", "refresh is negative", "cooldown",
		"max_stale", "issuer 9:", "non-empty audience", `"same" is empty or used twice`, `"https://k.example.test" is configured twice`, "issuer 14:", "issuer 15:", `"https://m.example.test" is configured twice`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not reported", want)
		}
	}
	if strings.Contains(text, "secret") || strings.Contains(text, "no issuer") || strings.Contains(text, "no verifier") {
		t.Error("the report has a password, or what is no fault")
	}
	if t.Failed() {
		t.Log(text)
	}
}

// TestFaultsOneByOne: what New refuses, each alone.
func TestFaultsOneByOne(t *testing.T) {
	keys := static(t, newIssuer(t))
	const good = "https://login.example.test"
	closed, cancel := context.WithCancel(t.Context())
	cancel()
	for name, c := range map[string]struct {
		ctx  context.Context
		cfg  bearward.Config
		text string
	}{
		"no issuer":        {t.Context(), bearward.Config{Resource: api}, "no issuer is configured"},
		"no audience":      {t.Context(), bearward.Config{Issuers: []bearward.Issuer{{URL: good}}}, "audience"}, // [CL-09]
		"no URL":           {t.Context(), bearward.Config{Resource: api, Issuers: []bearward.Issuer{{Keys: keys}}}, "issuer is empty"},
		"closed context":   {closed, bearward.Config{Resource: api, Issuers: []bearward.Issuer{{URL: good}}}, context.Canceled.Error()},
		"http":             {t.Context(), bearward.Config{Resource: api, Issuers: []bearward.Issuer{{URL: "http://127.0.0.1:1"}}}, "not https"},
		"private, no word": {t.Context(), bearward.Config{Resource: api, Issuers: []bearward.Issuer{{URL: good, JWKSURL: "https://10.0.0.1/jwks"}}}, "JWKS URL"},
		"nobody to ask":    {t.Context(), bearward.Config{Resource: api, Issuers: []bearward.Issuer{{URL: good, Preset: "google-access", ClientIDs: []string{"a"}}}}, "needs Introspection"}, // [CL-04]
		"everybody's":      {t.Context(), bearward.Config{Resource: api, Issuers: []bearward.Issuer{{URL: good, Preset: "github-actions"}}}, "require has to list"},
		"one and realm":    {t.Context(), bearward.Config{Resource: api, Realm: "\x00", Issuers: []bearward.Issuer{{URL: good, Profile: "x"}}}, "realm"},
	} {
		g, err := bearward.New(c.ctx, c.cfg)
		if g != nil || err == nil || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// static is a source of the issuer's key without a network.
func static(t *testing.T, s *issuer.Server) *jwks.Fixed {
	t.Helper()
	keys, err := jwks.Static(validate.Key{ID: s.KeyID(""), Algorithm: "ES256", Public: s.Key("")})
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// TestNewMakesNoCall: neither does Prepare, a report of health, or a refusal
// that needs no key.
func TestNewMakesNoCall(t *testing.T) {
	s := newIssuer(t)
	g := newGuard(t, bearward.Config{Resource: api, Issuers: []bearward.Issuer{{URL: s.URL(), AllowHTTP: true}}})
	if _, err := g.Prepare(middleware.Scopes("x")); err != nil {
		t.Error(err)
	}
	if h := g.Health(); len(h) != 1 || h[0].Loaded {
		t.Errorf("%+v", h)
	}
	for _, kind := range []string{"expired", "wrong-audience", "wrong-issuer", "alg-none", "typ-jwt", "two-parts"} {
		token, err := s.Mint(kind, s.Claims(""))
		if err != nil {
			t.Fatal(err)
		}
		if d := decide(t, g, token); d.Allowed || d.Denial.Status != 401 {
			t.Errorf("%s: %+v", kind, d)
		}
	}
	if n := s.Requests(""); n != 0 {
		t.Errorf("%d requests", n)
	}
	if d := decide(t, g, mint(t, s, nil)); !d.Allowed || s.Requests("/jwks") != 1 {
		t.Errorf("%v, %d requests", d.Err, s.Requests(""))
	}
	if h := g.Health(); !h[0].Loaded || h[0].Keys != 1 {
		t.Errorf("%+v", h)
	}
}

// TestAllowHTTPWarns at each start, in the configured log.
func TestAllowHTTPWarns(t *testing.T) {
	s := newIssuer(t)
	for _, allow := range []bool{true, false} {
		var log bytes.Buffer
		cfg := bearward.Config{
			Resource: api, Logger: slog.New(slog.NewTextHandler(&log, nil)),
			Issuers: []bearward.Issuer{{URL: "https://login.example.test", AllowHTTP: allow}, {URL: s.URL(), Keys: static(t, s), Name: "own"}},
		}
		if !allow {
			cfg.Issuers[0].AllowPrivate = true
		}
		_ = newGuard(t, cfg)
		if got := strings.Contains(log.String(), "level=WARN") && strings.Contains(log.String(), "plain http"); got != allow {
			t.Errorf("AllowHTTP %t: %s", allow, log.String())
		}
	}
}

// TestDefaults: name, audience, realm and observer.
func TestDefaults(t *testing.T) {
	a, b := newIssuer(t, issuer.Config{Path: "/realms/a"}), newIssuer(t)
	var log bytes.Buffer
	g := newGuard(t, bearward.Config{
		Resource: api, Logger: slog.New(slog.NewTextHandler(&log, nil)),
		Issuers: []bearward.Issuer{{URL: a.URL(), AllowHTTP: true}, {URL: b.URL(), AllowHTTP: true, Audience: []string{"https://b.example.test"}}},
	})
	names := []string{strings.TrimPrefix(a.URL(), "http://"), strings.TrimPrefix(b.URL(), "http://")}
	for i, h := range g.Health() {
		if h.Name != names[i] {
			t.Errorf("name %q, want %q", h.Name, names[i])
		}
	}
	if d := decide(t, g, mint(t, a, nil)); !d.Allowed { // the default audience is the resource
		t.Error(d.Err)
	}
	if d := decide(t, g, mint(t, b, nil)); validate.CodeOf(d.Err) != validate.ErrAudienceRefused { // an own one replaces it
		t.Errorf("%v", d.Err)
	}
	if d := decide(t, g, mint(t, b, map[string]any{"aud": "https://b.example.test"})); !d.Allowed {
		t.Error(d.Err)
	}
	if !strings.Contains(log.String(), "code=audience_refused") { // without an Observer the log is told
		t.Errorf("%s", log.String())
	}
	if d := decide(t, g, ""); !strings.Contains(d.Denial.Header.Get("WWW-Authenticate"), `realm="`+api+`"`) {
		t.Errorf("%v", d.Denial.Header)
	}
	if _, err := g.Prepare(middleware.Policy{}.WithIssuers(names[0], b.URL())); err != nil { // by name or identifier
		t.Error(err)
	}
}

// TestTwoIssuers: each signs for itself only, each has its own settings, and an
// issuer that nobody configured costs no request. [CL-07 CL-08]
func TestTwoIssuers(t *testing.T) {
	a, b, stranger := newIssuer(t), newIssuer(t), newIssuer(t)
	g := newGuard(t, bearward.Config{
		Resource: api,
		Issuers:  []bearward.Issuer{{URL: a.URL(), AllowHTTP: true}, {URL: b.URL(), AllowHTTP: true, Profile: validate.Compat}},
	})
	for _, s := range []*issuer.Server{a, b} {
		if d := decide(t, g, mint(t, s, nil)); !d.Allowed || d.Token.Issuer != s.URL() {
			t.Errorf("%v", d.Err)
		}
	}
	before := a.Requests("") + b.Requests("")
	for name, c := range map[string]struct {
		token string
		code  validate.Code
	}{
		"b signs for a":          {mint(t, b, map[string]any{"iss": a.URL()}), validate.ErrSignatureInvalid},
		"a signs for b":          {mint(t, a, map[string]any{"iss": b.URL()}), validate.ErrSignatureInvalid},
		"a stranger signs for a": {mint(t, stranger, map[string]any{"iss": a.URL()}), validate.ErrSignatureInvalid},
		"a stranger":             {mint(t, stranger, nil), validate.ErrIssuerUnknown},
		"one more slash":         {mint(t, a, map[string]any{"iss": a.URL() + "/"}), validate.ErrIssuerUnknown},
		"upper case":             {mint(t, a, map[string]any{"iss": strings.ToUpper(a.URL())}), validate.ErrIssuerUnknown},
		"b's profile is not a's": {kind(t, a, "typ-jwt"), validate.ErrTypeRefused},
		"no issuer":              {kind(t, a, "no-iss"), validate.ErrClaimMissing},
		"list of issuers":        {mint(t, a, map[string]any{"iss": []string{a.URL()}}), validate.ErrClaimsInvalid},
	} {
		if d := decide(t, g, c.token); d.Allowed || validate.CodeOf(d.Err) != c.code || d.Denial.Status != 401 {
			t.Errorf("%s: %+v", name, d)
		}
	}
	if d := decide(t, g, kind(t, b, "typ-jwt")); !d.Allowed {
		t.Error(d.Err)
	}
	if n := stranger.Requests(""); n != 0 { // [CL-08]
		t.Errorf("the stranger was asked %d times", n)
	}
	if n := a.Requests("") + b.Requests(""); n != before {
		t.Errorf("bad signatures and strangers cost %d requests", n-before)
	}
}

func kind(t *testing.T, s *issuer.Server, name string) string {
	t.Helper()
	token, err := s.Mint(name, s.Claims(""))
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// TestOwnKeys of the program need no network.
func TestOwnKeys(t *testing.T) {
	s := newIssuer(t)
	g := newGuard(t, bearward.Config{Resource: api, Issuers: []bearward.Issuer{{URL: s.URL(), Keys: static(t, s)}, {URL: "https://b.example.test", Keys: bare{static(t, s)}}}})
	if err := g.Load(t.Context()); err != nil {
		t.Error(err)
	}
	if d := decide(t, g, mint(t, s, nil)); !d.Allowed || s.Requests("") != 0 {
		t.Errorf("%v, %d requests", d.Err, s.Requests(""))
	}
	if d := decide(t, g, mint(t, s, map[string]any{"iss": "https://b.example.test"})); !d.Allowed {
		t.Error(d.Err)
	}
	if h := g.Health(); !h[0].Loaded || h[1].Issuer != "https://b.example.test" || !h[1].Loaded {
		t.Errorf("%+v", h)
	}
}

// bare is a KeySource that can do nothing else.
type bare struct{ validate.KeySource }

// TestIssuerSettings reach the rules.
func TestIssuerSettings(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	s := newIssuer(t, issuer.Config{Now: clock})
	for name, c := range map[string]struct {
		change func(*bearward.Issuer)
		claims map[string]any
		code   validate.Code
	}{
		"leeway by default":  {func(*bearward.Issuer) {}, map[string]any{"exp": now.Unix() - 59}, ""},
		"leeway at its end":  {func(*bearward.Issuer) {}, map[string]any{"exp": now.Unix() - 60}, validate.ErrExpired},
		"leeway off":         {func(i *bearward.Issuer) { i.Leeway = -1 }, map[string]any{"exp": now.Unix()}, validate.ErrExpired},
		"longer leeway":      {func(i *bearward.Issuer) { i.Leeway = 300 * time.Second }, map[string]any{"exp": now.Unix() - 299}, ""},
		"lifetime":           {func(i *bearward.Issuer) { i.MaxLifetime = time.Minute }, nil, validate.ErrLifetimeTooLong},
		"algorithms":         {func(i *bearward.Issuer) { i.Algorithms = []string{"RS256"} }, nil, validate.ErrAlgorithmRefused},
		"strict by default":  {func(*bearward.Issuer) {}, map[string]any{"jti": nil}, validate.ErrClaimMissing},
		"compat":             {func(i *bearward.Issuer) { i.Profile = validate.Compat }, map[string]any{"jti": nil}, ""},
		"scope claim, right": {func(i *bearward.Issuer) { i.ScopeClaim = validate.ScopeClaim{Name: "scp", Array: true} }, map[string]any{"scp": []string{"a"}}, ""},
		"scope claim, wrong": {func(i *bearward.Issuer) { i.ScopeClaim = validate.ScopeClaim{Name: "scp", Array: true} }, map[string]any{"scp": "a"}, validate.ErrClaimsInvalid},
	} {
		i := bearward.Issuer{URL: s.URL(), Keys: static(t, s)}
		c.change(&i)
		g := newGuard(t, bearward.Config{Resource: api, Issuers: []bearward.Issuer{i}, Clock: clock})
		if d := decide(t, g, mint(t, s, c.claims)); c.code == "" && !d.Allowed || c.code != "" && validate.CodeOf(d.Err) != c.code {
			t.Errorf("%s: %v, want %q", name, d.Err, c.code)
		}
	}
}
