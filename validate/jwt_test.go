package validate_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bearward/bearward/internal/issuer"
	"github.com/bearward/bearward/validate"
)

// expected is the code that the verifier alone gives; the guard refuses some
// requests before, and bound tokens after.
func expected(v issuer.Variant) validate.Code {
	switch {
	case v.Code == string(validate.ErrConfirmationUnproven), v.Code == string(validate.ErrCertificateMissing):
		return ""
	case v.Code == string(validate.ErrRequestMalformed), v.Code == string(validate.ErrTokenRepeated):
		return validate.ErrTokenMalformed
	}
	return validate.Code(v.Code)
}

// Every kind of wrong token is refused with its own code, and nothing but that
// one thing is wrong with it.
//
// [JO-03 JO-04 JO-12 JO-14 JO-15 JO-16 JO-17 JO-18 JO-19 JO-20 JO-21 JO-22]
// [JO-23 JO-24 JO-27 JO-31 CL-01 CL-03 CL-06 CL-09 CL-10 CL-11 CL-12 CL-14]
// [CL-15 CL-16 CL-18 CL-20 CL-21 CL-22 CL-23 CL-25 TR-04 TR-15 AZ-03]
func TestVariants(t *testing.T) {
	s := mint(t, "ES256")
	j := verifier(t, s, nil)
	for _, v := range issuer.Variants() {
		t.Run(v.Name, func(t *testing.T) {
			raw, err := s.Mint(v.Name, s.Claims(""))
			if err != nil {
				t.Fatal(err)
			}
			tok, err := j.Verify(t.Context(), raw)
			wantCode(t, err, expected(v))
			if (tok == nil) != (err != nil) {
				t.Fatalf("token %v with error %v", tok, err)
			}
			if err != nil && strings.Contains(err.Error(), raw) {
				t.Error("the error contains the token")
			}
			findings, explained := j.Explain(t.Context(), raw)
			if (explained == nil) != (err != nil) {
				t.Error("Explain and Verify disagree")
			}
			first := slices.IndexFunc(findings, func(f validate.Finding) bool { return f.Status == validate.Failed })
			if err != nil && (first < 0 || findings[first].Code != validate.CodeOf(err) || findings[first].Fix == "") {
				t.Errorf("Explain does not name %v first: %+v", err, findings)
			}
			if err == nil && first >= 0 {
				t.Errorf("Explain refuses: %+v", findings[first])
			}
		})
	}
}

// [JO-02 JO-08 JO-11 JO-27]
func TestAlgorithms(t *testing.T) {
	algs := []string{"RS256", "PS256", "ES256", "ES384", "EdDSA"}
	s := mint(t, algs...)
	j := verifier(t, s, func(c *validate.Config) { c.Keys = published(s, algs...) })
	for _, alg := range algs {
		raw := token(t, s, map[string]any{"alg": alg}, nil)
		tok, err := j.Verify(t.Context(), raw)
		wantCode(t, err, "")
		if tok.Subject != "user-1" || tok.KeyID() != s.KeyID(alg) {
			t.Errorf("%s: %+v", alg, tok)
		}
		sig := raw[strings.LastIndexByte(raw, '.')+1:]
		_, err = j.Verify(t.Context(), strings.TrimSuffix(raw, sig)+sig[:len(sig)-4]+"AAAA")
		wantCode(t, err, validate.ErrSignatureInvalid)
	}
}

