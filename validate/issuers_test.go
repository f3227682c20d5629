package validate_test

import (
	"context"
	"errors"
	"testing"

	"github.com/bearward/bearward/validate"
)

func router(t *testing.T, verifiers map[string]validate.Verifier) *validate.Issuers {
	t.Helper()
	var leaves []validate.Leaf
	for url, v := range verifiers {
		leaves = append(leaves, validate.Leaf{Issuer: url, JWT: v})
	}
	i, err := validate.NewIssuers(leaves...)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// A token is judged with the keys of its own issuer and no other; an unknown
// issuer asks nobody. [CL-07 CL-08]
func TestRouting(t *testing.T) {
	a, b, stranger := mint(t, "ES256"), mint(t, "ES256"), mint(t, "ES256")
	ka, kb := published(a, "ES256"), published(b, "ES256")
	i := router(t, map[string]validate.Verifier{
		a.URL(): verifier(t, a, func(c *validate.Config) { c.Keys = ka }),
		b.URL(): verifier(t, b, func(c *validate.Config) { c.Keys = kb }),
	})
	tok, err := i.Verify(t.Context(), token(t, b, nil, nil))
	wantCode(t, err, "")
	if tok.Issuer != b.URL() || ka.asked != 0 || kb.asked != 1 {
		t.Fatalf("issuer %s, asked %d and %d", tok.Issuer, ka.asked, kb.asked)
	}
	_, err = i.Verify(t.Context(), token(t, b, nil, map[string]any{"iss": a.URL()}))
	wantCode(t, err, validate.ErrSignatureInvalid) // both call their first key es256-1
	var refusal *validate.Error
	if !errors.As(err, &refusal) || refusal.Issuer != a.URL() {
		t.Errorf("the refusal names issuer %q", refusal.Issuer)
	}
	asked := ka.asked + kb.asked
	for _, iss := range []any{stranger.URL(), a.URL() + "/", "", nil} {
		want := validate.ErrIssuerUnknown
		if iss == nil || iss == "" {
			want = validate.ErrClaimMissing
		}
		_, err = i.Verify(t.Context(), token(t, stranger, nil, map[string]any{"iss": iss}))
		wantCode(t, err, want)
	}
	if ka.asked+kb.asked != asked {
		t.Error("a key source was asked for an unknown issuer")
	}
}

func TestOnlySomeIssuers(t *testing.T) {
	a, b := mint(t, "ES256"), mint(t, "ES256")
	kb := published(b, "ES256")
	all := router(t, map[string]validate.Verifier{
		a.URL(): verifier(t, a, nil),
		b.URL(): verifier(t, b, func(c *validate.Config) { c.Keys = kb }),
	})
	only, err := all.Only(a.URL())
	if err != nil {
		t.Fatal(err)
	}
	_, err = only.Verify(t.Context(), token(t, a, nil, nil))
	wantCode(t, err, "")
	_, err = only.Verify(t.Context(), token(t, b, nil, nil))
	wantCode(t, err, validate.ErrIssuerRefused)
	findings, tok := only.Explain(t.Context(), token(t, b, nil, nil))
	if tok != nil || findings[len(findings)-1].Code != validate.ErrIssuerRefused {
		t.Errorf("explained as %+v", findings[len(findings)-1])
	}
	if kb.asked != 0 {
		t.Error("keys of a refused issuer were asked for")
	}
	if _, err := all.Only("https://other.example.test"); err == nil {
		t.Error("an issuer that is not configured can be chosen")
	}
	if _, err := only.Only(b.URL()); err == nil {
		t.Error("a narrowed router can be widened")
	}
}

func TestRouterFaults(t *testing.T) {
	if _, err := validate.NewIssuers(); err == nil {
		t.Error("no issuer is accepted")
	}
	if _, err := validate.NewIssuers(validate.Leaf{}, validate.Leaf{Issuer: "a"}); err == nil {
		t.Error("an issuer without verifier is accepted")
	}
}

// A verifier that is not ours is believed only about its own issuer.
func TestForeignVerifier(t *testing.T) {
	s := mint(t, "ES256")
	raw := token(t, s, nil, nil)
	down := errors.New("down")
	for _, c := range []struct {
		name  string
		token *validate.Token
		err   error
		want  validate.Code
	}{
		{"token", &validate.Token{Issuer: s.URL()}, nil, ""},
		{"nothing", nil, nil, validate.ErrInternal},
		{"another issuer's token", &validate.Token{Issuer: "https://other.example.test"}, nil, validate.ErrInternal},
		{"refusal", nil, validate.ErrExpired, validate.ErrExpired},
		{"uncoded error", nil, down, validate.ErrInternal},
	} {
		t.Run(c.name, func(t *testing.T) {
			i := router(t, map[string]validate.Verifier{
				s.URL(): validate.VerifierFunc(func(context.Context, string) (*validate.Token, error) { return c.token, c.err }),
			})
			_, err := i.Verify(t.Context(), raw)
			if validate.CodeOf(err) != c.want && c.want != "" || (c.want == "") != (err == nil) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			findings, tok := i.Explain(t.Context(), raw)
			last := findings[len(findings)-1]
			if (tok != nil) != (c.want == "") || last.Code != c.want {
				t.Errorf("explained as %+v", last)
			}
		})
	}
}

// With one issuer, the report of a token of another one shows the difference,
// and the issuer's keys are left alone.
func TestExplainUnknownIssuer(t *testing.T) {
	s := mint(t, "ES256")
	k := published(s, "ES256")
	i := router(t, map[string]validate.Verifier{s.URL(): verifier(t, s, func(c *validate.Config) { c.Keys = k })})
	findings, tok := i.Explain(t.Context(), token(t, s, nil, map[string]any{"iss": s.URL() + "/"}))
	if tok != nil || k.asked != 0 {
		t.Fatal("token or keys were touched")
	}
	for _, f := range findings {
		if f.Rule != "issuer" {
			continue
		}
		if f.Status != validate.Failed || f.Expected != s.URL() || f.Found != s.URL()+"/" || !f.Unverified ||
			f.Fix != "configured issuer and iss differ only in the final slash; copy iss exactly" {
			t.Errorf("%+v", f)
		}
		return
	}
	t.Error("no finding about the issuer")
}
