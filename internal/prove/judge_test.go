package prove_test

import (
	"context"
	"crypto/sha256"
	"testing"
	"time"

	"github.com/bearward/bearward/internal/jose"
	"github.com/bearward/bearward/internal/prove"
	"github.com/bearward/bearward/validate"
	"github.com/bearward/bearward/validate/dpop"
)

// nothing is a store that is not asked.
type nothing struct{}

func (nothing) First(context.Context, [32]byte, [32]byte, time.Time) (bool, error) { return false, nil }

// TestVariants judges every kind of proof by the strict rules.
// [DP-01 DP-02 DP-03 DP-04 DP-05 DP-06 DP-07 DP-08 DP-09 DP-10 DP-11 DP-13 DP-14 DP-15 DP-28]
func TestVariants(t *testing.T) {
	for _, alg := range []string{"ES256", "RS256", "PS256", "Ed25519", "EdDSA"} {
		t.Run(alg, func(t *testing.T) { judge(t, newKey(t, alg), target) })
	}
	for _, url := range []string{"http://127.0.0.1:8080/", "http://[::1]", "https://api.example.test/%7Ea//b/"} {
		t.Run(url, func(t *testing.T) { judge(t, newKey(t, ""), url) })
	}
}

func judge(t *testing.T, key *prove.Key, url string) {
	verifier, err := dpop.New(dpop.Config{Replay: nothing{}})
	must(t, err)
	jkt, err := jose.Decode(key.Thumbprint())
	must(t, err)
	normal, err := dpop.NormalizeTarget(url)
	must(t, err)
	c := request
	c.URL = url
	for _, v := range prove.Variants() {
		values, err := key.Wrong(v.Name, c)
		must(t, err)
		_, err = verifier.Verify(dpop.Presented{
			Values: values, Method: c.Method, Target: normal, Token: sha256.Sum256([]byte(c.Token)), Key: [32]byte(jkt), Now: start,
		})
		if v.Code == "" && err != nil || v.Code != "" && (err == nil || validate.CodeOf(err) != validate.Code(v.Code)) {
			t.Errorf("%s: %v, want %q", v.Name, err, v.Code)
		}
	}
}
