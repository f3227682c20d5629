package forge_test

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bearward/bearward/internal/forge"
	"github.com/bearward/bearward/internal/jose"
	"github.com/bearward/bearward/internal/strictjson"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func draft(t *testing.T, alg string) *forge.Draft {
	t.Helper()
	key, err := forge.NewKey(alg)
	must(t, err)
	return &forge.Draft{
		Header: forge.Members{"alg": alg, "typ": "example"}, Claims: forge.Members{"sub": "alice"},
		Now: time.Unix(1893553445, 0), Key: key,
	}
}

func sign(t *testing.T, d *forge.Draft) string {
	t.Helper()
	jws, err := d.JWS()
	must(t, err)
	return jws
}

// verify returns why the signature of three parts does not verify.
func verify(t *testing.T, d *forge.Draft, jws string) error {
	t.Helper()
	c, err := jose.Split(jws)
	must(t, err)
	signature, err := jose.Decode(c.Signature)
	must(t, err)
	return jose.Verify(d.Key.Algorithm, d.Key.Private.Public(), []byte(c.Input), signature)
}

// text decodes a part, as it is.
func text(t *testing.T, part string) string {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(part)
	must(t, err)
	return string(raw)
}

func TestEveryAlgorithm(t *testing.T) {
	for _, alg := range forge.Algorithms() {
		d := draft(t, alg)
		must(t, verify(t, d, sign(t, d)))
		raw, err := forge.JSON(d.Key.JWK())
		must(t, err)
		read, err := jose.ParseKey(string(raw))
		must(t, err)
		if want, err := jose.Thumbprint(d.Key.Private.Public()); err != nil || read.Thumbprint != want || !jose.Known(alg) || !forge.Known(alg) {
			t.Errorf("%s: %s, %v", alg, raw, err)
		}
	}
	if _, err := forge.NewKey("none"); err == nil || forge.Known("none") {
		t.Error("a key for none")
	}
}

func TestMerge(t *testing.T) {
	d := draft(t, "ES256")
	d.Merge(forge.Members{"typ": nil, "kid": "k"}, forge.Members{"exp": forge.After(time.Minute), "sub": forge.Null, "amr": []string{"pwd"}})
	parts := strings.Split(sign(t, d), ".")
	if diff := cmp.Diff([]string{`{"alg":"ES256","kid":"k"}`, `{"amr":["pwd"],"exp":1893553505,"sub":null}`}, []string{text(t, parts[0]), text(t, parts[1])}); diff != "" {
		t.Error(diff)
	}
	d.Claims["sub"] = func() {}
	if _, err := d.JWS(); err == nil {
		t.Error("signed what has no JSON")
	}
}

// TestEdits: each makes what it says, and signs that.
func TestEdits(t *testing.T) {
	const header, claims = `{"alg":"ES256","typ":"example"}`, `{"sub":"alice"}`
	for name, test := range map[string]struct {
		edit   func(*forge.Draft) error
		header string
		claims string
	}{
		"lower":    {forge.LowerAlgorithm, `{"alg":"es256","typ":"example"}`, claims},
		"repeated": {forge.RepeatedAlgorithm, `{"alg":"none","alg":"ES256","typ":"example"}`, claims},
		"header":   {forge.TrailingHeader, header + "{}", claims},
		"trailing": {forge.Trailing, header, claims + "{}"},
		"mark":     {forge.ByteOrderMark, header, "\ufeff" + claims},
		"array":    {forge.ClaimsArray, header, "[" + claims + "]"},
		"text":     {forge.ClaimsText, header, "not JSON"},
		"UTF-8":    {forge.InvalidUTF8, header, "{\"extra\":\"\xff\xfe\",\"sub\":\"alice\"}"},
		"spelling": {forge.NonCanonical, header, `{"extra":"","sub":"alice"}`},
		"no edit":  {func(*forge.Draft) error { return nil }, header, claims},
		"nested":   {func(d *forge.Draft) error { d.Claims["urn:a"] = forge.Nested(2); return nil }, header, `{"sub":"alice","urn:a":[[1]]}`},
	} {
		d := draft(t, "ES256")
		must(t, test.edit(d))
		jws := sign(t, d)
		must(t, verify(t, d, jws))
		parts := strings.Split(jws, ".")
		if diff := cmp.Diff([]string{test.header, test.claims}, []string{text(t, parts[0]), text(t, parts[1])}); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if _, err := jose.Decode(parts[1]); (err != nil) != (name == "spelling") {
			t.Errorf("%s: %v", name, err)
		}
		if readable := strictjson.Check(text(t, parts[0])) == nil; readable != (name != "repeated" && name != "header") {
			t.Errorf("%s: the header is readable: %t", name, readable)
		}
	}
}

// TestSignatures are those that do not verify.
func TestSignatures(t *testing.T) {
	for name, edit := range map[string]func(*forge.Draft) error{
		"unsigned": forge.Unsigned, "stranger": forge.StrangersKey, "PEM": forge.MacPEM, "JWK": forge.MacJWK,
	} {
		d := draft(t, "ES256")
		must(t, edit(d))
		if jws := sign(t, d); verify(t, d, jws) == nil || strings.HasSuffix(jws, ".") != (name == "unsigned") {
			t.Errorf("%s: %s", name, jws)
		}
	}
	d := draft(t, "ES256")
	jws := sign(t, d)
	at := strings.LastIndexByte(jws, '.') + 1
	if verify(t, d, jws[:at]+forge.Flip(jws[at:])) == nil || forge.Flip("AB") != "BB" || forge.Flip("BB") != "AB" {
		t.Error("a flipped signature verifies")
	}
}
