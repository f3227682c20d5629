package bearwardtest_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bearward/bearward"
	"github.com/bearward/bearward/adapters/httpauth"
	"github.com/bearward/bearward/bearwardtest"
	"github.com/bearward/bearward/middleware"
	"github.com/bearward/bearward/validate"
	"github.com/bearward/bearward/validate/dpop"
)

// api is a server on loopback behind a guard, which tells why it refuses.
type api struct {
	*httptest.Server

	t     *testing.T
	code  atomic.Value // validate.Code of the last decision
	calls atomic.Int32
}

func (a *api) Observe(_ context.Context, e middleware.Event) {
	a.calls.Add(1)
	a.code.Store(e.Code)
}

// serve starts an API with the issuer's configuration, changed.
func serve(t *testing.T, iss *bearwardtest.Issuer, p middleware.Policy, change func(*bearward.Config)) *api {
	t.Helper()
	a := &api{t: t}
	cfg := iss.Config()
	cfg.Observer = a
	if change != nil {
		change(&cfg)
	}
	a.Server = httptest.NewUnstartedServer(httpauth.Protect(iss.Guard(cfg), p)(orders))
	return a
}

func (a *api) start() *api {
	a.Start()
	a.t.Cleanup(a.Close)
	return a
}

// url is that of the one resource.
func (a *api) url() string { return a.URL + "/orders/list" }

// send returns status and code of a request by a client.
func (a *api) send(client *http.Client, method, body string, header http.Header) (int, validate.Code) {
	a.t.Helper()
	r, err := http.NewRequestWithContext(a.t.Context(), method, a.url()+"?page=2", strings.NewReader(body))
	if err != nil {
		a.t.Fatal(err)
	}
	r.Header = header
	res, err := client.Do(r)
	if err != nil {
		a.t.Fatal(err)
	}
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		a.t.Fatal(err)
	}
	code, _ := a.code.Load().(validate.Code)
	return res.StatusCode, code
}

// get sends a token and a proof as they are.
func (a *api) get(scheme, token string, proof ...string) (int, validate.Code) {
	a.t.Helper()
	return a.send(a.Client(), "GET", "", http.Header{"Authorization": {scheme + " " + token}, "Dpop": proof})
}

// through returns the API's client with another transport.
func (a *api) through(client *bearwardtest.Client, token string) *http.Client {
	return &http.Client{Transport: client.Transport(token, a.Client().Transport)}
}

func TestDPoP(t *testing.T) {
	for _, alg := range []string{"ES256", "PS256", "RS256", "Ed25519", "EdDSA"} {
		iss := bearwardtest.NewIssuer(t)
		a := serve(t, iss, middleware.Scopes("orders:read").WithDPoP(), nil).start()
		client := iss.DPoP(alg)
		for _, token := range []string{client.JWT(bearwardtest.Claims{Scope: "orders:read"}), client.Opaque(bearwardtest.Claims{Scope: "orders:read"})} {
			for _, method := range []string{"GET", "POST"} {
				if status, code := a.send(a.through(client, token), method, "body", nil); status != 200 {
					t.Errorf("%s, %s: %d %s", alg, method, status, code)
				}
			}
			if status, code := a.get("Bearer", token); status != 401 || code != validate.ErrConfirmationUnproven {
				t.Errorf("%s, as Bearer: %d %s", alg, status, code)
			}
		}
	}
}

func TestStolenToken(t *testing.T) {
	iss := bearwardtest.NewIssuer(t)
	a := serve(t, iss, middleware.Policy{}, nil).start()
	victim, thief := iss.DPoP(), iss.DPoP()
	if victim.Thumbprint() == thief.Thumbprint() {
		t.Fatal("two clients have one key")
	}
	token := victim.JWT()
	if status, code := a.send(a.through(thief, token), "GET", "", nil); status != 401 || code != validate.ErrProofKeyMismatch {
		t.Errorf("%d %s", status, code)
	}
	proof := victim.Proof(bearwardtest.Proof{URL: a.url(), Token: token})
	for n, want := range []validate.Code{"", validate.ErrProofReplayed} {
		if status, code := a.get("DPoP", token, proof); (status == 200) != (want == "") || code != want {
			t.Errorf("use %d: %d %s", n+1, status, code)
		}
	}
}

