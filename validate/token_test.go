package validate_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bearward/bearward/internal/facts"
	"github.com/bearward/bearward/validate"
)

// [CL-17 CL-24 CL-25 AZ-11]
func TestTokenFields(t *testing.T) {
	s := mint(t, "ES256")
	raw := token(t, s, nil, map[string]any{
		"aud": []string{"https://other.example.test", api}, "scope": "a b", "acr": "phr", "amr": []string{"pwd", "otp"},
		"auth_time": noon.Add(-time.Minute).Unix(), "nbf": noon.Unix(), "jti": "id-1",
		"groups": []string{"g1"}, "roles": []any{map[string]any{"value": "r1", "display": "R"}, "r2"}, "entitlements": "wrong",
		"act":    map[string]any{"sub": "service", "iss": "i", "client_id": "c", "exp": "means nothing here", "act": map[string]any{"sub": "first"}},
		"nested": map[string]any{"answer": 42},
	})
	tok, err := verifier(t, s, nil).Verify(t.Context(), raw)
	wantCode(t, err, "")
	if diff := cmp.Diff([]any{
		s.URL(), "user-1", "client-1", "id-1",
		[]string{"https://other.example.test", api},
		[]string{"a", "b"},
		"phr",
		[]string{"pwd", "otp"},
		&validate.Actor{Issuer: "i", Subject: "service", ClientID: "c", Actor: &validate.Actor{Subject: "first"}},
	}, []any{tok.Issuer, tok.Subject, tok.ClientID, tok.ID, tok.Audience, tok.Scopes, tok.ACR, tok.AMR, tok.Actor}); diff != "" {
		t.Error(diff)
	}
	if !tok.AuthTime.Equal(noon.Add(-time.Minute)) || !tok.NotBefore.Equal(noon) || tok.ExpiresAt.IsZero() || tok.IssuedAt.IsZero() {
		t.Errorf("times: %v", tok)
	}
	groups, _ := tok.Groups()
	roles, err := tok.Roles()
	if err != nil || strings.Join(groups, " ")+"|"+strings.Join(roles, " ") != "g1|r1 r2" {
		t.Errorf("groups %q, roles %q, %v", groups, roles, err)
	}
	_, err = tok.Entitlements()
	wantCode(t, err, validate.ErrClaimsInvalid)
	var own struct {
		Nested struct{ Answer int }
		Other  string `json:"nESTED"`
	}
	if err := tok.Claims(&own); err != nil || own.Nested.Answer != 0 {
		t.Errorf("names match without case: %+v %v", own, err)
	}
	var exact struct {
		Nested struct {
			Answer int `json:"answer"`
		} `json:"nested"`
	}
	if err := tok.Claims(&exact); err != nil || exact.Nested.Answer != 42 {
		t.Errorf("%+v %v", exact, err)
	}
	if !tok.HasScope("a") || tok.HasScope("A") || tok.HasScope("a b") || tok.HasScope("") {
		t.Error("HasScope")
	}
}

func TestMembers(t *testing.T) {
	s := mint(t, "ES256")
	for _, c := range []struct {
		value any
		ok    bool
	}{{nil, true}, {[]string{}, true}, {"r", false}, {[]any{1}, false}, {[]any{map[string]any{"display": "x"}}, false}, {map[string]any{}, false}, {[]any{nil}, false}} {
		tok, err := verifier(t, s, nil).Verify(t.Context(), token(t, s, nil, map[string]any{"roles": c.value}))
		wantCode(t, err, "")
		if _, err := tok.Roles(); (err == nil) != c.ok {
			t.Errorf("%v: %v", c.value, err)
		}
	}
}

// [CL-17]
func TestClientTokens(t *testing.T) {
	s := mint(t, "ES256")
	for _, c := range []struct {
		claims map[string]any
		want   bool
	}{
		{nil, false},
		{map[string]any{"sub": "client-1"}, true},
		{map[string]any{"idtyp": "app"}, true},
		{map[string]any{"idtyp": "user"}, false},
		{map[string]any{"gty": "client-credentials"}, true},
	} {
		tok, err := verifier(t, s, nil).Verify(t.Context(), token(t, s, nil, c.claims))
		wantCode(t, err, "")
		if tok.IsClient() != c.want {
			t.Errorf("%v: %v", c.claims, tok.IsClient())
		}
	}
}

// TestFewCodes: facts note one of them in a byte.
func TestFewCodes(t *testing.T) {
	if list, _ := validate.Codes(); len(list) > 255 || len(facts.Codes) != len(list) {
		t.Errorf("%d codes, %d known to facts", len(list), len(facts.Codes))
	}
}

// What guards decide from does not share memory with what handlers get.
// [PV-06]
func TestFactsAreCopies(t *testing.T) {
	s := mint(t, "ES256")
	tok, err := verifier(t, s, nil).Verify(t.Context(), token(t, s, nil, map[string]any{"aud": []string{api}, "scope": "a"}))
	wantCode(t, err, "")
	tok.Audience[0], tok.Scopes[0], tok.Subject, tok.ExpiresAt = "changed", "changed", "changed", noon.Add(-time.Hour)
	f := facts.Of(tok)
	if f.Audience[0] != api || f.Scope() != "a" || f.Subject() != "user-1" || !f.Sealed() {
		t.Errorf("%+v", f)
	}
	if err := tok.ValidAt(noon, 0); err != nil {
		t.Error(err)
	}
	if cap(tok.Audience) != len(tok.Audience) {
		t.Error("audience is not clipped")
	}
}

