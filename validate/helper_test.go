package validate_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/bearward/bearward/internal/issuer"
	"github.com/bearward/bearward/validate"
)

const api = issuer.DefaultAudience

// noon is the time that all tests of this package live in.
var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func at(t time.Time) func() time.Time { return func() time.Time { return t } }

// mint is an issuer whose clock stands at noon.
func mint(t *testing.T, algorithms ...string) *issuer.Server {
	t.Helper()
	s, err := issuer.Start(issuer.Config{Algorithms: algorithms, Now: at(noon)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// keys is a key source that gives what it has and counts how often.
type keys struct {
	list  []*validate.Key
	err   error
	asked int
}

func (k *keys) Keys(_ context.Context, kid, alg string) ([]*validate.Key, error) {
	k.asked++
	if k.err != nil {
		return nil, k.err
	}
	var out []*validate.Key
	for _, key := range k.list {
		if (kid == "" || key.ID == kid) && key.Algorithm == alg {
			out = append(out, key)
		}
	}
	return out, nil
}

func (k *keys) Live(*validate.Key) bool { return true }

// published returns the issuer's current keys.
func published(s *issuer.Server, algorithms ...string) *keys {
	k := &keys{}
	for _, alg := range algorithms {
		name := alg
		if alg == "EdDSA" {
			name = "Ed25519"
		}
		k.list = append(k.list, &validate.Key{ID: s.KeyID(alg), Algorithm: name, Public: s.Key(alg)})
	}
	return k
}

// verifier judges the tokens of s as of noon.
func verifier(t *testing.T, s *issuer.Server, change func(*validate.Config)) *validate.JWT {
	t.Helper()
	c := validate.Config{Issuer: s.URL(), Audience: []string{api}, Keys: published(s, "ES256"), Clock: at(noon)}
	if change != nil {
		change(&c)
	}
	j, err := validate.NewJWT(c)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// token signs the usual claims with changes; a nil value takes a claim out.
func token(t *testing.T, s *issuer.Server, header, claims map[string]any) string {
	t.Helper()
	all := s.Claims("user-1")
	for name, v := range claims {
		all[name] = v
	}
	raw, err := s.Sign(header, all)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// wantCode asserts that err has exactly this code; "" is success.
func wantCode(t *testing.T, err error, code validate.Code) {
	t.Helper()
	if code == "" {
		if err != nil {
			t.Fatalf("refused: %v", err)
		}
		return
	}
	if err == nil {
		t.Fatalf("accepted, want %s", code)
	}
	if !errors.Is(err, code) || validate.CodeOf(err) != code {
		t.Fatalf("got %v, want %s", err, code)
	}
}
