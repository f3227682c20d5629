package jose_test

import (
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"math/big"
	"strings"
	"testing"

	"github.com/bearward/bearward/internal/jose"
	"github.com/bearward/bearward/internal/strictjson"
)

func TestParseKey(t *testing.T) {
	k := testKeys()
	tests := map[string]struct {
		raw, alg string
	}{
		"RSA without alg":         {raw: rsaJWK(number(2048), `,"kid":"a"`)},
		"largest RSA":             {raw: rsaJWK(number(8192), `,"kid":"a"`)},
		"largest exponent":        {raw: `{"kty":"RSA","kid":"a","n":"` + number(2048) + `","e":"` + number(32) + `"}`},
		"RSA with alg":            {raw: rsaJWK(number(2048), `,"kid":"a","alg":"PS256","use":"sig"`), alg: "PS256"},
		"P-256":                   {raw: ecJWK(t, &k.p256.PublicKey, `,"kid":"a","alg":"ES256"`), alg: "ES256"},
		"P-384":                   {raw: ecJWK(t, &k.p384.PublicKey, `,"kid":"a","key_ops":["sign","verify"]`)},
		"P-521":                   {raw: ecJWK(t, &k.p521.PublicKey, `,"kid":"a"`)},
		"EdDSA is Ed25519":        {raw: edJWK(k.ed.Public(), `,"kid":"a","alg":"EdDSA"`), alg: "Ed25519"},
		"unknown members ignored": {raw: edJWK(k.ed.Public(), `,"kid":"a","x5u":"http://127.0.0.1/","ext":true,"D":1`)}, // [JK-10]
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			key, err := jose.ParseKey(tt.raw)
			if err != nil {
				t.Fatal(err)
			}
			if key.ID != "a" || key.Algorithm != tt.alg || key.Public == nil || key.Thumbprint == [32]byte{} {
				t.Errorf("got %+v", key)
			}
		})
	}
}

func TestParseKeyKeepsTheKey(t *testing.T) {
	k := testKeys()
	key, err := jose.ParseKey(ecJWK(t, &k.p384.PublicKey, ""))
	if err != nil || !k.p384.PublicKey.Equal(key.Public) {
		t.Errorf("P-384: %v, %v", key.Public, err)
	}
	key, err = jose.ParseKey(rsaJWK(jose.Encode(k.rsa.N.Bytes()), ""))
	if err != nil || !k.rsa.PublicKey.Equal(key.Public) {
		t.Errorf("RSA: %v, %v", key.Public, err)
	}
}

func TestParseKeyIssuer(t *testing.T) { // [JK-22]
	ed := testKeys().ed.Public()
	const template = "https://login.example.com/{tenantid}/v2.0"
	for more, want := range map[string]string{
		``: "", `,"issuer":""`: "", `,"issuer":"` + template + `"`: template, `,"Issuer":"` + template + `"`: "",
	} {
		if key, err := jose.ParseKey(edJWK(ed, more)); err != nil || key.Issuer != want {
			t.Errorf("%s: got %q, %v", more, key.Issuer, err)
		}
	}
	for _, more := range []string{`,"issuer":null`, `,"issuer":1`, `,"issuer":["` + template + `"]`, `,"issuer":{}`} {
		if key, err := jose.ParseKey(edJWK(ed, more)); !errors.Is(err, strictjson.ErrType) || key.Public != nil {
			t.Errorf("%s: got %v, %v", more, key, err)
		}
	}
}

