package bearwardtest_test

import (
	"slices"
	"testing"
	"time"

	"github.com/bearward/bearward/bearwardtest"
	"github.com/bearward/bearward/validate"
)

// TestKinds sends every kind of token through a guard with strict defaults.
func TestKinds(t *testing.T) {
	iss := bearwardtest.NewIssuer(t)
	guard := iss.Guard()
	kinds := bearwardtest.Kinds()
	if len(kinds) < 80 {
		t.Errorf("%d kinds", len(kinds))
	}
	for _, kind := range kinds {
		d := decide(t, guard, iss.Wrong(kind.Name, bearwardtest.Claims{Subject: "alice"}))
		switch {
		case kind.Code == "":
			if !d.Allowed || d.Token == nil {
				t.Errorf("%s (%s): refused: %v", kind.Name, kind.What, d.Err)
			}
		case d.Allowed || validate.CodeOf(d.Err) != kind.Code:
			t.Errorf("%s (%s): %v, want %s", kind.Name, kind.What, d.Err, kind.Code)
		case d.Denial == nil || (d.Denial.Status != 401 && d.Denial.Status != 400):
			t.Errorf("%s: denial %+v", kind.Name, d.Denial)
		}
	}
	if got := iss.Requests("/jwks"); got > 2 {
		t.Errorf("%d wrong tokens caused %d fetches", len(kinds), got)
	}
}

func TestClaims(t *testing.T) {
	iss := bearwardtest.NewIssuer(t, bearwardtest.Config{Resource: "https://orders.example.test"})
	login := iss.Clock.Now().Add(-time.Hour)
	raw := iss.JWT(bearwardtest.Claims{
		Subject: "alice", ClientID: "app", Scope: "a b", ID: "id-1", ACR: "mfa", AuthTime: login,
		Audience:  []string{"https://other.example.test", "https://orders.example.test"},
		ExpiresIn: time.Hour,
		Extra:     map[string]any{"tenant": "t-1", "roles": []string{"clerk"}},
	})
	got := decide(t, iss.Guard(), raw).Token
	if got == nil {
		t.Fatal("refused")
	}
	if got.Issuer != iss.URL || got.Subject != "alice" || got.ClientID != "app" || got.ID != "id-1" || got.ACR != "mfa" {
		t.Errorf("%+v", got)
	}
	if !slices.Equal(got.Scopes, []string{"a", "b"}) || len(got.Audience) != 2 {
		t.Errorf("scopes %q, audience %q", got.Scopes, got.Audience)
	}
	now := iss.Clock.Now()
	if !got.ExpiresAt.Equal(now.Add(time.Hour)) || !got.IssuedAt.Equal(now) || !got.AuthTime.Equal(login) {
		t.Errorf("exp %v, iat %v, auth_time %v", got.ExpiresAt, got.IssuedAt, got.AuthTime)
	}
	var own struct {
		Tenant string `json:"tenant"`
	}
	if err := got.Claims(&own); err != nil || own.Tenant != "t-1" {
		t.Errorf("%+v, %v", own, err)
	}
	if roles, err := got.Roles(); err != nil || !slices.Equal(roles, []string{"clerk"}) {
		t.Errorf("roles %q, %v", roles, err)
	}
}

func TestDefaultClaims(t *testing.T) {
	iss := bearwardtest.NewIssuer(t)
	guard := iss.Guard()
	got, again := decide(t, guard, iss.JWT()).Token, decide(t, guard, iss.JWT()).Token
	if got == nil || again == nil {
		t.Fatal("refused")
	}
	if got.Subject != "user-1" || got.ClientID != "client-1" || len(got.Scopes) != 0 || got.ACR != "" || !got.AuthTime.IsZero() {
		t.Errorf("%+v", got)
	}
	if !slices.Equal(got.Audience, []string{"https://api.example.test"}) || got.ExpiresAt.Sub(got.IssuedAt) != 5*time.Minute {
		t.Errorf("audience %q, from %v to %v", got.Audience, got.IssuedAt, got.ExpiresAt)
	}
	if got.ID == "" || got.ID == again.ID {
		t.Errorf("jti %q and %q", got.ID, again.ID)
	}
}

func TestExtraReplacesAndOmits(t *testing.T) {
	iss := bearwardtest.NewIssuer(t)
	guard := iss.Guard()
	d := decide(t, guard, iss.JWT(bearwardtest.Claims{Extra: map[string]any{"jti": nil}}))
	if validate.CodeOf(d.Err) != validate.ErrClaimMissing {
		t.Errorf("without jti: %v", d.Err)
	}
	d = decide(t, guard, iss.JWT(bearwardtest.Claims{Subject: "alice", Extra: map[string]any{"sub": "bob"}}))
	if !d.Allowed || d.Token.Subject != "bob" {
		t.Errorf("%+v, %v", d.Token, d.Err)
	}
	d = decide(t, guard, iss.JWT(bearwardtest.Claims{ExpiresIn: -time.Hour}))
	if validate.CodeOf(d.Err) != validate.ErrExpired {
		t.Errorf("expired: %v", d.Err)
	}
}

func TestWrongKeepsTheRest(t *testing.T) {
	iss := bearwardtest.NewIssuer(t)
	d := decide(t, iss.Guard(), iss.Wrong("delegated", bearwardtest.Claims{Subject: "alice", Scope: "a"}), "a")
	if !d.Allowed || d.Token.Subject != "alice" || d.Token.Actor == nil || d.Token.Actor.Subject != "service-1" {
		t.Errorf("%+v, %v", d.Token, d.Err)
	}
}