// TestConfirmationOverwritten: a handler that writes into its token changes neither
// what a live answer is held against nor what later requests have to prove.
func TestConfirmationOverwritten(t *testing.T) {
	iss := bearwardtest.NewIssuer(t)
	cfg := iss.Config()
	cfg.DPoP, cfg.PublicURLs = &dpop.Config{}, []string{"https://api.example.test"}
	cfg.Issuers[0].Introspection.Always = true
	guard := iss.Guard(cfg)
	client, stranger := iss.DPoP(), iss.DPoP()
	token := client.JWT()
	send := func(by *bearwardtest.Client) middleware.Decision {
		t.Helper()
		r := request("DPoP " + token)
		url := "https://api.example.test" + r.RawPath
		r.Header.(http.Header)["Dpop"] = []string{by.Proof(bearwardtest.Proof{Method: r.Method, URL: url, Token: token})}
		_, d := guard.Decide(t.Context(), r, middleware.Policy{})
		return d
	}
	for name, c := range map[string]validate.Confirmation{
		"none":       {},
		"a stranger": {KeyThumbprint: stranger.Thumbprint()},
	} {
		d := send(client)
		if !d.Allowed {
			t.Fatalf("%s: %v", name, d.Err)
		}
		d.Token.Confirmation = c
		if d := send(client); !d.Allowed {
			t.Errorf("%s: the client itself: %v", name, d.Err)
		}
		if d := send(stranger); d.Allowed || validate.CodeOf(d.Err) != validate.ErrProofKeyMismatch || d.Denial.Status != 401 || d.Denial.Reason != "INVALID_TOKEN" ||
			!strings.Contains(strings.Join(d.Denial.Header["Www-Authenticate"], " "), `error="invalid_token"`) {
			t.Errorf("%s: a stranger: allowed %t, %v %+v", name, d.Allowed, d.Err, d.Denial)
		}
	}
}

// TestProofByClock: proofs are dated by the issuer's clock unless they say
// otherwise.
func TestProofByClock(t *testing.T) {
	iss := bearwardtest.NewIssuer(t)
	a := serve(t, iss, middleware.Policy{}, nil).start()
	iss.Clock.Set(time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC))
	client := iss.DPoP()
	token := client.JWT()
	sign := func(when time.Time) string {
		return client.Proof(bearwardtest.Proof{URL: a.url(), Token: token, Time: when})
	}
	late := sign(time.Time{})
	iss.Clock.Advance(dpop.DefaultWindow + time.Second)
	for proof, want := range map[string]validate.Code{
		late:                                   validate.ErrProofExpired,
		sign(time.Now()):                       validate.ErrProofExpired,
		sign(iss.Clock.Now().Add(time.Minute)): validate.ErrProofInFuture,
		sign(time.Time{}):                      "",
	} {
		if _, code := a.get("DPoP", token, proof); code != want {
			t.Errorf("%q, want %q", code, want)
		}
	}
}

func TestProofKinds(t *testing.T) {
	iss := bearwardtest.NewIssuer(t)
	a := serve(t, iss, middleware.Policy{}, nil).start()
	client := iss.DPoP()
	for name, token := range map[string]string{"JWT": client.JWT(), "opaque": client.Opaque()} {
		for _, kind := range bearwardtest.ProofKinds() {
			proof := client.WrongProof(kind.Name, bearwardtest.Proof{URL: a.url(), Token: token})
			status, code := a.get("DPoP", token, proof...)
			if code != kind.Code || (status == 200) != (kind.Code == "") || status != 200 && status != 401 {
				t.Errorf("%s, %s: %d %q, want %q", name, kind.Name, status, code, kind.Code)
			}
		}
	}
}