// A key serves one algorithm only, and only what the issuer allows.
// [JO-01 JO-06 JO-09 JK-11]
func TestAlgorithmAndKeyAreBound(t *testing.T) {
	s := mint(t, "RS256", "PS256", "ES256")
	ps := token(t, s, map[string]any{"alg": "PS256"}, nil)
	t.Run("not allowed", func(t *testing.T) {
		k := published(s, "PS256")
		_, err := verifier(t, s, func(c *validate.Config) {
			c.Algorithms, c.Keys = []string{"RS256"}, k
		}).Verify(t.Context(), ps)
		wantCode(t, err, validate.ErrAlgorithmRefused)
		if k.asked != 0 {
			t.Error("keys were asked for an algorithm that is not allowed")
		}
	})
	t.Run("key of another algorithm", func(t *testing.T) {
		_, err := verifier(t, s, func(c *validate.Config) {
			c.Keys = source{&validate.Key{ID: s.KeyID("PS256"), Algorithm: "RS256", Public: s.Key("PS256")}}
		}).Verify(t.Context(), ps)
		wantCode(t, err, validate.ErrKeyUnknown)
	})
	t.Run("key of another type", func(t *testing.T) {
		_, err := verifier(t, s, func(c *validate.Config) {
			c.Keys = source{&validate.Key{ID: s.KeyID("PS256"), Algorithm: "PS256", Public: s.Key("ES256")}}
		}).Verify(t.Context(), ps)
		wantCode(t, err, validate.ErrKeyUnknown)
	})
	t.Run("key with another kid", func(t *testing.T) {
		_, err := verifier(t, s, func(c *validate.Config) {
			c.Keys = source{&validate.Key{ID: "other", Algorithm: "PS256", Public: s.Key("PS256")}}
		}).Verify(t.Context(), ps)
		wantCode(t, err, validate.ErrKeyUnknown)
	})
	t.Run("no key at all", func(t *testing.T) {
		_, err := verifier(t, s, func(c *validate.Config) { c.Keys = source{nil} }).Verify(t.Context(), ps)
		wantCode(t, err, validate.ErrKeyUnknown)
	})
}

// [CL-12 CL-13 CL-14]
func TestTimesAndLeeway(t *testing.T) {
	s := mint(t, "ES256")
	unix := func(d time.Duration) int64 { return noon.Add(d).Unix() }
	for _, c := range []struct {
		name   string
		leeway time.Duration
		claims map[string]any
		want   validate.Code
	}{
		{"expired inside of leeway", 0, map[string]any{"exp": unix(-59 * time.Second)}, ""},
		{"expired at the end of leeway", 0, map[string]any{"exp": unix(-60 * time.Second)}, validate.ErrExpired},
		{"no leeway", -1, map[string]any{"exp": unix(0)}, validate.ErrExpired},
		{"no leeway, a second left", -1, map[string]any{"exp": unix(time.Second)}, ""},
		{"nbf inside of leeway", 0, map[string]any{"nbf": unix(60 * time.Second)}, ""},
		{"nbf beyond leeway", 0, map[string]any{"nbf": unix(61 * time.Second)}, validate.ErrNotYetValid},
		{"iat beyond leeway", 0, map[string]any{"iat": unix(61 * time.Second)}, validate.ErrIssuedInFuture},
		{"iat beyond smaller leeway", 5 * time.Second, map[string]any{"iat": unix(6 * time.Second)}, validate.ErrIssuedInFuture},
		{"after 2038", 0, map[string]any{"exp": int64(4102444800)}, ""},
		{"year 10000", 0, map[string]any{"exp": int64(253402300800)}, validate.ErrClaimsInvalid},
		{"exponent", 0, map[string]any{"exp": jsontext.Value("4.1024448e9")}, ""},
		{"nbf null", 0, map[string]any{"nbf": jsontext.Value("null")}, validate.ErrClaimsInvalid},
	} {
		t.Run(c.name, func(t *testing.T) {
			j := verifier(t, s, func(v *validate.Config) { v.Leeway = c.leeway })
			_, err := j.Verify(t.Context(), token(t, s, nil, c.claims))
			wantCode(t, err, c.want)
		})
	}
}

// [CL-27]
func TestMaxLifetime(t *testing.T) {
	s := mint(t, "ES256")
	long := token(t, s, nil, map[string]any{"iat": noon.Unix(), "exp": noon.Add(2 * time.Hour).Unix()})
	short := token(t, s, nil, map[string]any{"iat": noon.Unix(), "exp": noon.Add(time.Hour).Unix()})
	undated := token(t, s, map[string]any{"typ": "JWT"}, map[string]any{"iat": nil})
	limit := func(c *validate.Config) { c.MaxLifetime, c.Profile = time.Hour, validate.Compat }
	_, err := verifier(t, s, limit).Verify(t.Context(), long)
	wantCode(t, err, validate.ErrLifetimeTooLong)
	_, err = verifier(t, s, limit).Verify(t.Context(), short)
	wantCode(t, err, "")
	_, err = verifier(t, s, limit).Verify(t.Context(), undated)
	wantCode(t, err, validate.ErrClaimMissing)
}

