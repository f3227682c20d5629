package validate_test

import (
	"strings"
	"testing"

	"github.com/bearward/bearward/internal/issuer"
	"github.com/bearward/bearward/validate"
)

// FuzzToken feeds any bytes as a token: nothing panics, and nothing passes but
// what the issuer signed.
func FuzzToken(f *testing.F) {
	s, err := issuer.Start(issuer.Config{Now: at(noon)})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = s.Close() })
	good := map[string]bool{}
	for _, v := range issuer.Variants() {
		raw, err := s.Mint(v.Name, s.Claims(""))
		if err != nil {
			f.Fatal(err)
		}
		if len(raw) < 4096 {
			f.Add(raw)
		}
		good[raw] = expected(v) == ""
	}
	j, err := validate.NewJWT(validate.Config{
		Issuer: s.URL(), Audience: []string{api}, Keys: published(s, "ES256"), Clock: at(noon), Profile: validate.Compat,
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		tok, err := j.Verify(t.Context(), raw)
		if (tok == nil) == (err == nil) {
			t.Fatal("neither or both of token and error")
		}
		if err == nil && !signedBy(good, raw) {
			t.Fatalf("accepted: %s", raw)
		}
		if err != nil && validate.CodeOf(err).Class() != validate.BadToken && validate.CodeOf(err) != validate.ErrTokenTooLong {
			t.Fatalf("blames %v", err)
		}
		if _, explained := j.Explain(t.Context(), raw); (explained == nil) != (err != nil) {
			t.Fatal("Explain and Verify disagree")
		}
	})
}

// signedBy reports that raw carries header, claims and signature of a token
// that was minted: ECDSA signatures of the seeds are the only ones there are.
func signedBy(minted map[string]bool, raw string) bool {
	cut := strings.LastIndexByte(raw, '.')
	for known := range minted {
		if i := strings.LastIndexByte(known, '.'); i >= 0 && cut == i && known[:i] == raw[:i] {
			return true
		}
	}
	return false
}

// FuzzClaims signs any payload: whatever the issuer signs is read strictly or
// refused, without a panic.
func FuzzClaims(f *testing.F) {
	s, err := issuer.Start(issuer.Config{Now: at(noon)})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = s.Close() })
	for _, seed := range []string{
		`{"iss":"i","sub":"s","aud":"a","exp":4102444800,"iat":0,"jti":"j","client_id":"c"}`,
		`{"iss":"i","sub":"s","aud":["a"],"exp":4.1e9,"cnf":{"jkt":"x"},"act":{"act":{}}}`,
		`{"iss":"i","iss":"j"}`, `{"aud":[[[]]]}`, `{"scope":["a"],"scp":"b"}`, `[]`, `{}`, `{"exp":1e999}`, "{\"a\":\"\xff\"}", `{"cnf":null}`,
	} {
		f.Add(seed)
	}
	scopes := validate.ScopeClaim{Name: "scp", Array: true}
	j, err := validate.NewJWT(validate.Config{
		Issuer: "i", Audience: []string{"a"}, Keys: trusting{published(s, "ES256").list[0]}, Clock: at(noon), Profile: validate.Compat, ScopeClaim: scopes,
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, payload string) {
		raw, err := s.SignBytes(nil, []byte(payload))
		if err != nil {
			t.Skip()
		}
		tok, err := j.Verify(t.Context(), raw)
		if (tok == nil) == (err == nil) {
			t.Fatal("neither or both of token and error")
		}
		if err != nil {
			return
		}
		if tok.Issuer != "i" || tok.Subject == "" || tok.ExpiresAt.Before(noon.Add(-2*validate.DefaultLeeway)) || !strings.Contains(strings.Join(tok.Audience, "\x00"), "a") {
			t.Fatalf("accepted: %s", payload)
		}
		_, _ = tok.Roles()
		if err := tok.Claims(&map[string]any{}); err != nil {
			t.Fatalf("claims that passed cannot be decoded: %v", err)
		}
	})
}

type trusting = source