func TestParseKeyRefuses(t *testing.T) {
	k := testKeys()
	ec, ed, n := &k.p256.PublicKey, k.ed.Public(), number(2048)
	x, y := coordinates(t, ec)
	edX := strings.Split(edJWK(ed, ""), `"`)[11]
	point := func(crv, x, y string) string {
		return `{"kty":"EC","crv":"` + crv + `","x":"` + x + `","y":"` + y + `"}`
	}
	okp := func(crv, x string) string { return `{"kty":"OKP","crv":"` + crv + `","x":"` + x + `"}` }
	exponent := func(e string) string { return `{"kty":"RSA","n":"` + n + `","e":"` + e + `"}` }
	tests := map[string]struct {
		raw  string
		want error
	}{
		"unknown kty":           {`{"kty":"AKP","alg":"ML-DSA-44","pub":"AA"}`, jose.ErrKeyType}, // [JK-08]
		"kty null":              {`{"kty":null}`, strictjson.ErrType},                            // [JK-08]
		"no kty":                {`{"n":"` + n + `","e":"AQAB"}`, jose.ErrKeyType},               // [JK-08]
		"kty is case-sensitive": {`{"kty":"rsa","n":"` + n + `","e":"AQAB"}`, jose.ErrKeyType},
		"no n":                  {`{"kty":"RSA","e":"AQAB"}`, jose.ErrKeyMember},                                     // [JK-08]
		"no e":                  {`{"kty":"RSA","n":"` + n + `"}`, jose.ErrKeyMember},                                // [JK-08]
		"no y":                  {`{"kty":"EC","crv":"P-256","x":"` + x + `"}`, jose.ErrKeyMember},                   // [JK-08]
		"n in upper case":       {`{"kty":"RSA","N":"` + n + `","e":"AQAB"}`, jose.ErrKeyMember},                     // [JO-18]
		"leading zero in n":     {rsaJWK(jose.Encode(append([]byte{0}, k.rsa.N.Bytes()...)), ""), jose.ErrKeyMember}, // [JK-08]
		"not an object":         {`["RSA"]`, strictjson.ErrSyntax},
		"kid is a number":       {edJWK(ed, `,"kid":1`), strictjson.ErrType}, // [JK-08]
		"alg is null":           {edJWK(ed, `,"alg":null`), strictjson.ErrType},
		"kid too long":          {edJWK(ed, `,"kid":"`+strings.Repeat("k", jose.MaxKeyID+1)+`"`), jose.ErrKeyID}, // [JO-23]
		"repeated kty":          {edJWK(ed, `,"kty":"OKP"`), strictjson.ErrSyntax},                               // [JK-10]
		"repeated unknown":      {edJWK(ed, `,"a":1,"a":1`), strictjson.ErrSyntax},                               // [JK-10]
		"repeated deep":         {edJWK(ed, `,"a":{"b":1,"\u0062":1}`), strictjson.ErrSyntax},                    // [JK-10]
		"data after":            {edJWK(ed, "") + "{}", strictjson.ErrSyntax},

		"use enc":                {edJWK(ed, `,"use":"enc"`), jose.ErrKeyUse},                    // [JO-07]
		"use empty":              {edJWK(ed, `,"use":""`), jose.ErrKeyUse},                       // [JO-07]
		"use null":               {edJWK(ed, `,"use":null`), strictjson.ErrType},                 // [JO-07]
		"key_ops encrypt":        {edJWK(ed, `,"key_ops":["encrypt"]`), jose.ErrKeyUse},          // [JO-07]
		"key_ops empty":          {edJWK(ed, `,"key_ops":[]`), jose.ErrKeyUse},                   // [JO-07]
		"key_ops is a string":    {edJWK(ed, `,"key_ops":"verify"`), strictjson.ErrType},         // [JO-07]
		"use sig, key_ops wrong": {edJWK(ed, `,"use":"sig","key_ops":["sign"]`), jose.ErrKeyUse}, // [JO-07]

		"RSA-1024":            {rsaJWK(number(1024), ""), jose.ErrKeyStrength}, // [JO-09]
		"RSA-2047":            {rsaJWK(number(2047), ""), jose.ErrKeyStrength}, // [JO-09]
		"RSA-8193":            {rsaJWK(number(8193), ""), jose.ErrKeyStrength}, // [JO-09]
		"even exponent":       {exponent("AQAA"), jose.ErrKeyStrength},         // [JO-09]
		"exponent 1":          {exponent("AQ"), jose.ErrKeyStrength},           // [JO-09]
		"exponent of 33 bits": {exponent(number(33)), jose.ErrKeyStrength},     // [JO-09]
		// A decoder that keeps the low 64 bits would see 65537.
		"exponent of 9 bytes": {exponent(jose.Encode([]byte{1, 0, 0, 0, 0, 0, 1, 0, 1})), jose.ErrKeyStrength}, // [JO-09]

		"point not on curve":     {point("P-256", x, x), jose.ErrOffCurve},                                                         // [JO-10]
		"point at zero":          {point("P-256", jose.Encode(make([]byte, 32)), jose.Encode(make([]byte, 32))), jose.ErrOffCurve}, // [JO-10]
		"other curve's length":   {point("P-384", x, y), jose.ErrKeyMember},                                                        // [JO-10]
		"secp256k1":              {point("secp256k1", x, y), jose.ErrKeyType},                                                      // [JO-08]
		"curve in lower case":    {point("p-256", x, y), jose.ErrKeyType},                                                          // [JO-08]
		"Ed448":                  {okp("Ed448", number(57*8)), jose.ErrKeyType},                                                    // [JO-11]
		"X25519":                 {okp("X25519", number(256)), jose.ErrKeyType},                                                    // [JO-11]
		"Ed25519 x too short":    {okp("Ed25519", number(31*8)), jose.ErrKeyMember},                                                // [JO-10]
		"Ed25519 x too long":     {okp("Ed25519", number(33*8)), jose.ErrKeyMember},                                                // [JO-10]
		"x padded":               {okp("Ed25519", edX+"="), jose.ErrAlphabet},                                                      // [JO-15]
		"x with line break":      {okp("Ed25519", edX[:4]+`\n`+edX[4:]), jose.ErrAlphabet},                                         // [JO-15]
		"x with standard letter": {okp("Ed25519", "+"+edX[1:]), jose.ErrAlphabet},                                                  // [JO-15]
		"x with stray bits":      {okp("Ed25519", strayBits(edX)), jose.ErrEncoding},                                               // [JO-15]

		"alg of another type":    {edJWK(ed, `,"alg":"RS256"`), jose.ErrKeyAlgorithm},     // [JO-06]
		"alg of another curve":   {ecJWK(t, ec, `,"alg":"ES384"`), jose.ErrKeyAlgorithm},  // [JO-06 JO-08]
		"alg none":               {edJWK(ed, `,"alg":"none"`), jose.ErrKeyAlgorithm},      // [JO-03]
		"alg HS256":              {rsaJWK(n, `,"alg":"HS256"`), jose.ErrKeyAlgorithm},     // [JO-04]
		"alg of encryption":      {rsaJWK(n, `,"alg":"RSA-OAEP"`), jose.ErrKeyAlgorithm},  // [JO-06]
		"alg ESP256 is COSE's":   {ecJWK(t, ec, `,"alg":"ESP256"`), jose.ErrKeyAlgorithm}, // [JO-12]
		"alg empty":              {rsaJWK(n, `,"alg":""`), jose.ErrKeyAlgorithm},          // [JO-06]
		"alg is case-sensitive":  {rsaJWK(n, `,"alg":"rs256"`), jose.ErrKeyAlgorithm},     // [JO-01]
		"private after bad type": {edJWK(ed, `,"kid":1,"d":"AA"`), jose.ErrPrivateKey},    // [JK-09]
		"symmetric":              {`{"kty":"oct","k":"AAAA"}`, jose.ErrPrivateKey},        // [JK-09]
		"private null":           {edJWK(ed, `,"d":null`), jose.ErrPrivateKey},            // [JK-09]
		"private escaped name":   {edJWK(ed, `,"\u0064":"AA"`), jose.ErrPrivateKey},       // [JK-09]
	}
	for _, member := range []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"} {
		tests["private "+member] = struct { // [JK-09]
			raw  string
			want error
		}{rsaJWK(n, `,"`+member+`":"AQAB"`), jose.ErrPrivateKey}
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if key, err := jose.ParseKey(tt.raw); !errors.Is(err, tt.want) || key.Public != nil {
				t.Errorf("got %v, %v, want %v", key, err, tt.want)
			}
		})
	}
}

