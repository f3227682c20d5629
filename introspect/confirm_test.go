package introspect

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bearward/bearward/validate"
)

// jwtToken is a token as the issuer's own rules return it.
func jwtToken(change func(*validate.Token)) *validate.Token {
	t := &validate.Token{Issuer: fakeIssuer, Subject: "alice", ClientID: "app", ID: "1"}
	if change != nil {
		change(t)
	}
	return t
}

const (
	thumbprint      = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"
	otherThumbprint = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
)

func TestConfirm(t *testing.T) { // [RV-02 IN-07]
	bound := func(t *validate.Token) { t.Confirmation.KeyThumbprint = thumbprint }
	certified := func(t *validate.Token) { t.Confirmation.CertificateThumbprint = thumbprint }
	tests := []struct {
		name  string
		says  reply
		token *validate.Token
		code  validate.Code
		claim string
	}{
		{"active", active(""), jwtToken(nil), "", ""},
		{"no aud", reply{active: true, claims: `{"active":true}`}, jwtToken(nil), "", ""},
		{"all the same", active(`,"iss":"` + fakeIssuer + `","client_id":"app","jti":"1"`), jwtToken(nil), "", ""},
		{"inactive", reply{}, jwtToken(nil), validate.ErrInactive, ""},
		{"another aud", active(`,"aud":"https://other.example.com"`), jwtToken(nil), validate.ErrAudienceRefused, "aud"},
		{"expired", active(`,"exp":1000`), jwtToken(nil), validate.ErrExpired, "exp"},
		{"another iss", active(""), jwtToken(func(t *validate.Token) { t.Issuer += "/" }), validate.ErrClaimsInvalid, "iss"},
		{"another sub", active(""), jwtToken(func(t *validate.Token) { t.Subject = "bob" }), validate.ErrClaimsInvalid, "sub"},
		{"another client_id", active(`,"client_id":"other"`), jwtToken(nil), validate.ErrClaimsInvalid, "client_id"},
		{"another jti", active(`,"jti":"2"`), jwtToken(nil), validate.ErrClaimsInvalid, "jti"},
		{"bound alike", active(`,"cnf":{"jkt":"` + thumbprint + `"}`), jwtToken(bound), "", ""},
		{"bound, and the server is silent", active(""), jwtToken(bound), "", ""},
		{"bound at the server only", active(`,"cnf":{"jkt":"` + thumbprint + `"}`), jwtToken(nil), validate.ErrClaimsInvalid, "cnf"},
		{"bound by type only", active(`,"token_type":"DPoP"`), jwtToken(nil), validate.ErrClaimsInvalid, "cnf"}, // [IN-10]
		{"bound by type, and by a key", active(`,"token_type":"DPoP"`), jwtToken(bound), "", ""},
		{"bound by type, and by a certificate", active(`,"token_type":"DPoP"`), jwtToken(certified), validate.ErrClaimsInvalid, "cnf"}, // [IN-10]
		{"bound alike by a certificate", active(`,"cnf":{"x5t#S256":"` + thumbprint + `"}`), jwtToken(certified), "", ""},
		{"bound to another certificate", active(`,"cnf":{"x5t#S256":"` + otherThumbprint + `"}`), jwtToken(certified), validate.ErrClaimsInvalid, "cnf"},
		{"bound to a certificate in place of a key", active(`,"cnf":{"x5t#S256":"` + thumbprint + `"}`), jwtToken(bound), validate.ErrClaimsInvalid, "cnf"},
		{"bound to a key of two", active(`,"cnf":{"jkt":"` + thumbprint + `"}`), jwtToken(func(t *validate.Token) { bound(t); certified(t) }), validate.ErrClaimsInvalid, "cnf"},
		{"bound to another key", active(`,"cnf":{"jkt":"` + otherThumbprint + `"}`), jwtToken(bound), validate.ErrClaimsInvalid, "cnf"},
		{"bound to a certificate too", active(`,"cnf":{"jkt":"` + thumbprint + `","x5t#S256":"` + thumbprint + `"}`), jwtToken(bound), validate.ErrClaimsInvalid, "cnf"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := &fake{}
			s.answers(test.says)
			v, _ := fronting(t, s, nil)
			for range 2 { // the second time from the cache
				err := v.Confirm(t.Context(), "a", test.token, time.Minute)
				if test.code == "" {
					if err != nil {
						t.Errorf("got %v", err)
					}
				} else if refusal := isRefusal(t, nil, err, test.code); refusal.Claim != test.claim {
					t.Errorf("claim %q", refusal.Claim)
				}
			}
			asks(t, s, 1)
		})
	}
}

