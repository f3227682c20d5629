package introspect

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/asn1"
	"encoding/json"
	"errors"
	"io"
	"math/big"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bearward/bearward/internal/jose"
	"github.com/bearward/bearward/validate"
)

func signers(t *testing.T) map[string]crypto.Signer {
	t.Helper()
	rs, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]crypto.Signer{"RS256": rs, "PS256": rs, "ES256": p256, "ES384": p384, "EdDSA": ed}
}

// opened is an assertion whose signature was verified.
func opened(t *testing.T, text, alg string, key crypto.PublicKey) (header, claims map[string]any) {
	t.Helper()
	parts, err := jose.Split(text)
	if err != nil {
		t.Fatal(err)
	}
	signature, err := jose.Decode(parts.Signature)
	if err != nil || jose.Verify(alg, key, []byte(parts.Input), signature) != nil {
		t.Fatalf("%s: the signature does not verify", alg)
	}
	for part, into := range map[string]*map[string]any{parts.Header: &header, parts.Payload: &claims} {
		raw, _ := jose.Decode(part)
		if err := json.Unmarshal(raw, into); err != nil {
			t.Fatal(err)
		}
	}
	return header, claims
}

func TestAssertion(t *testing.T) { // [IN-02]
	now := newClock()
	for alg, key := range signers(t) {
		e, cfg := started(t, says(200, yes))
		cfg.Token.Clock = now.Now
		cfg.Auth = Auth{Method: PrivateKeyJWT, ClientID: "api", Key: key, KeyID: "k1"}
		if alg == "PS256" {
			cfg.Auth.Algorithm, cfg.Auth.Audience, cfg.Auth.KeyID = alg, "https://aud.example", ""
		}
		c := asking(t, cfg)
		if _, f := c.ask(t.Context(), opaque); f != nil {
			t.Fatal(f)
		}
		got := e.last(t)
		if got.form.Get("client_id") != "api" || got.form.Get("client_assertion_type") != assertionType || len(got.form) != 5 {
			t.Errorf("form %v", got.form)
		}
		header, claims := opened(t, got.form.Get("client_assertion"), alg, key.Public())
		wantAud, wantKid := any(e.URL), any("k1")
		if alg == "PS256" {
			wantAud, wantKid = "https://aud.example", nil
		}
		if header["alg"] != alg || header["typ"] != "JWT" || header["kid"] != wantKid {
			t.Errorf("header %v", header)
		}
		if claims["iss"] != "api" || claims["sub"] != "api" || claims["aud"] != wantAud {
			t.Errorf("claims %v", claims)
		}
		if iat := float64(now.Now().Unix()); claims["iat"] != iat || claims["exp"] != iat+assertionLife.Seconds() {
			t.Errorf("claims %v", claims)
		}
		if id, _ := claims["jti"].(string); len(id) < 22 {
			t.Errorf("jti %q has less than 128 bits", id)
		}
	}
}

