package jose_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/bearward/bearward/internal/jose"
)

func TestThumbprintVectors(t *testing.T) { // [JO-28]
	var file struct {
		Vectors []struct {
			Source     string         `json:"source"`
			JWK        jsontext.Value `json:"jwk"`
			Hash       string         `json:"hash"`
			Thumbprint string         `json:"thumbprint"`
		} `json:"vectors"`
	}
	vectors(t, "rfc/thumbprints.json", &file)
	checked := 0
	for _, v := range file.Vectors {
		var kty struct {
			Kty string `json:"kty"`
		}
		if err := json.Unmarshal(v.JWK, &kty); err != nil {
			t.Fatal(err)
		}
		if v.Hash != "sha256" || kty.Kty == "oct" { // neither exists here
			continue
		}
		checked++
		key, err := jose.ParseKey(string(v.JWK))
		if err != nil {
			t.Errorf("%s: %v", v.Source, err)
			continue
		}
		if got := jose.Encode(key.Thumbprint[:]); got != v.Thumbprint {
			t.Errorf("%s: got %s, want %s", v.Source, got, v.Thumbprint)
		}
		if again, err := jose.Thumbprint(key.Public); err != nil || again != key.Thumbprint {
			t.Errorf("%s: the key's own thumbprint is another one: %v", v.Source, err)
		}
	}
	if checked < 5 {
		t.Errorf("only %d vectors checked", checked)
	}
}

// The same answers without the vectors: RFC 7638 §3.1, RFC 8037 A.3.
func TestThumbprintKnownAnswers(t *testing.T) { // [JO-28]
	for raw, want := range map[string]string{
		`{"crv":"Ed25519","kty":"OKP","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`:                                                "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
		`{"kty":"EC","x":"l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs","y":"9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA","crv":"P-256"}`: "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I",
		`{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256"}`: "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs",
	} {
		key, err := jose.ParseKey(raw)
		if err != nil {
			t.Fatal(err)
		}
		if got := jose.Encode(key.Thumbprint[:]); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestThumbprintRefuses(t *testing.T) {
	for name, pub := range map[string]any{
		"nil":            nil,
		"nil RSA":        (*rsa.PublicKey)(nil),
		"empty RSA":      &rsa.PublicKey{},
		"nil EC":         (*ecdsa.PublicKey)(nil),
		"EC no curve":    &ecdsa.PublicKey{},
		"EC no point":    &ecdsa.PublicKey{Curve: elliptic.P256()},
		"EC other curve": &ecdsa.PublicKey{Curve: elliptic.P224()},
		"short Ed25519":  ed25519.PublicKey{1},
		"private key":    testKeys().ed,
		"text":           "key",
	} {
		if _, err := jose.Thumbprint(pub); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
