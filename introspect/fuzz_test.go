package introspect

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/bearward/bearward/internal/egress"
	"github.com/bearward/bearward/validate"
)

// FuzzAnswer feeds any bytes as an answer: nothing panics, and only what says
// active: true in strict JSON is active.
func FuzzAnswer(f *testing.F) {
	for _, body := range []string{
		yes, `{"active":false}`, `{"active":"true"}`, `{"active":true,"active":false}`, `{"a\u0063tive":true}`,
		`{"active":true}{}`, `{"x":{"active":true}}`, "\ufeff" + yes, `{"active":true,"a":"\ud800"}`, `[]`, ``,
		`{"aud":"mine","azp":"mine","expires_in":"5"}`, `{"error":"invalid_token"}`, `{"aud":"mine","exp":1e9}`,
	} {
		f.Add(body)
	}
	answers, err := validate.NewAnswers(validate.Config{Issuer: "https://login.example.com", Audience: []string{api}})
	if err != nil {
		f.Fatal(err)
	}
	now := newClock().Now()
	info := &tokenInfoDialect{issuer: "https://login.example.com", clients: []string{"mine"}, clock: func() time.Time { return now }}
	f.Fuzz(func(t *testing.T, body string) {
		r, err := readAnswer(body)
		if r.active {
			var loose map[string]any
			if err != nil || json.Unmarshal([]byte(body), &loose) != nil || loose["active"] != true {
				t.Fatalf("active: %q, %v", body, err)
			}
			_, _ = answers.Judge(r.claims)
			answers.Explain(r.claims)
		}
		if err != nil && strings.Contains(err.Error(), "near") {
			t.Fatal("the answer's text is told")
		}
		for _, status := range []int{200, 400} {
			resp := egress.Response{Status: status, Body: body, Header: http.Header{"Content-Type": {"application/json"}}}
			r, fault := info.read(t.Context(), resp)
			if r.active && (fault != nil || status != 200 || !json.Valid([]byte(r.claims))) {
				t.Fatalf("%d: %q became %q", status, body, r.claims)
			}
			if r.active {
				_, _ = answers.Judge(r.claims)
			}
		}
	})
}

// FuzzSignedAnswer feeds any bytes as a signed answer: nothing panics, and
// nothing passes but what the issuer signed.
func FuzzSignedAnswer(f *testing.F) {
	s := newSigning(f)
	minted := map[string]bool{}
	for _, c := range []struct{ header, claims object }{
		{nil, nil},
		{object{"alg": "RS256"}, nil},
		{object{"typ": "at+jwt"}, nil},
		{object{"crit": []string{"a"}}, nil},
		{nil, object{"aud": []string{"a", "api"}, "exp": s.now.Now().Unix()}},
		{nil, object{"token_introspection": object{"active": "true"}}},
		{nil, object{"iat": 1e300}},
	} {
		raw := s.answer(f, c.header, c.claims)
		minted[raw[:strings.LastIndexByte(raw, '.')]] = true
		f.Add(raw)
	}
	f.Add(yes)
	f.Add("..")
	f.Fuzz(func(t *testing.T, body string) {
		r, err := s.read.read(t.Context(), body)
		if err != nil {
			if r != (reply{}) || describe(err) == "asking failed" {
				t.Fatalf("%+v with %v", r, err)
			}
			return
		}
		if !minted[body[:strings.LastIndexByte(body, '.')]] {
			t.Fatalf("accepted %q", body)
		}
	})
}
