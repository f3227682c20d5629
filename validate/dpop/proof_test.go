package dpop_test

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/bearward/bearward/internal/jose"
	"github.com/bearward/bearward/internal/prove"
	"github.com/bearward/bearward/validate"
	"github.com/bearward/bearward/validate/dpop"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

const (
	target = "https://api.example.test/orders"
	token  = "opaque-1"
)

func newVerifier(t testing.TB, change ...func(*dpop.Config)) *dpop.Verifier {
	t.Helper()
	c := dpop.Config{Clock: func() time.Time { return noon }}
	for _, f := range change {
		f(&c)
	}
	v, err := dpop.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func newKey(t testing.TB, alg string) *prove.Key {
	t.Helper()
	key, err := prove.NewKey(alg)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func thumbprint(t testing.TB, text string) (sum [32]byte) {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(raw) != len(sum) {
		t.Fatalf("%q: %v", text, err)
	}
	return [32]byte(raw)
}

func presented(t testing.TB, key *prove.Key, values ...string) dpop.Presented {
	return dpop.Presented{
		Values: values, Method: "GET", Target: target, Token: sha256.Sum256([]byte(token)),
		Key: thumbprint(t, key.Thumbprint()), Now: noon,
	}
}

func sign(t testing.TB, key *prove.Key) string {
	t.Helper()
	proof, err := key.Sign(prove.Claims{Method: "GET", URL: target, Token: token, Time: noon})
	if err != nil {
		t.Fatal(err)
	}
	return proof
}

// TestKinds judges every kind of proof, by keys of every algorithm, with and
// without a key that is remembered. [DP-05 DP-06]
func TestKinds(t *testing.T) {
	for _, alg := range []string{"ES256", "Ed25519", "EdDSA", "RS256", "PS256"} {
		key := newKey(t, alg)
		for _, remembered := range []bool{false, true} {
			v := newVerifier(t)
			for _, kind := range prove.Variants() {
				if remembered {
					if _, err := v.Verify(presented(t, key, sign(t, key))); err != nil {
						t.Fatal(alg, err)
					}
				}
				values, err := key.Wrong(kind.Name, prove.Claims{Method: "GET", URL: target, Token: token, Time: noon})
				if err != nil {
					continue // a kind that is about other keys
				}
				_, err = v.Verify(presented(t, key, values...))
				code := validate.Code("")
				if err != nil {
					code = validate.CodeOf(err)
				}
				if want := validate.Code(kind.Code); code != want {
					t.Errorf("%s, %s, remembered %t: %v, want %q", alg, kind.Name, remembered, err, want)
				}
				if err != nil && len(values) > 0 && len(values[0]) > 20 && strings.Contains(err.Error(), values[0][:20]) {
					t.Errorf("%s: the error has the proof: %v", kind.Name, err)
				}
				findings, _, ok := v.Explain(presented(t, key, values...))
				first := slices.IndexFunc(findings, func(f validate.Finding) bool { return f.Status == validate.Failed })
				if ok != (code == "") || first >= 0 && findings[first].Code != code {
					t.Errorf("%s: Explain says %+v", kind.Name, findings)
				}
			}
		}
	}
}

// TestReasons: the log says what is wrong with the form of a proof or its key, where
// one code stands for all of it. [DP-02 DP-03 DP-07 DP-08]
func TestReasons(t *testing.T) {
	key := newKey(t, "ES256")
	for kind, reason := range map[string]error{
		"garbage": jose.ErrParts, "two-parts": jose.ErrParts, "five-parts": jose.ErrParts,
		"whitespace": jose.ErrAlphabet, "padding": jose.ErrAlphabet,
		"jwk-d": jose.ErrPrivateKey, "jwk-alg": jose.ErrKeyAlgorithm, "jwk-other-alg": jose.ErrKeyAlgorithm,
		"jwk-absent": dpop.ErrNoJWK, "jwk-text": dpop.ErrNoJWK,
	} {
		values, err := key.Wrong(kind, prove.Claims{Method: "GET", URL: target, Token: token, Time: noon})
		if err != nil {
			t.Fatal(err)
		}
		if _, err = newVerifier(t).Verify(presented(t, key, values...)); !errors.Is(err, reason) {
			t.Errorf("%s: %v, want %v", kind, err, reason)
		}
	}
}

// TestRules: each has a name of its own, a source, and codes of the table.
func TestRules(t *testing.T) {
	_, table := validate.Codes()
	names := map[string]bool{}
	for _, f := range dpop.NotReached() {
		if names[f.Rule] || f.Rule == "" || f.Source == "" || f.Status != validate.NotReached {
			t.Errorf("%+v", f)
		}
		names[f.Rule] = true
	}
	for _, code := range dpop.Codes() {
		if _, ok := table[code]; !ok {
			t.Errorf("%s is not in the table", code)
		}
	}
}

// TestRemembered: what is remembered of a client saves work and changes no
// answer: another key's proof in the same header does not pass, nor one that
// another Verifier would not allow.
func TestRemembered(t *testing.T) {
	key, v := newKey(t, "ES256"), newVerifier(t)
	first, second := sign(t, key), sign(t, key)
	for range 3 {
		if _, err := v.Verify(presented(t, key, first)); err != nil {
			t.Fatal(err)
		}
	}
	head, _, _ := strings.Cut(first, ".")
	_, rest, _ := strings.Cut(sign(t, newKey(t, "ES256")), ".")
	if _, err := v.Verify(presented(t, key, head+"."+rest)); validate.CodeOf(err) != validate.ErrProofSignatureInvalid {
		t.Errorf("another key's proof under a header that is remembered: %v", err)
	}
	if _, err := v.Verify(presented(t, newKey(t, "ES256"), second)); validate.CodeOf(err) != validate.ErrProofKeyMismatch {
		t.Errorf("a key that is remembered for a token of another key: %v", err)
	}
	other := newVerifier(t, func(c *dpop.Config) { c.Algorithms = []string{"PS256"} })
	if _, err := other.Verify(presented(t, key, second)); validate.CodeOf(err) != validate.ErrProofAlgorithmRefused {
		t.Errorf("an algorithm that is not allowed: %v", err)
	}
}

// TestSpend: the store sees one entry per key, jti, method and target, for as
// long as the proof could pass. [DP-21]
func TestSpend(t *testing.T) {
	key := newKey(t, "ES256")
	for name, c := range map[string]struct {
		change func(*prove.Claims)
		in     func(*dpop.Presented)
		replay bool
	}{
		"the same":       {func(*prove.Claims) {}, func(*dpop.Presented) {}, true},
		"another time":   {func(c *prove.Claims) { c.Time = noon.Add(-time.Second) }, func(*dpop.Presented) {}, true},
		"with a query":   {func(c *prove.Claims) { c.URL += "?a=b" }, func(*dpop.Presented) {}, true},
		"another jti":    {func(c *prove.Claims) { c.ID = "other" }, func(*dpop.Presented) {}, false},
		"another method": {func(c *prove.Claims) { c.Method = "PUT" }, func(p *dpop.Presented) { p.Method = "PUT" }, false},
		"another target": {func(c *prove.Claims) { c.URL += "/1" }, func(p *dpop.Presented) { p.Target += "/1" }, false},
		"shifted":        {func(c *prove.Claims) { c.ID, c.Method = "i", "dGET" }, func(p *dpop.Presented) { p.Method = "dGET" }, false},
	} {
		v := newVerifier(t)
		spend := func(change func(*prove.Claims), in func(*dpop.Presented)) error {
			claims := prove.Claims{Method: "GET", URL: target, Token: token, Time: noon, ID: "id"}
			change(&claims)
			proof, err := key.Sign(claims)
			if err != nil {
				t.Fatal(err)
			}
			p := presented(t, key, proof)
			in(&p)
			right, err := v.Verify(p)
			if err != nil {
				t.Fatal(name, err)
			}
			return v.Spend(t.Context(), &right)
		}
		if err := spend(func(*prove.Claims) {}, func(*dpop.Presented) {}); err != nil {
			t.Fatal(err)
		}
		if err := spend(c.change, c.in); (validate.CodeOf(err) == validate.ErrProofReplayed) != c.replay || err != nil && !c.replay {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestSpendTooLate: a proof that waited until the store may have forgotten an
// earlier use of it does not pass. [DP-21]
func TestSpendTooLate(t *testing.T) {
	now := noon
	key, v := newKey(t, "ES256"), newVerifier(t, func(c *dpop.Config) { c.Clock = func() time.Time { return now } })
	in := presented(t, key, sign(t, key))
	first, err := v.Verify(in)
	if err != nil {
		t.Fatal(err)
	}
	second := first
	if err := v.Spend(t.Context(), &first); err != nil {
		t.Fatal(err)
	}
	now = noon.Add(dpop.DefaultWindow)
	if err := v.Spend(t.Context(), &second); validate.CodeOf(err) != validate.ErrProofReplayed {
		t.Errorf("at the last instant: %v", err)
	}
	now = now.Add(time.Nanosecond)
	if err := v.Spend(t.Context(), &second); validate.CodeOf(err) != validate.ErrProofExpired {
		t.Errorf("after it: %v", err)
	}
}

// TestRFCProofs verifies the proofs of RFC 9449 as they are printed there.
// [DP-14]
func TestRFCProofs(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "vectors", "rfc", "rfc9449.json"))
	if err != nil {
		t.Skip("test vectors are not beside the repository: ../shared/vectors/rfc/rfc9449.json")
	}
	var file struct {
		Proofs []struct {
			Proof   string            `json:"proof"`
			JKT     string            `json:"jkt"`
			Token   *string           `json:"access_token"`
			Request map[string]string `json:"request"`
			ValidAt int64             `json:"valid_at"`
		} `json:"proofs"`
	}
	if err := json.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	passed := 0
	for _, c := range file.Proofs {
		at := time.Unix(c.ValidAt, 0)
		v := newVerifier(t)
		in := dpop.Presented{Values: []string{c.Proof}, Method: c.Request["method"], Key: thumbprint(t, c.JKT), Now: at}
		if in.Target, err = dpop.NormalizeTarget(c.Request["url"]); err != nil {
			t.Fatal(err)
		}
		want := validate.ErrProofClaimMissing // those for the token endpoint have no ath
		if c.Token != nil {
			in.Token, want = sha256.Sum256([]byte(*c.Token)), ""
			passed++
		}
		if _, err := v.Verify(in); (err == nil) != (want == "") || err != nil && validate.CodeOf(err) != want {
			t.Errorf("%s: %v, want %q", c.Request["url"], err, want)
		}
	}
	if passed == 0 {
		t.Error("no proof for a resource")
	}
}

// FuzzProof: whatever stands in the field DPoP, nothing panics, Explain agrees
// with Verify, and only what was signed for this run is right.
func FuzzProof(f *testing.F) {
	key := newKey(f, "Ed25519")
	right := map[string]bool{}
	for _, kind := range prove.Variants() {
		values, err := key.Wrong(kind.Name, prove.Claims{Method: "GET", URL: target, Token: token, Time: noon})
		if err != nil {
			f.Fatal(err)
		}
		joined := strings.Join(values, "\n")
		right[joined] = kind.Code == ""
		f.Add(joined)
	}
	v := newVerifier(f)
	f.Fuzz(func(t *testing.T, value string) {
		in := presented(t, key, strings.Split(value, "\n")...)
		_, err := v.Verify(in)
		if _, _, ok := v.Explain(in); ok != (err == nil) {
			t.Errorf("%q: Verify says %v, Explain %t", value, err, ok)
		}
		if err == nil && !right[value] {
			t.Errorf("%q is accepted", value)
		}
		if err != nil && !slices.Contains(dpop.Codes(), validate.CodeOf(err)) {
			t.Errorf("%q: %v", value, err)
		}
	})
}
