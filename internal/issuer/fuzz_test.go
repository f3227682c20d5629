package issuer_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/bearward/bearward/internal/issuer"
)

// strangersKey verifies assertions that nobody here can sign.
func strangersKey(f *testing.F) crypto.PublicKey {
	f.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	return key.Public()
}

// FuzzIntrospect sends forms from nobody: none is answered 200, none panics.
func FuzzIntrospect(f *testing.F) {
	s, err := issuer.Start(issuer.Config{Clients: []issuer.Client{{ID: "api", Secret: rand.Text(), Key: strangersKey(f)}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = s.Close() })
	jwt, err := s.Sign(nil, map[string]any{"iss": "api", "sub": "api", "aud": s.URL(), "jti": "j", "exp": 4102444800})
	if err != nil {
		f.Fatal(err)
	}
	f.Add("", "token=t")
	f.Add("Basic YXBpOnM", "token=t&client_id=api")
	f.Add("Bearer x", "token=t&token=u")
	f.Add("", "token=t&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&client_assertion="+jwt)
	f.Fuzz(func(t *testing.T, authorization, form string) {
		r := httptest.NewRequest(http.MethodPost, "/introspect", strings.NewReader(form))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Authorization", authorization)
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code != 400 && w.Code != 401 {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	})
}
