package prove_test

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/bearward/bearward/internal/jose"
	"github.com/bearward/bearward/internal/prove"
	"github.com/bearward/bearward/validate"
)

func TestVariantTable(t *testing.T) {
	name := regexp.MustCompile(`^[a-z0-9]+([-_+][a-z0-9]+)*$`)
	_, codes := validate.Codes()
	seen := map[string]bool{}
	for _, v := range prove.Variants() {
		if seen[v.Name] || !name.MatchString(v.Name) || v.What == "" {
			t.Errorf("%q is repeated, misspelt or not described", v.Name)
		}
		seen[v.Name] = true
		if _, known := codes[validate.Code(v.Code)]; v.Code != "" && !known {
			t.Errorf("%s: unknown code %q", v.Name, v.Code)
		}
	}
	if first := prove.Variants()[0]; first.Name != "valid" || first.Code != "" {
		t.Errorf("the first kind is %+v", first)
	}
}

// wrong returns the one value of a kind.
func wrong(t *testing.T, key *prove.Key, kind string) string {
	t.Helper()
	values, err := key.Wrong(kind, request)
	must(t, err)
	if len(values) != 1 {
		t.Fatalf("%s: %d values", kind, len(values))
	}
	return values[0]
}

// TestVariantClaims: what a strict reader cannot tell from another difference.
func TestVariantClaims(t *testing.T) {
	key, sum := newKey(t, ""), sha256.Sum256([]byte(request.Token))
	digest := sum[:]
	for kind, want := range map[string]map[string]any{
		"htm-case":          {"htm": "get"},
		"htm-other":         {"htm": "POST"},
		"case-claim":        {"htm": nil, "HTM": "GET"},
		"htu-relative":      {"htu": "/orders/list"},
		"htu-no-scheme":     {"htu": "//api.example.test/orders/list"},
		"htu-scheme":        {"htu": "http://api.example.test/orders/list"},
		"htu-host":          {"htu": "https://other.example.test/orders/list"},
		"htu-port":          {"htu": "https://api.example.test:444/orders/list"},
		"htu-userinfo":      {"htu": "https://user@api.example.test/orders/list"},
		"htu-path-case":     {"htu": "https://api.example.test/Orders/list"},
		"htu-slash":         {"htu": "https://api.example.test/orders/list/"},
		"htu-double-slash":  {"htu": "https://api.example.test//orders/list"},
		"htu-encoded-slash": {"htu": "https://api.example.test/orders%2Flist"},
		"htu-upper":         {"htu": "HTTPS://API.EXAMPLE.TEST/orders/list"},
		"htu-default-port":  {"htu": "https://api.example.test:443/orders/list"},
		"htu-query":         {"htu": "https://api.example.test/orders/list?a=b/../c"},
		"htu-fragment":      {"htu": "https://api.example.test/orders/list#a"},
		"htu-dots":          {"htu": "https://api.example.test/./x/../orders/list"},
		"htu-encoded":       {"htu": "https://api.example.test/%6Frders/list"},
		"iat-string":        {"iat": "1893553445"},
		"iat-float":         {"iat": 1893553445.5},
		"iat-70s-old":       {"iat": 1893553375.0},
		"iat-11s-ahead":     {"iat": 1893553456.0},
		"ath-hex":           {"ath": hex.EncodeToString(digest)},
		"ath-padded":        {"ath": jose.Encode(digest) + "="},
	} {
		_, claims := open(t, wrong(t, key, kind))
		for name, value := range want {
			if claims[name] != value {
				t.Errorf("%s: %s is %v, want %v", kind, name, claims[name], value)
			}
		}
	}
}

// TestVariantIDs: proofs of the same kind are not replays of each other.
func TestVariantIDs(t *testing.T) {
	key := newKey(t, "")
	for _, v := range prove.Variants() {
		if v.Code != "" {
			continue
		}
		_, first := open(t, wrong(t, key, v.Name))
		_, second := open(t, wrong(t, key, v.Name))
		if first["jti"] == second["jti"] || len(first["jti"].(string)) > 256 {
			t.Errorf("%s: jti %v", v.Name, first["jti"])
		}
	}
}

// TestVariantsSigned: whoever forgets the one check accepts the rest.
func TestVariantsSigned(t *testing.T) {
	key := newKey(t, "")
	for _, kind := range []string{
		"valid", "typ-jwt", "jwk-described", "other-key", "other-pointers", "htm-case", "htu-host", "ath-other", "iat-hour-old",
		"jti-257", "unknown-claims", "alg-not-allowed", "nonce-number",
	} {
		verify(t, wrong(t, key, kind))
	}
	header, _ := open(t, wrong(t, key, "jwk-d"))
	if jwk := header["jwk"].(map[string]any); jwk["d"] == nil || jwk["x"] != key.JWK()["x"] {
		t.Errorf("%v", jwk)
	}
	header, _ = open(t, wrong(t, key, "jwk-short"))
	if x := header["jwk"].(map[string]any)["x"].(string); len(x) != 42 {
		t.Errorf("x of %d letters", len(x))
	}
	if got := verify(t, wrong(t, key, "other-key")).Thumbprint; jose.Encode(got[:]) == key.Thumbprint() {
		t.Error("other-key is the client's")
	}
}

func TestWrongValues(t *testing.T) {
	key := newKey(t, "")
	for kind, want := range map[string]int{"none": 0, "two": 2, "two-equal": 2, "joined": 1} {
		values, err := key.Wrong(kind, prove.Claims{URL: target, Token: "token", ID: "id-1"})
		must(t, err)
		if len(values) != want {
			t.Errorf("%s: %d values", kind, len(values))
		}
		if equal := len(slices.Compact(slices.Clone(values))) < len(values); equal != (kind == "two-equal") {
			t.Errorf("%s: %q", kind, values)
		}
		if kind == "two" {
			_, first := open(t, values[0])
			_, second := open(t, values[1])
			if first["jti"] != "id-1" || second["jti"] == "id-1" {
				t.Errorf("jti %v and %v", first["jti"], second["jti"])
			}
		}
		if kind == "joined" && strings.Count(values[0], ", ") != 1 {
			t.Error(values[0])
		}
	}
}

func TestWrongRefuses(t *testing.T) {
	key := newKey(t, "")
	for want, call := range map[string]func() ([]string, error){
		"htu-scheme":   func() ([]string, error) { return key.Wrong("nonsense", request) },
		"access token": func() ([]string, error) { return key.Wrong("valid", prove.Claims{URL: target}) },
		"absolute":     func() ([]string, error) { return key.Wrong("two", prove.Claims{URL: "/", Token: "token"}) },
	} {
		if values, err := call(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q, %v, want %q", values, err, want)
		}
	}
}
