package prove_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"go.uber.org/goleak"

	"github.com/bearward/bearward/internal/jose"
	"github.com/bearward/bearward/internal/prove"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var algorithms = []string{"ES256", "ES384", "ES512", "RS256", "PS256", "Ed25519", "EdDSA"}

const target = "https://api.example.test/orders/list"

var start = time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)

// request is what the proofs of these tests are for.
var request = prove.Claims{Method: "GET", URL: target, Token: "the.access.token", Time: start}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func newKey(t testing.TB, alg string) *prove.Key {
	t.Helper()
	key, err := prove.NewKey(alg)
	must(t, err)
	return key
}

// open returns the parts of a proof, decoded.
func open(t *testing.T, proof string) (header, claims map[string]any) {
	t.Helper()
	header, claims, err := decoded(proof)
	must(t, err)
	return header, claims
}

func decoded(proof string) (header, claims map[string]any, err error) {
	parts := strings.Split(proof, ".")
	if len(parts) != 3 {
		return nil, nil, fmt.Errorf("%d parts", len(parts))
	}
	for i, into := range []*map[string]any{&header, &claims} {
		raw, err := base64.RawURLEncoding.Strict().DecodeString(parts[i])
		if err == nil {
			err = json.Unmarshal(raw, into)
		}
		if err != nil {
			return nil, nil, err
		}
	}
	return header, claims, nil
}

// verify checks the signature with the key in the header.
func verify(t *testing.T, proof string) jose.JWK {
	t.Helper()
	header, _ := open(t, proof)
	raw, err := json.Marshal(header["jwk"])
	must(t, err)
	key, err := jose.ParseKey(string(raw))
	must(t, err)
	c, err := jose.Split(proof)
	must(t, err)
	signature, err := jose.Decode(c.Signature)
	must(t, err)
	must(t, jose.Verify(header["alg"].(string), key.Public, []byte(c.Input), signature))
	return key
}