func TestProofKindsTable(t *testing.T) {
	for _, kind := range bearwardtest.ProofKinds() {
		if class := kind.Code.Class(); kind.What == "" || kind.Code != "" && class != validate.BadProof && class != validate.BadToken {
			t.Errorf("%+v", kind)
		}
	}
	if len(bearwardtest.ProofKinds()) < 100 {
		t.Errorf("%d kinds", len(bearwardtest.ProofKinds()))
	}
}

// TestNonceRequired: the client learns the nonce from the first refusal.
func TestNonceRequired(t *testing.T) {
	iss := bearwardtest.NewIssuer(t)
	a := serve(t, iss, middleware.Policy{}, func(c *bearward.Config) { c.DPoP.Nonce = dpop.NonceRequired }).start()
	client := iss.DPoP()
	through := a.through(client, client.JWT())
	for n, calls := range []int32{2, 3, 4} {
		if status, code := a.send(through, "POST", "body", nil); status != 200 || a.calls.Load() != calls {
			t.Errorf("request %d: %d %s, %d calls", n+1, status, code, a.calls.Load())
		}
	}
	iss.Clock.Advance(4 * time.Minute)
	through = a.through(client, client.JWT())
	if status, code := a.send(through, "GET", "", nil); status != 200 {
		t.Errorf("%d %s", status, code)
	}
	foreign := client.Proof(bearwardtest.Proof{URL: a.url(), Token: client.JWT(), Nonce: "foreign"})
	if status, code := a.get("DPoP", client.JWT(), foreign); status != 401 || code == "" {
		t.Errorf("%d %s", status, code)
	}
}

// TestWithoutDPoP: a guard whose configuration says so knows no proofs.
func TestWithoutDPoP(t *testing.T) {
	iss := bearwardtest.NewIssuer(t)
	a := serve(t, iss, middleware.Policy{}, func(c *bearward.Config) { c.DPoP = nil }).start()
	client := iss.DPoP()
	if status, _ := a.send(a.through(client, client.JWT()), "GET", "", nil); status != 401 {
		t.Errorf("%d", status)
	}
}

func TestOwnTransport(t *testing.T) {
	iss := bearwardtest.NewIssuer(t)
	a := serve(t, iss, middleware.Policy{}, nil).start()
	client := iss.DPoP()
	if status, code := a.send(&http.Client{Transport: client.Transport(client.JWT(), nil)}, "GET", "", nil); status != 200 {
		t.Errorf("%d %s", status, code)
	}
}

func TestDPoPMisuse(t *testing.T) {
	for want, misuse := range map[string]func(*bearwardtest.Issuer){
		`"HS256"`:       func(i *bearwardtest.Issuer) { i.DPoP("HS256") },
		"2 config":      func(i *bearwardtest.Issuer) { i.DPoP("ES256", "ES384") },
		"2 configu":     func(i *bearwardtest.Issuer) { i.DPoP().JWT(bearwardtest.Claims{}, bearwardtest.Claims{}) },
		"absolute":      func(i *bearwardtest.Issuer) { i.DPoP().Proof(bearwardtest.Proof{URL: "/orders"}) },
		"access token":  func(i *bearwardtest.Issuer) { i.DPoP().WrongProof("none", bearwardtest.Proof{URL: "https://a.test"}) },
		"kind of proof": func(i *bearwardtest.Issuer) { i.DPoP().WrongProof("nonsense", bearwardtest.Proof{}) },
	} {
		if got := failure(func(tb testing.TB) { misuse(bearwardtest.NewIssuer(tb)) }); !strings.Contains(got, want) {
			t.Errorf("%q does not say %q", got, want)
		}
	}
}
