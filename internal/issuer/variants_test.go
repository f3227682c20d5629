package issuer_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/bearward/bearward/internal/issuer"
	"github.com/bearward/bearward/validate"
)

// TestVariants judges every kind of token by the strict rules, for every shape
// of signature.
func TestVariants(t *testing.T) {
	for _, alg := range []string{"ES256", "ES384", "RS256", "Ed25519"} {
		t.Run(alg, func(t *testing.T) {
			s := start(t, issuer.Config{Algorithms: []string{alg}, Now: fixedTime})
			judge := verifier(t, s, start2030)
			for _, v := range issuer.Variants() {
				token, err := s.Mint(v.Name, s.Claims("alice"))
				must(t, err)
				got, err := judge.Verify(t.Context(), token)
				if want := alone(v); want != "" {
					if err == nil || validate.CodeOf(err) != want {
						t.Errorf("%s: %v, want %s", v.Name, err, want)
					}
				} else if err != nil || got.Subject == "" || got.Subject == "admin" {
					t.Errorf("%s: %+v, %v", v.Name, got, err)
				}
			}
		})
	}
}

// alone is the code of a verifier that does not see the request.
func alone(v issuer.Variant) validate.Code {
	switch code := validate.Code(v.Code); code {
	case validate.ErrConfirmationUnproven, validate.ErrCertificateMissing:
		return "" // the proof is the request's matter
	case validate.ErrRequestMalformed, validate.ErrTokenRepeated:
		return validate.ErrTokenMalformed
	default:
		return code
	}
}

func TestVariantTable(t *testing.T) {
	name := regexp.MustCompile(`^[a-z0-9]+([-_][a-z0-9]+)*$`)
	_, codes := validate.Codes()
	seen := map[string]bool{}
	for _, v := range issuer.Variants() {
		if seen[v.Name] || !name.MatchString(v.Name) || v.What == "" {
			t.Errorf("%q is repeated, misspelt or not described", v.Name)
		}
		seen[v.Name] = true
		if _, known := codes[validate.Code(v.Code)]; v.Code != "" && !known {
			t.Errorf("%s: unknown code %q", v.Name, v.Code)
		}
	}
	if first := issuer.Variants()[0]; first.Name != "valid" || first.Code != "" {
		t.Errorf("the first kind is %+v", first)
	}
}

func TestMint(t *testing.T) {
	s := start(t, issuer.Config{Now: fixedTime})
	token, err := s.Mint("", s.Claims("alice"))
	must(t, err)
	if _, err := verifier(t, s, start2030).Verify(t.Context(), token); err != nil {
		t.Error(err)
	}
	if _, err := s.Mint("nonsense", nil); err == nil || !strings.Contains(err.Error(), "alg-none") {
		t.Errorf("%v", err)
	}
	if _, err := s.Mint("", map[string]any{"extra": make(chan int)}); err == nil {
		t.Error("minted what has no JSON")
	}
}

// TestVariantBytes looks at the tokens whose difference a strict reader cannot
// tell from another one.
func TestVariantBytes(t *testing.T) {
	s := start(t, issuer.Config{Now: fixedTime})
	mint := func(kind string) string {
		token, err := s.Mint(kind, s.Claims("alice"))
		must(t, err)
		return token
	}
	for kind, want := range map[string]string{
		"duplicate-claim": `{"sub":"admin","aud":`,
		"trailing-data":   `"sub":"alice"}{}`,
		"bom":             "\ufeff{",
		"invalid-utf8":    "\"extra\":\"\xff\xfe\"",
		"exp-float":       `"exp":1893553745.5`,
		"exp-huge":        `"exp":1e+300`,
		"exp-null":        `"exp":null`,
		"cnf-empty":       `"cnf":{}`,
		"case-claim":      `"SUB":"alice"`,
		"changed-claims":  `"sub":"admin"`,
		"client":          `"sub":"client-1"`,
	} {
		if got := payload(t, mint(kind)); !strings.Contains(got, want) {
			t.Errorf("%s: %s does not contain %s", kind, got, want)
		}
	}
	if got := mint("huge"); len(got) <= validate.MaxToken {
		t.Errorf("huge has %d bytes", len(got))
	}
	if got := mint("deep"); len(got) > validate.MaxToken {
		t.Errorf("deep is too long to be refused for its depth: %d bytes", len(got))
	}
	if got := mint("json-serialisation"); !strings.HasPrefix(got, `{"payload":"`) {
		t.Errorf("json-serialisation: %.60s", got)
	}
}