// source gives one key whatever is asked for.
type source struct{ key *validate.Key }

func (s source) Keys(context.Context, string, string) ([]*validate.Key, error) {
	return []*validate.Key{s.key}, nil
}

func (s source) Live(*validate.Key) bool { return true }

// [JK-12 JK-11]
func TestTokenWithoutKeyID(t *testing.T) {
	s := mint(t, "ES256")
	old := published(s, "ES256").list
	if err := s.Rotate(); err != nil {
		t.Fatal(err)
	}
	both := &keys{list: append(old, published(s, "ES256").list...)}
	raw := token(t, s, map[string]any{"kid": nil}, nil)
	with := func(k validate.KeySource, p validate.Profile) error {
		_, err := verifier(t, s, func(c *validate.Config) { c.Keys, c.Profile = k, p }).Verify(t.Context(), raw)
		return err
	}
	wantCode(t, with(published(s, "ES256"), validate.RFC9068), "")
	wantCode(t, with(both, validate.RFC9068), validate.ErrKeyAmbiguous)
	wantCode(t, with(both, validate.Compat), "")
	far := &keys{list: slices.Concat(old, old, old, old, published(s, "ES256").list)}
	wantCode(t, with(far, validate.Compat), validate.ErrSignatureInvalid)
	raw = token(t, s, map[string]any{"kid": ""}, nil)
	wantCode(t, with(published(s, "ES256"), validate.RFC9068), validate.ErrKeyUnknown)
}

// Nobody knows is not the token's fault. [JK-17 ER-23]
func TestKeysUnavailable(t *testing.T) {
	s := mint(t, "ES256")
	raw := token(t, s, nil, nil)
	for _, err := range []error{errors.New("down"), validate.ErrKeysUnavailable, &validate.Error{Code: validate.ErrSignatureInvalid}} {
		_, err := verifier(t, s, func(c *validate.Config) { c.Keys = &keys{err: err} }).Verify(t.Context(), raw)
		wantCode(t, err, validate.ErrKeysUnavailable)
		if validate.CodeOf(err).Class() != validate.Unavailable {
			t.Errorf("class %c", validate.CodeOf(err).Class())
		}
	}
}

// Cheap and local checks come first: none of these asks for a key. [CL-08]
func TestNoKeyIsAskedForABadToken(t *testing.T) {
	s := mint(t, "ES256")
	k := published(s, "ES256")
	j := verifier(t, s, func(c *validate.Config) { c.Keys = k })
	for _, kind := range []string{"expired", "not-yet-valid", "wrong-audience", "wrong-issuer", "alg-none", "typ-jwt", "duplicate-claim", "deep", "crit"} {
		raw, err := s.Mint(kind, s.Claims(""))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := j.Verify(t.Context(), raw); err == nil {
			t.Errorf("%s passes", kind)
		}
	}
	if k.asked != 0 {
		t.Errorf("keys were asked %d times", k.asked)
	}
}

// An access token is not single-use, and a signed token inside of a signed
// token is not one. [CL-19 JO-24]
func TestTwiceAndNested(t *testing.T) {
	s := mint(t, "ES256")
	j := verifier(t, s, nil)
	raw := token(t, s, nil, nil)
	for range 2 {
		_, err := j.Verify(t.Context(), raw)
		wantCode(t, err, "")
	}
	nested, err := s.SignBytes(map[string]any{"cty": "JWT"}, []byte(raw))
	if err != nil {
		t.Fatal(err)
	}
	_, err = j.Verify(t.Context(), nested)
	wantCode(t, err, validate.ErrClaimsInvalid)
}