// strayBits changes the bits of the last letter that no byte has.
func strayBits(s string) string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := len(s) - 1
	return s[:last] + string(letters[strings.IndexByte(letters, s[last])|1])
}

func TestParseKeyCertificate(t *testing.T) { // [JK-19]
	k := testKeys()
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	certificate := func(pub any) string {
		der, err := x509.CreateCertificate(rand.Reader, template, template, pub, k.p256)
		if err != nil {
			t.Fatal(err)
		}
		return base64.StdEncoding.EncodeToString(der)
	}
	same, other := certificate(k.p384.Public()), certificate(k.p256.Public())
	tests := map[string]struct {
		chain string
		want  error
	}{
		"same key":               {`["` + same + `"]`, nil},
		"same key first":         {`["` + same + `","` + other + `"]`, nil},
		"other key":              {`["` + other + `"]`, jose.ErrCertificate},
		"other key first":        {`["` + other + `","` + same + `"]`, jose.ErrCertificate},
		"key of another type":    {`["` + certificate(k.rsa.Public()) + `"]`, jose.ErrCertificate},
		"empty":                  {`[]`, jose.ErrCertificate},
		"not base64":             {`["!"]`, jose.ErrCertificate},
		"no certificate":         {`["AAAA"]`, jose.ErrCertificate},
		"a string, not an array": {`"` + same + `"`, strictjson.ErrType},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := jose.ParseKey(ecJWK(t, &k.p384.PublicKey, `,"x5c":`+tt.chain))
			if !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}