func TestAssertionIsUsedAgain(t *testing.T) { // [IN-02]
	now := newClock()
	key := signers(t)["EdDSA"]
	a := newAssertions(Auth{ClientID: "api", Key: key}, "https://login.example.com", now.Now)
	first, err := a.get(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	now.add(assertionLife - assertionRenew - time.Second)
	if again, err := a.get(t.Context()); err != nil || again != first {
		t.Errorf("not used again: %v", err)
	}
	now.add(time.Second)
	second, err := a.get(t.Context())
	if err != nil || second == first {
		t.Fatalf("not renewed: %v", err)
	}
	_, old := opened(t, first, "EdDSA", key.Public())
	_, fresh := opened(t, second, "EdDSA", key.Public())
	if old["jti"] == fresh["jti"] {
		t.Error("the renewed assertion has the old jti")
	}
}

// broken is a key whose service fails, or answers nonsense.
type broken struct {
	crypto.Signer
	calls  atomic.Int32
	answer []byte
	err    error
	wait   chan struct{}
}

func (b *broken) Sign(r io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	b.calls.Add(1)
	if b.wait != nil {
		<-b.wait
	}
	if b.err != nil || b.answer != nil {
		return b.answer, b.err
	}
	return b.Signer.Sign(r, digest, opts)
}

func TestAssertionsWithoutAStampede(t *testing.T) { // [IN-02]
	now := newClock()
	key := &broken{Signer: signers(t)["EdDSA"], wait: make(chan struct{})}
	a := newAssertions(Auth{ClientID: "api", Key: key}, "https://login.example.com", now.Now)
	var all sync.WaitGroup
	texts := make([]string, 50)
	for i := range texts {
		all.Go(func() { texts[i], _ = a.get(context.Background()) })
	}
	close(key.wait)
	all.Wait()
	for _, text := range texts {
		if text == "" || text != texts[0] {
			t.Fatal("callers got different assertions")
		}
	}
	if n := key.calls.Load(); n != 1 {
		t.Errorf("%d signatures", n)
	}

	// While one caller waits for the key, the others use what is there.
	key.wait = make(chan struct{})
	now.add(assertionLife - assertionRenew)
	done := make(chan string)
	go func() { text, _ := a.get(context.Background()); done <- text }()
	for key.calls.Load() != 2 {
		<-time.After(time.Millisecond)
	}
	if text, err := a.get(t.Context()); err != nil || text != texts[0] {
		t.Errorf("waited for the renewal: %v", err)
	}
	// When there is nothing to use they wait, but not for ever.
	now.add(assertionRenew)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := a.get(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	close(key.wait)
	if text := <-done; text == texts[0] {
		t.Error("not renewed")
	}
}

func TestKeyThatFails(t *testing.T) { // [IN-02]
	der := func(r, s *big.Int) []byte {
		b, _ := asn1.Marshal(struct{ R, S *big.Int }{r, s})
		return b
	}
	one, long := big.NewInt(1), new(big.Int).Lsh(big.NewInt(1), 256)
	for name, tt := range map[string]struct {
		answer []byte
		err    error
	}{
		"error":    {nil, errors.New("secret reason")},
		"no ASN.1": {[]byte("x"), nil},
		"trailing": {append(der(one, one), 0), nil},
		"zero":     {der(big.NewInt(0), one), nil},
		"negative": {der(one, big.NewInt(-1)), nil},
		"too long": {der(long, one), nil},
	} {
		_, cfg := started(t, says(200, yes))
		cfg.Auth = Auth{Method: PrivateKeyJWT, ClientID: "api", Key: &broken{Signer: signers(t)["ES256"], answer: tt.answer, err: tt.err}}
		_, f := asking(t, cfg).ask(t.Context(), opaque)
		if f == nil || f.code != validate.ErrIntrospectionRefused || !f.counts {
			t.Fatalf("%s: %+v", name, f)
		}
		discreet(t, f)
	}
}

func TestKeyThatFailsToRenew(t *testing.T) {
	now := newClock()
	key := &broken{Signer: signers(t)["EdDSA"]}
	a := newAssertions(Auth{ClientID: "api", Key: key}, "https://login.example.com", now.Now)
	first, err := a.get(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	key.err = errors.New("down")
	now.add(assertionLife - assertionRenew)
	for range 3 {
		if text, err := a.get(t.Context()); err != nil || text != first {
			t.Fatalf("the old assertion was thrown away: %v", err)
		}
	}
	if n := key.calls.Load(); n != 2 {
		t.Errorf("asked the key %d times within %v", n, assertionRetry)
	}
	now.add(assertionRenew - assertionLast)
	if _, err := a.get(t.Context()); !errors.Is(err, errAssertion) {
		t.Errorf("an assertion that expires: %v", err)
	}
	if strings.Contains(describe(errAssertion), "down") {
		t.Error("the key's own words are told")
	}
}
