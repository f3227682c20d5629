package jose_test

import (
	"strings"
	"testing"

	"github.com/bearward/bearward/internal/jose"
)

func FuzzCompact(f *testing.F) {
	for _, seed := range []string{"", "..", "YQ.Yg.Yw", "YQ.Yg.", "YQ==.Yg.Yw", "YQ.Y\ng.Yw", "YR.Yg.Yw", "a.b.c.d.e", `{"payload":"YQ"}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c, err := jose.Split(s)
		if err != nil {
			return
		}
		if strings.Join([]string{c.Header, c.Payload, c.Signature}, ".") != s {
			t.Fatalf("%q came apart as %+v", s, c)
		}
		for _, part := range []string{c.Header, c.Payload, c.Signature} {
			if b, err := jose.Decode(part); err == nil && jose.Encode(b) != part {
				t.Fatalf("%q has a second spelling", part)
			}
		}
	})
}

func FuzzHeader(f *testing.F) {
	for _, seed := range []string{
		``, `{}`, `{"alg":"RS256","typ":"at+jwt","kid":"a"}`, `{"alg":"none","alg":"RS256"}`, `{"kid":1}`,
		`{"crit":[]}`, `{"b64":false}`, `{"alg":"RS256"}{}`, "{\"alg\":\"\xff\"}", `{"a":[[[[[[]]]]]]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		h, err := jose.ParseHeader(jose.Encode(raw))
		if err != nil && h != (jose.Header{}) {
			t.Fatalf("an error and a header: %+v", h)
		}
		if len(h.KeyID) > jose.MaxKeyID {
			t.Fatal("kid too long")
		}
	})
}

func FuzzJWKS(f *testing.F) {
	k := testKeys()
	for _, seed := range []string{
		``, `{}`, `{"keys":[]}`, `{"keys":null}`, `{"keys":[null,1,"",{},[]]}`, `{"keys":[{"kty":"AKP"}],"keys":[]}`,
		`{"keys":[{"kty":"oct","k":"AAAA"}]}`, `{"keys":[{"kty":"OKP","crv":"Ed25519","x":"AA","d":"AA"}]}`,
		`{"keys":[` + edJWK(k.ed.Public(), `,"alg":"EdDSA","kid":"a"`) + `]}`,
		`{"keys":[{"kty":"EC","crv":"P-256","x":"l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs","y":"9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA"}]}`,
		`{"keys":[` + rsaJWK(number(2048), `,"x5c":["AAAA"]`) + `]}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, doc string) {
		keys, skipped, err := jose.ParseSet(doc, 5)
		if err == nil && len(keys) == 0 || err != nil && len(keys) != 0 {
			t.Fatalf("%d keys and %v", len(keys), err)
		}
		if len(keys)+len(skipped) > 5 {
			t.Fatal("too many keys")
		}
		for _, key := range keys {
			thumbprint, err := jose.Thumbprint(key.Public)
			if err != nil || thumbprint != key.Thumbprint {
				t.Fatalf("thumbprint: %v", err)
			}
			if key.Algorithm != "" && jose.Fits(key.Algorithm, key.Public) != nil {
				t.Fatal("alg does not fit")
			}
		}
	})
}
