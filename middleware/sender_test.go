package middleware_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bearward/bearward"
	"github.com/bearward/bearward/internal/prove"
	"github.com/bearward/bearward/middleware"
	"github.com/bearward/bearward/validate"
	"github.com/bearward/bearward/validate/dpop"
	"github.com/bearward/bearward/validate/mtls"
)

const public = "https://api.example.test"

func withDPoP(c *bearward.Config) { c.DPoP, c.PublicURLs = &dpop.Config{}, []string{public} }

func newKey(t *testing.T) *prove.Key {
	t.Helper()
	key, err := prove.NewKey("")
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// proven is GET /orders with a token that is bound to the key and with its
// proof.
func (s *stand) proven(key *prove.Key, change ...func(*prove.Claims)) middleware.Request {
	s.t.Helper()
	token := s.mint("", map[string]any{"scope": "orders:read", "cnf": map[string]any{"jkt": key.Thumbprint()}})
	c := prove.Claims{Method: "GET", URL: public + "/orders", Token: token, Time: noon}
	for _, f := range change {
		f(&c)
	}
	proof, err := key.Sign(c)
	if err != nil {
		s.t.Fatal(err)
	}
	r := request("DPoP " + token)
	r.Header.(http.Header)["Dpop"] = []string{proof}
	return r
}

// TestExplainSpendsNothing: a report judges a proof by every rule, says that it
// was not spent, and leaves it as it is.
func TestExplainSpendsNothing(t *testing.T) {
	s := newStand(t, withDPoP)
	r := s.proven(newKey(t))
	for range 3 {
		report := s.guard.Explain(t.Context(), r, middleware.Policy{})
		i := slices.IndexFunc(report.Rules, func(f validate.Finding) bool { return f.Rule == "replay" })
		if !report.Allowed || i < 0 || report.Rules[i].Found != "not spent" {
			t.Fatalf("%s", report)
		}
	}
	if d := s.decide(r, middleware.Policy{}); !d.Allowed {
		t.Errorf("the report has spent the proof: %v", d.Err)
	}
	if report := s.guard.Explain(t.Context(), r, middleware.Policy{}); !report.Allowed {
		t.Errorf("a report asks the store: %s", report)
	}
}

// TestExplainNamesTheProof: each wrong proof fails at its own rule, what was read
// before a good signature is marked, and neither token nor proof is shown.
func TestExplainNamesTheProof(t *testing.T) {
	s := newStand(t, withDPoP)
	key := newKey(t)
	for _, v := range prove.Variants() {
		token := s.mint("", map[string]any{"cnf": map[string]any{"jkt": key.Thumbprint()}})
		values, err := key.Wrong(v.Name, prove.Claims{Method: "GET", URL: public + "/orders", Token: token, Time: noon})
		if err != nil {
			t.Fatal(err)
		}
		r := request("DPoP " + token)
		r.Header.(http.Header)["Dpop"] = values
		report := s.guard.Explain(t.Context(), r, middleware.Policy{})
		if d := s.decide(r, middleware.Policy{}); d.Allowed != report.Allowed || validate.CodeOf(d.Err) != report.Code && !d.Allowed || report.Code != validate.Code(v.Code) {
			t.Errorf("%s: decided %v, explained %s, want %q", v.Name, d.Err, report, v.Code)
		}
		signed := false
		for _, f := range report.Rules {
			signed = signed || f.Rule == "proof-signature" && f.Status == validate.Passed
		}
		for _, f := range report.Rules {
			if f.Rule == "replay" && (f.Status == validate.Passed) != report.Allowed {
				t.Errorf("%s: %+v", v.Name, f)
			}
			if f.Unverified != (!signed && f.Found != "" && strings.HasPrefix(f.Rule, "proof")) {
				t.Errorf("%s: %+v", v.Name, f)
			}
		}
		text, err := json.Marshal(report)
		if err != nil {
			t.Fatal(err)
		}
		for _, value := range append(values, token) {
			for part := range strings.SplitSeq(value, ".") {
				if len(part) > 40 && strings.Contains(string(text)+report.String(), part[:40]) {
					t.Errorf("%s: the report has a part of token or proof: %s", v.Name, text)
				}
			}
		}
	}
}

// TestExplainUnknownURL names the setting that is missing.
func TestExplainUnknownURL(t *testing.T) {
	s := newStand(t, func(c *bearward.Config) { c.DPoP = &dpop.Config{} })
	report := s.guard.Explain(t.Context(), s.proven(newKey(t)), middleware.Policy{})
	if report.Code != validate.ErrTargetUnknown || report.Status != 500 || !strings.Contains(report.String(), "public_url") {
		t.Errorf("%s", report)
	}
}

// TestOrderOfSenderChecks: the first failure decides, and nothing is spent
// before everything else about the sender holds. [DP-30 ER-21]
func TestOrderOfSenderChecks(t *testing.T) {
	s := newStand(t, withDPoP)
	key, stranger := newKey(t), newKey(t)
	used := s.proven(key)
	if d := s.decide(used, middleware.Policy{}); !d.Allowed {
		t.Fatal(d.Err)
	}
	worse := func(f func(*prove.Claims)) middleware.Request { return s.proven(key, f) }
	byOther := s.proven(stranger, func(c *prove.Claims) { c.Time = noon.Add(-time.Hour) })
	byOther.Header.(http.Header)["Authorization"] = s.proven(key).Header.(http.Header)["Authorization"]
	required := middleware.Policy{}.WithNonce(dpop.NonceRequired)
	for _, c := range []struct {
		name string
		r    middleware.Request
		p    middleware.Policy
		code validate.Code
	}{
		{"method before target", worse(func(c *prove.Claims) { c.Method, c.URL = "PUT", "https://x.example" }), middleware.Policy{}, validate.ErrProofMethodMismatch},
		{"target before token", worse(func(c *prove.Claims) { c.URL, c.Token = "https://x.example", "x" }), middleware.Policy{}, validate.ErrProofTargetMismatch},
		{"token before nonce", worse(func(c *prove.Claims) { c.Token = "x" }), required, validate.ErrProofTokenMismatch},
		{"nonce before time", worse(func(c *prove.Claims) { c.Time = noon.Add(-time.Hour) }), required, validate.ErrNonceMissing},
		{"token before time and key", byOther, middleware.Policy{}, validate.ErrProofTokenMismatch},
		{"replay before scope", used, middleware.Scopes("other"), validate.ErrProofReplayed},
		{"replay before step-up", used, middleware.Policy{}.WithACR("phr"), validate.ErrProofReplayed},
		{"scope after a fresh proof", s.proven(key), middleware.Scopes("other"), validate.ErrScopeMissing},
	} {
		if d := s.decide(c.r, c.p); validate.CodeOf(d.Err) != c.code {
			t.Errorf("%s: %v, want %s", c.name, d.Err, c.code)
		}
	}
}

// store is a replay store that answers as it is told.
type store struct {
	first bool
	err   error
	since time.Time
}

func (s store) First(_ context.Context, _, _ [32]byte, _ time.Time) (bool, error) {
	return s.first, s.err
}

func (s store) Since() time.Time { return s.since }

// TestReplayStoreFails: a store that fails or has forgotten is no pass, and not
// the client's fault. [DP-22]
func TestReplayStoreFails(t *testing.T) {
	for name, c := range map[string]struct {
		store  store
		status int
		code   validate.Code
	}{
		"first":                        {store{first: true}, 200, ""},
		"known":                        {store{}, 401, validate.ErrProofReplayed},
		"down":                         {store{err: errors.New("down")}, 503, validate.ErrReplayUnavailable},
		"down, and says first":         {store{first: true, err: errors.New("down")}, 503, validate.ErrReplayUnavailable},
		"full":                         {store{err: &validate.Error{Code: validate.ErrReplayFull}}, 503, validate.ErrReplayFull},
		"holds all since before":       {store{first: true, since: noon.Add(-10 * time.Second)}, 200, ""},
		"lost its data since then":     {store{first: true, since: noon.Add(-10*time.Second + 1)}, 503, validate.ErrReplayUnavailable},
		"lost its data, and known yet": {store{since: noon}, 401, validate.ErrProofReplayed},
	} {
		s := newStand(t, withDPoP, func(cfg *bearward.Config) { cfg.DPoP.Replay = c.store })
		d := s.decide(s.proven(newKey(t)), middleware.Policy{})
		status := 200
		if !d.Allowed {
			status = d.Denial.Status
		}
		if status != c.status || d.Err != nil && validate.CodeOf(d.Err) != c.code {
			t.Errorf("%s: %d %v, want %d %s", name, status, d.Err, c.status, c.code)
		}
	}
}

// TestPrepareSenders: what a route cannot demand is a fault at once.
func TestPrepareSenders(t *testing.T) {
	without, with := newStand(t).guard, newStand(t, withDPoP).guard
	adaptive := newStand(t, withDPoP, func(c *bearward.Config) { c.DPoP.Nonce = dpop.NonceAdaptive }).guard
	fapi := newStand(t, withDPoP, holdToFAPI).guard
	for _, c := range []struct {
		name string
		g    *middleware.Guard
		p    middleware.Policy
		want string // in the fault; "" for none
	}{
		{"dpop", with, middleware.Policy{}.WithDPoP(), ""},
		{"dpop without DPoP", without, middleware.Policy{}.WithDPoP(), "DPoP to be configured"},
		{"bound without DPoP", without, middleware.Policy{}.WithBinding(middleware.Bound), ""},
		{"mtls without DPoP", without, middleware.Policy{}.WithMTLS(), ""},
		{"nonce without DPoP", without, middleware.Policy{}.WithNonce(dpop.NonceRequired), "DPoP to be configured"},
		{"scheme without DPoP", without, middleware.Policy{Schemes: []string{"dpop"}}, `scheme "dpop" is not offered`},
		{"scheme", with, middleware.Policy{Schemes: []string{"DPOP"}}, ""},
		{"nonce on a route for Bearer", with, middleware.Policy{Schemes: []string{"bearer"}, Nonce: dpop.NonceRequired}, "means nothing"},
		{"dpop on a route for Bearer", with, middleware.Policy{Schemes: []string{"bearer"}, Binding: middleware.DPoP}, "leaves no way"},
		{"raised nonce", adaptive, middleware.Policy{Nonce: dpop.NonceRequired}, ""},
		{"no such binding", with, middleware.Policy{Binding: 9}, "does not exist"},
		{"no such nonce", with, middleware.Policy{Nonce: 9}, "does not exist"},
		{"adaptive in FAPI", fapi, middleware.Policy{Nonce: dpop.NonceAdaptive}, "no part of FAPI"}, // [DP-25]
		{"public with a binding", with, func() middleware.Policy { p := middleware.Public(); p.Binding = middleware.DPoP; return p }(), "public"},
	} {
		_, err := c.g.Prepare(c.p)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

func holdToFAPI(c *bearward.Config) {
	list, err := validate.NewRevocationList(validate.RevocationListConfig{Clock: atNoon})
	if err != nil {
		panic(err)
	}
	c.FAPI, c.Revocation = true, list
}

// TestSenderFaults: what contradicts itself is a fault at start.
func TestSenderFaults(t *testing.T) {
	some := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	header := mtls.Header{Name: "Client-Cert", Format: mtls.RFC9440}
	for want, change := range map[string]func(*bearward.Config){
		"window 1s":            func(c *bearward.Config) { c.DPoP.Window = time.Second },           // [DP-13]
		"window 6m":            func(c *bearward.Config) { c.DPoP.Window = 6 * time.Minute },       // [DP-13]
		"future 2m":            func(c *bearward.Config) { c.DPoP.Future = 2 * time.Minute },       // [DP-13]
		`algorithm "HS256"`:    func(c *bearward.Config) { c.DPoP.Algorithms = []string{"HS256"} }, // [DP-05]
		"no mode of nonces":    func(c *bearward.Config) { c.DPoP.Nonce = 7 },
		"exclude each other":   func(c *bearward.Config) { c.DPoP.NonceKeys, c.DPoP.NonceKeysFile = [][]byte{make([]byte, 32)}, "x" },
		"public URL":           func(c *bearward.Config) { c.PublicURLs = []string{"api.example"} },
		"one of this origin":   func(c *bearward.Config) { c.PublicURLs = []string{"https://a.example", "https://a.example/b"} },
		"no family":            func(c *bearward.Config) { c.Forwarded, c.TrustedProxies = "x", some },
		"and there are none":   func(c *bearward.Config) { c.Forwarded = middleware.XForwarded }, // [DP-12]
		"headers of proxies":   func(c *bearward.Config) { c.ClientCertHeader = header },         // [MT-07]
		"trusted with nothing": func(c *bearward.Config) { c.TrustedProxies = some },
		"::ffff:10.0.0.0/104": func(c *bearward.Config) {
			c.TrustedProxies, c.ClientCertHeader = []netip.Prefix{some[0], netip.MustParsePrefix("::ffff:10.0.0.0/104")}, header
		}, // [MT-07]
		"write IPv4 addresses as such": func(c *bearward.Config) {
			c.TrustedProxies, c.Forwarded = []netip.Prefix{netip.PrefixFrom(netip.MustParseAddr("::ffff:10.0.0.1"), 128)}, middleware.RFC7239
		}, // [DP-12]
		"0.0.0.0/0 are everybody": func(c *bearward.Config) {
			c.TrustedProxies, c.ClientCertHeader = []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0")}, header
		}, // [MT-07]
		"::/0 are everybody": func(c *bearward.Config) {
			c.TrustedProxies, c.Forwarded = []netip.Prefix{some[0], netip.MustParsePrefix("::/0")}, middleware.XForwarded
		}, // [DP-12]
		"no address range": func(c *bearward.Config) { c.TrustedProxies, c.ClientCertHeader = []netip.Prefix{{}}, header },
		"Authorization": func(c *bearward.Config) {
			c.TrustedProxies, c.ClientCertHeader = some, mtls.Header{Name: "authorization", Format: mtls.RFC9440}
		},
		"no part of FAPI 2.0":             func(c *bearward.Config) { holdToFAPI(c); c.DPoP.Nonce = dpop.NonceAdaptive },           // [DP-25]
		"tokens are not revoked":          func(c *bearward.Config) { c.FAPI = true },                                              // [HS-01]
		`"RS256" is none`:                 func(c *bearward.Config) { holdToFAPI(c); c.Issuers[0].Algorithms = []string{"RS256"} }, // [HS-04]
		`dpop: algorithm "RS256" is none`: func(c *bearward.Config) { holdToFAPI(c); c.DPoP.Algorithms = []string{"RS256"} },       // [HS-04]
	} {
		cfg := bearward.Config{
			Resource: api, Issuers: []bearward.Issuer{{URL: "https://issuer.example.test"}}, Logger: slog.New(slog.DiscardHandler), Clock: atNoon,
		}
		withDPoP(&cfg)
		change(&cfg)
		if _, err := bearward.New(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// TestFAPIAlgorithms: the defaults are narrowed, for tokens and proofs. [HS-04]
func TestFAPIAlgorithms(t *testing.T) {
	s := newStand(t, withDPoP, holdToFAPI)
	if d := s.decide(request(), middleware.Policy{}); !strings.Contains(strings.Join(d.Denial.Header["Www-Authenticate"], " "), `algs="PS256 ES256 Ed25519 EdDSA"`) {
		t.Errorf("%q", d.Denial.Header["Www-Authenticate"])
	}
	rsa, err := prove.NewKey("RS256")
	if err != nil {
		t.Fatal(err)
	}
	if d := s.decide(s.proven(rsa), middleware.Policy{}); validate.CodeOf(d.Err) != validate.ErrProofAlgorithmRefused {
		t.Error(d.Err)
	}
}

// TestReplayHealth: a program can see how full the store is.
func TestReplayHealth(t *testing.T) {
	s := newStand(t, withDPoP)
	if d := s.decide(s.proven(newKey(t)), middleware.Policy{}); !d.Allowed {
		t.Fatal(d.Err)
	}
	memory, ok := s.guard.Replay().(*dpop.Memory)
	if !ok || memory.Health() != (dpop.MemoryHealth{Entries: 1, Capacity: 4_000_000}) {
		t.Errorf("%v %+v", ok, memory.Health())
	}
	if (&middleware.Guard{}).Replay() != nil || newStand(t).guard.Replay() != nil {
		t.Error("a store without DPoP")
	}
}

// TestMetadataOfSenders: the document says what is accepted and demanded.
// [MD-09 MT-06 DP-18]
func TestMetadataOfSenders(t *testing.T) {
	document := func(g *middleware.Guard) (m map[string]any) {
		_, _, body := g.Metadata(middleware.Request{Method: "GET", RawPath: "/.well-known/oauth-protected-resource"})
		if err := json.Unmarshal(body, &m); err != nil {
			t.Fatal(err)
		}
		return m
	}
	prepare := func(g *middleware.Guard, p middleware.Policy) {
		if _, err := g.Prepare(p); err != nil {
			t.Fatal(err)
		}
	}
	g := newStand(t, withDPoP).guard
	if m := document(g); len(m["dpop_signing_alg_values_supported"].([]any)) != 5 || m["dpop_bound_access_tokens_required"] != nil || m["tls_client_certificate_bound_access_tokens"] != nil {
		t.Errorf("%v", m)
	}
	prepare(g, middleware.Public())
	prepare(g, middleware.Scopes("a").WithDPoP())
	if m := document(g); m["dpop_bound_access_tokens_required"] != true {
		t.Errorf("every route demands DPoP: %v", m)
	}
	prepare(g, middleware.Scopes("b").WithMTLS())
	if m := document(g); m["dpop_bound_access_tokens_required"] != nil || m["tls_client_certificate_bound_access_tokens"] != true {
		t.Errorf("%v", m)
	}
	plain := document(newStand(t).guard)
	for name := range plain {
		if strings.Contains(name, "dpop") || strings.Contains(name, "tls") {
			t.Errorf("%s without DPoP", name)
		}
	}
}

// TestStreamEndsInItsScheme: the refusal that ends a stream is told in the
// scheme that its token came with. [ER-18 TR-19]
func TestStreamEndsInItsScheme(t *testing.T) {
	s := newStand(t, withDPoP)
	r := s.proven(newKey(t))
	_, denial, ok := s.guard.Expiry(r, s.decide(r, middleware.Policy{}))
	if lines := denial.Header["Www-Authenticate"]; !ok || len(lines) != 2 || strings.Contains(lines[0], "error=") || !strings.Contains(lines[1], `error="invalid_token"`) {
		t.Errorf("%q", lines)
	}
}