func TestConfirmAge(t *testing.T) { // [RV-02 IN-13]
	synctest.Test(t, func(t *testing.T) {
		s, token := &fake{}, jwtToken(nil)
		v, _ := fronting(t, s, nil)
		confirm := func(maxAge time.Duration, want int) {
			t.Helper()
			if err := v.Confirm(t.Context(), "a", token, maxAge); err != nil {
				t.Errorf("got %v", err)
			}
			asks(t, s, want)
		}
		confirm(time.Minute, 1)
		time.Sleep(time.Minute - time.Nanosecond)
		confirm(time.Minute, 1)
		confirm(0, 2) // the cache's lifetime
		time.Sleep(20 * time.Second)
		confirm(time.Minute, 2)
		confirm(20*time.Second, 3)
		time.Sleep(maxPositive)
		s.answers(active("")) // exp is an hour from now again
		confirm(time.Hour, 4) // capped
	})
}

// A fresher answer replaces what laxer callers would still use.
func TestConfirmLearnsOfTheEnd(t *testing.T) { // [RV-02]
	synctest.Test(t, func(t *testing.T) {
		s, token := &fake{}, jwtToken(nil)
		v, _ := fronting(t, s, func(c *Config) { c.Cache.Negative = -1 })
		if err := v.Confirm(t.Context(), "a", token, time.Minute); err != nil {
			t.Error(err)
		}
		time.Sleep(10 * time.Second)
		s.answers(reply{})
		for _, maxAge := range []time.Duration{10 * time.Second, time.Minute} {
			if err := v.Confirm(t.Context(), "a", token, maxAge); !errors.Is(err, validate.ErrInactive) {
				t.Errorf("%v: got %v", maxAge, err)
			}
		}
	})
}

// What confirms a JWT says nothing about an opaque token: an audience is
// needed there.
func TestConfirmIsNoVerify(t *testing.T) { // [IN-08]
	s := &fake{}
	s.answers(reply{active: true, claims: `{"active":true,"sub":"alice"}`})
	v, _ := fronting(t, s, nil)
	if err := v.Confirm(t.Context(), "a", jwtToken(nil), 0); err != nil {
		t.Error(err)
	}
	refuses(t, v, "a", validate.ErrClaimMissing)
	asks(t, s, 2)
}

// An outage says nothing about the token.
func TestConfirmInAnOutage(t *testing.T) { // [IN-06]
	synctest.Test(t, func(t *testing.T) {
		s, token := &fake{}, jwtToken(nil)
		v, _ := fronting(t, s, nil)
		if err := v.Confirm(t.Context(), "a", token, time.Minute); err != nil {
			t.Error(err)
		}
		s.failing(outOfOrder(errDown))
		time.Sleep(time.Minute - time.Nanosecond)
		if err := v.Confirm(t.Context(), "a", token, time.Minute); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Nanosecond)
		isRefusal(t, nil, v.Confirm(t.Context(), "a", token, time.Minute), validate.ErrIntrospectionUnavailable)
	})
}

// The token of a phantom answer is cached as it is.
func TestPhantomAnswer(t *testing.T) { // [IN-13]
	synctest.Test(t, func(t *testing.T) {
		s := &fake{}
		v, _ := fronting(t, s, nil)
		token, err := v.opaque.answers.Judge(active(fmt.Sprintf(`,"exp":%d`, time.Now().Add(10*time.Second).Unix())).claims)
		if err != nil {
			t.Fatal(err)
		}
		s.answers(reply{active: true, token: token})
		passes(t, v, "a")
		passes(t, v, "a")
		asks(t, s, 1)
		findings, explained := v.Explain(t.Context(), "a")
		if explained != token || len(findings) != 3 {
			t.Errorf("got %v, %v", findings, explained)
		}
		time.Sleep(10 * time.Second)
		s.answers(reply{})
		refuses(t, v, "a", validate.ErrInactive)
	})
}
