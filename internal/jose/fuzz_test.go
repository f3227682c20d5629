package jose_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/bearward/bearward/internal/jose"
)

func FuzzCompact(f *testing.F) {
	for _, seed := range []string{"", "..", "YQ.Yg.Yw", "YQ.Yg.", "YQ==.Yg.Yw", "YQ.Y\ng.Yw", "YR.Yg.Yw", "YQ.YR.Yw", "YQ.Yg.Y", "a.b.c.d.e", `{"payload":"YQ"}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c, err := jose.Split(s)
		o, openErr := jose.Open(s, make([]byte, 3), make([]byte, 3))
		if !errors.Is(openErr, err) {
			t.Fatalf("%q: Split says %v, Open %v", s, err, openErr)
		}
		if err != nil {
			return
		}
		if strings.Join([]string{c.Header, c.Payload, c.Signature}, ".") != s || o.Header != c.Header || o.Input != c.Header+"."+c.Payload {
			t.Fatalf("%q came apart as %+v and %+v", s, c, o)
		}
		for part, decoded := range map[string]string{c.Payload: o.Payload, c.Signature: string(o.Signature)} {
			want, err := base64.RawURLEncoding.Strict().DecodeString(part)
			if part == c.Payload && (o.PayloadErr == nil) != (err == nil) || err == nil && decoded != string(want) && len(want) <= 1024 {
				t.Fatalf("%q was decoded to %q", part, decoded)
			}
		}
	})
}

// Base64url has one spelling: that of the library, which lets line breaks pass.
func FuzzBase64(f *testing.F) {
	for _, seed := range []string{"", "Y", "YQ", "YR", "YWI", "YWJ", "YWJj", "YWJjZA", "YWJjZGVmZ2g", "YWJjZGVmZ2hp", "YWJjZGVmZ2hpamt\nsbW5v", "-_-_-_-_", "AAAA+/AA"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := jose.Decode(s)
		want, wantErr := base64.RawURLEncoding.Strict().DecodeString(s)
		if strings.ContainsAny(s, "\r\n") {
			wantErr = jose.ErrAlphabet
		}
		if (err == nil) != (wantErr == nil) || err == nil && (!bytes.Equal(got, want) || jose.Encode(got) != s) {
			t.Fatalf("%q: %x, %v, want %x, %v", s, got, err, want, wantErr)
		}
		foreign := strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != ""
		if err != nil && errors.Is(err, jose.ErrAlphabet) != foreign {
			t.Fatalf("%q: %v", s, err)
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
