package issuer_test

import (
	"strings"
	"testing"

	"github.com/bearward/bearward/internal/issuer"
	"github.com/bearward/bearward/internal/jose"
)

const signedType = "application/token-introspection+jwt"

// TestSignedAnswer checks the right answer with the published key.
func TestSignedAnswer(t *testing.T) {
	s := start(t, issuer.Config{Clients: []issuer.Client{api}})
	token := opaque(t, s, s.Claims("alice"))
	res, body := about(t, s, token, signedType+", application/json;q=0.5")
	if res.Header.Get("Content-Type") != signedType {
		t.Fatalf("%s %s", res.Header.Get("Content-Type"), body)
	}
	c, err := jose.Split(body)
	must(t, err)
	header, err := jose.ParseHeader(c.Header)
	must(t, err)
	signature, err := jose.Decode(c.Signature)
	must(t, err)
	must(t, jose.Verify("ES256", s.Key(""), []byte(c.Input), signature))
	if header.Type != "token-introspection+jwt" || header.Algorithm != "ES256" || header.KeyID != s.KeyID("") {
		t.Errorf("%+v", header)
	}
	var got struct {
		Issuer   string         `json:"iss"`
		Audience string         `json:"aud"`
		IssuedAt int64          `json:"iat"`
		Subject  string         `json:"sub"`
		Answer   map[string]any `json:"token_introspection"`
	}
	decode(t, payload(t, body), &got)
	if got.Issuer != s.URL() || got.Audience != api.ID || got.IssuedAt == 0 || got.Subject != "" {
		t.Errorf("%+v", got)
	}
	if got.Answer["active"] != true || got.Answer["sub"] != "alice" {
		t.Errorf("%+v", got.Answer)
	}
	if _, body := about(t, s, "unknown", signedType); !strings.Contains(payload(t, body), `"token_introspection":{"active":false}`) {
		t.Errorf("%s", payload(t, body))
	}
}

// TestSignedAnswersDiffer compares each wrong kind with what makes it wrong.
func TestSignedAnswersDiffer(t *testing.T) {
	s := start(t, issuer.Config{Clients: []issuer.Client{api}})
	token := opaque(t, s, s.Claims("alice"))
	parts := map[string][2]string{ // in header and claims, which are decoded
		"wrong-typ":      {`"typ":"at+jwt"`, ""},
		"wrong-iss":      {"", `"iss":"https://issuer.example.test"`},
		"wrong-aud":      {"", `"aud":"client-9"`},
		"type-iat":       {"", `"iat":"now"`},
		"member-text":    {"", `"token_introspection":"active"`},
		"member-array":   {"", `"token_introspection":[{"active":true}]`},
		"active-outside": {"", `"active":true,`},
		"active-text":    {"", `"active":"true"`},
		"unknown-kid":    {`"kid":"unknown-1"`, ""},
		"alg-none":       {`"alg":"none"`, ""},
		"crit":           {`"crit":[`, ""},
	}
	absent := map[string]string{"no-typ": "typ", "no-iss": "iss", "no-aud": "aud", "no-iat": "iat", "no-member": "token_introspection"}
	types := map[string]string{"plain": "application/json", "json-type": "application/json", "jwt-type": "application/jwt"}
	for _, kind := range issuer.SignedAnswers() {
		t.Run(kind.Name, func(t *testing.T) {
			must(t, s.Answer(kind.Name))
			res, body := about(t, s, token, signedType)
			want := signedType
			if types[kind.Name] != "" {
				want = types[kind.Name]
			}
			if res.Header.Get("Content-Type") != want || (kind.Code == "") != (kind.Name == "valid" || kind.Name == "plain") {
				t.Errorf("%s, code %q", res.Header.Get("Content-Type"), kind.Code)
			}
			if kind.Name == "plain" {
				if !strings.HasPrefix(body, `{"active":true`) {
					t.Error(body)
				}
				return
			}
			split := strings.Split(body, ".")
			if len(split) != 3 != (kind.Name == "two-parts") {
				t.Fatalf("%d parts", len(split))
			}
			header, claims := string(bytesOf(t, split[0])), string(bytesOf(t, split[1]))
			if in := parts[kind.Name]; !strings.Contains(header, in[0]) || !strings.Contains(claims, in[1]) {
				t.Errorf("%s %s", header, claims)
			}
			if kind.Name == "duplicate" {
				if strings.Count(claims, `"iss"`) != 3 { // one in token_introspection
					t.Errorf("%s", claims)
				}
				return
			}
			members := map[string]any{}
			decode(t, header, &members)
			decode(t, claims, &members)
			for _, name := range []string{"typ", "iss", "aud", "iat", "token_introspection"} {
				if _, has := members[name]; has == (absent[kind.Name] == name) {
					t.Errorf("%s: %t", name, has)
				}
			}
		})
	}
	if err := s.Answer("nonsense"); err == nil || !strings.Contains(err.Error(), "wrong-typ") {
		t.Errorf("%v", err)
	}
	must(t, s.Answer(""))
	if res, _ := about(t, s, token, signedType); res.Header.Get("Content-Type") != signedType {
		t.Error("not right again")
	}
}