// [CA-02 CL-12 CL-14]
func TestValidAt(t *testing.T) {
	s := mint(t, "ES256")
	tok, err := verifier(t, s, nil).Verify(t.Context(), token(t, s, nil, map[string]any{"nbf": noon.Unix()}))
	wantCode(t, err, "")
	wantCode(t, tok.ValidAt(noon, 0), "")
	wantCode(t, tok.ValidAt(tok.ExpiresAt.Add(-1), 0), "")
	wantCode(t, tok.ValidAt(tok.ExpiresAt, 0), validate.ErrExpired)
	wantCode(t, tok.ValidAt(tok.ExpiresAt.Add(59*time.Second), time.Minute), "")
	wantCode(t, tok.ValidAt(noon.Add(-time.Second), 0), validate.ErrNotYetValid)
	wantCode(t, (&validate.Token{}).ValidAt(noon, 0), validate.ErrClaimMissing)
	wantCode(t, (&validate.Token{ExpiresAt: noon}).ValidAt(noon, 0), validate.ErrExpired)
}

// [PV-01 PV-02 PV-03]
func TestLogValue(t *testing.T) {
	s := mint(t, "ES256")
	raw := token(t, s, nil, map[string]any{"sub": "alice@example.test", "email": "alice@example.test", "act": nil})
	tok, err := verifier(t, s, nil).Verify(t.Context(), raw)
	wantCode(t, err, "")
	var out bytes.Buffer
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "token", tok, "none", (*validate.Token)(nil))
	for _, part := range append(strings.Split(raw, "."), "alice") {
		if strings.Contains(out.String(), part) {
			t.Errorf("the log contains %q: %s", part, out.String())
		}
	}
	if !strings.Contains(out.String(), tok.SubjectHash()) || (&validate.Token{}).SubjectHash() != "" {
		t.Error("subject hash")
	}
	if (&validate.Token{}).Claims(&struct{}{}) == nil {
		t.Error("claims of a token without claims")
	}
	if r, err := (&validate.Token{}).Roles(); r != nil || err != nil {
		t.Error("roles of a token without claims")
	}
}

func TestErrors(t *testing.T) {
	cause := errors.New("cause")
	err := fmt.Errorf("outer: %w", &validate.Error{Code: validate.ErrExpired, Claim: "exp", Err: cause})
	if !errors.Is(err, validate.ErrExpired) || errors.Is(err, validate.ErrNotYetValid) || !errors.Is(err, cause) ||
		!errors.Is(err, &validate.Error{Code: validate.ErrExpired}) {
		t.Error("errors.Is")
	}
	if got := err.Error(); got != "outer: token_expired (exp): cause" {
		t.Error(got)
	}
	for _, c := range []struct {
		err  error
		want validate.Code
	}{
		{err, validate.ErrExpired},
		{fmt.Errorf("x: %w", validate.ErrRouteDenied), validate.ErrRouteDenied},
		{cause, validate.ErrInternal},
		{context.Canceled, validate.ErrInternal},
		{nil, validate.ErrInternal},
	} {
		if got := validate.CodeOf(c.err); got != c.want {
			t.Errorf("%v: %s, want %s", c.err, got, c.want)
		}
	}
}

// Every code has a class and a fix; phrases are what RFC 6750 §3 allows, and
// what does not verify looks the same. [ER-15 ER-16 ER-26]
func TestCodes(t *testing.T) {
	names, table := validate.Codes()
	if len(names) != len(table) || len(names) < 40 {
		t.Fatalf("%d names, %d rows", len(names), len(table))
	}
	for code, info := range table {
		if info.Class == 0 || info.Fix == "" || info.Source == "" || code.Class() != info.Class || code.Fix() != info.Fix || code.Phrase() != info.Phrase {
			t.Errorf("%s: %+v", code, info)
		}
		for _, c := range info.Phrase {
			if c < ' ' || c > '~' || c == '"' || c == '\\' {
				t.Errorf("%s: %q in the phrase", code, c)
			}
		}
		challenged := strings.ContainsRune("RTASPU", rune(info.Class))
		if (info.Phrase != "") != challenged {
			t.Errorf("%s: class %c with phrase %q", code, info.Class, info.Phrase)
		}
	}
	same := validate.ErrSignatureInvalid
	for _, code := range []validate.Code{validate.ErrKeyUnknown, validate.ErrKeyAmbiguous} {
		if code.Phrase() != same.Phrase() || code.Class() != same.Class() {
			t.Errorf("%s differs from %s on the wire", code, same)
		}
	}
	if unknown := validate.Code("made_up"); unknown.Class() != validate.Internal || unknown.Phrase() != "" {
		t.Error("an unknown code is not internal")
	}
}
