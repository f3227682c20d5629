package jwks

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/bearward/bearward/internal/jose"
	"github.com/bearward/bearward/validate"
)

func TestKeysAndAlgorithms(t *testing.T) { // [JO-06 JK-11]
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	jwk := func(kid, alg string, pub crypto.PublicKey) jose.JWK {
		thumbprint, err := jose.Thumbprint(pub)
		if err != nil {
			t.Fatal(err)
		}
		return jose.JWK{ID: kid, Algorithm: alg, Public: pub, Thumbprint: thumbprint}
	}
	keys := []jose.JWK{jwk("any", "", rsaKey.Public()), jwk("one", "PS256", rsaKey.Public()), jwk("any", "", ecKey.Public()), jwk("off", "RS512", rsaKey.Public())}
	set, err := newSet(keys, []string{"RS256", "PS256", "ES256", "ES384"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for at, want := range map[lookup]int{
		{"any", "RS256"}: 1, {"any", "PS256"}: 1, {"any", "ES256"}: 1, {"any", "ES384"}: 0, {"any", "RS512"}: 0,
		{"one", "PS256"}: 1, {"one", "RS256"}: 0, {"off", "RS512"}: 0, {"off", "RS256"}: 0,
		{"", "PS256"}: 2, {"", "RS256"}: 1, {"", "ES384"}: 0, {"ANY", "RS256"}: 0,
	} {
		found := set.find(at.kid, at.alg)
		if len(found) != want || slices.ContainsFunc(found, func(k *validate.Key) bool { return k.Algorithm != at.alg }) {
			t.Errorf("%v: got %v, want %d", at, found, want)
		}
	}
	if _, err := newSet(keys, []string{"ES512"}, nil); !errors.Is(err, errNoFit) {
		t.Errorf("nothing fits: %v", err)
	}
}

func TestStatic(t *testing.T) { // [JK-23]
	pub := private("a").Public()
	s, err := Static(validate.Key{ID: "a", Algorithm: "EdDSA", Public: pub}, validate.Key{Algorithm: "Ed25519", Public: private("b").Public()})
	if err != nil {
		t.Fatal(err)
	}
	has(t, s, "a")
	hasNot(t, s, "b")
	keys, err := s.Keys(t.Context(), "", "Ed25519")
	if err != nil || len(keys) != 2 || !s.Live(keys[0]) || s.Live(&validate.Key{}) || s.Health().Keys != 2 {
		t.Errorf("got %v, %v", keys, err)
	}
	if s.Load(t.Context()) != nil || s.Close() != nil {
		t.Error("Load and Close have nothing to do")
	}
	for name, key := range map[string]validate.Key{
		"no algorithm":     {Public: pub},
		"HS256 and secret": {Algorithm: "HS256", Public: []byte("secret")}, // [JO-04]
		"other type":       {Algorithm: "RS256", Public: pub},              // [JO-06]
		"private":          {Algorithm: "EdDSA", Public: private("a")},
		"nothing":          {},
		"no point":         {Algorithm: "ES256", Public: &ecdsa.PublicKey{Curve: elliptic.P256()}},
	} {
		if _, err := Static(validate.Key{Algorithm: "EdDSA", Public: pub}, key); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := Static(); !errors.Is(err, jose.ErrEmptySet) {
		t.Errorf("no keys: %v", err)
	}
}

func TestStaticSet(t *testing.T) { // [JK-23]
	s, err := StaticSet(setOf("a", "b"), nil)
	if err != nil {
		t.Fatal(err)
	}
	has(t, s, "a", "b")
	for name, tt := range map[string]struct {
		doc  string
		algs []string
		want error
	}{
		"garbage":      {"x", nil, jose.ErrSet},
		"empty":        {`{"keys":[]}`, nil, jose.ErrEmptySet},
		"private":      {`{"keys":[` + jwkOf("a", "a", "") + `,` + jwkOf("b", "b", `,"d":"AA"`) + `]}`, nil, jose.ErrPrivateKey}, // [JK-09]
		"nothing fits": {setOf("a"), []string{"RS256"}, errNoFit},
	} {
		if _, err := StaticSet(tt.doc, tt.algs); !errors.Is(err, tt.want) {
			t.Errorf("%s: got %v, want %v", name, err, tt.want)
		}
	}
	if _, err := StaticSet(setOf("a"), []string{"HS256"}); err == nil { // [JO-04]
		t.Error("HS256 was allowed")
	}
}

// A key that is said to be another tenant's is another key: verdicts made with
// the former one end.
func TestKeysIssuer(t *testing.T) { // [JK-22]
	const one, two = "https://login.example.com/{tenantid}/v2.0", "https://login.example.com/a/v2.0"
	u := &upstream{body: `{"keys":[` + jwkOf("a", "a", `,"issuer":"`+one+`"`) + `,` + jwkOf("b", "b", "") + `,` + jwkOf("c", "c", `,"issuer":1`) + `]}`}
	s, _ := remote(t, u, Config{})
	key := func(kid string) *validate.Key {
		t.Helper()
		has(t, s, kid)
		keys, err := s.Keys(t.Context(), kid, "Ed25519")
		if err != nil || len(keys) != 1 {
			t.Fatalf("%s: %v, %v", kid, keys, err)
		}
		return keys[0]
	}
	a, b := key("a"), key("b")
	if a.Issuer != one || b.Issuer != "" {
		t.Errorf("got %q and %q", a.Issuer, b.Issuer)
	}
	hasNot(t, s, "c") // malformed, and alone in that
	refetch := func() {
		t.Helper()
		next, err := s.fetch()
		if err != nil {
			t.Fatal(err)
		}
		s.state.Store(next)
	}
	refetch()
	if key("a") != a || key("b") != b {
		t.Error("an unchanged key is another one")
	}
	u.set(func(u *upstream) { u.body = strings.Replace(u.body, one, two, 1) })
	refetch()
	if moved := key("a"); moved == a || moved.Issuer != two || s.Live(a) || key("b") != b {
		t.Errorf("got %+v", moved)
	}
}

func TestStaticKeysIssuer(t *testing.T) { // [JK-22]
	s, err := Static(validate.Key{ID: "a", Algorithm: "EdDSA", Public: private("a").Public(), Issuer: issuer})
	if err != nil {
		t.Fatal(err)
	}
	if keys, err := s.Keys(t.Context(), "a", "EdDSA"); err != nil || len(keys) != 1 || keys[0].Issuer != issuer {
		t.Errorf("got %v, %v", keys, err)
	}
}
