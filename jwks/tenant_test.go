package jwks

import (
	"testing"

	"github.com/bearward/bearward/internal/jose"
)

// A key keeps the issuer that its set names, and is another key if that
// changes. [JK-22]
func TestKeysOfTenants(t *testing.T) {
	set := func(issuer string, prev *keySet) *keySet {
		more := `,"issuer":"` + issuer + `"`
		if issuer == "" {
			more = ""
		}
		keys, _, err := jose.ParseSet(`{"keys":[`+jwkOf("k", "k", more)+`]}`, 10)
		if err != nil {
			t.Fatal(err)
		}
		s, err := newSet(keys, []string{"Ed25519"}, prev)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	const template = "https://login.example.com/{tenantid}/v2.0"
	first := set(template, nil)
	key := first.find("k", "Ed25519")[0]
	if key.Issuer != template {
		t.Errorf("%q", key.Issuer)
	}
	if again := set(template, first).find("k", "Ed25519")[0]; again != key {
		t.Error("the same key is another one")
	}
	for _, other := range []string{"", "https://login.example.com/other/v2.0"} {
		if k := set(other, first).find("k", "Ed25519")[0]; k == key || k.Issuer != other {
			t.Errorf("%q: %q", other, k.Issuer)
		}
	}
	if _, err := jose.ParseKey(jwkOf("k", "k", `,"issuer":1`)); err == nil {
		t.Error("issuer is a number")
	}
}
