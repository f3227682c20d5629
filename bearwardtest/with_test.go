package bearwardtest_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/bearward/bearward/bearwardtest"
	"github.com/bearward/bearward/middleware"
	"github.com/bearward/bearward/validate"
)

func TestWith(t *testing.T) {
	plain := httptest.NewRequest(http.MethodGet, "/orders", nil)
	token := &validate.Token{Subject: "alice"}
	r := bearwardtest.With(plain, token)
	if got, ok := middleware.FromContext(r.Context()); !ok || got != token {
		t.Errorf("%+v, %t", got, ok)
	}
	if _, ok := middleware.FromContext(plain.Context()); ok {
		t.Error("the request itself was changed")
	}
	if _, ok := middleware.FromContext(bearwardtest.With(plain, nil).Context()); ok {
		t.Error("no token is one")
	}
}

// TestPlantedTokenOpensNothing: a planted token is no credential, neither for
// a protected nor for an optional route.
func TestPlantedTokenOpensNothing(t *testing.T) {
	iss := bearwardtest.NewIssuer(t)
	guard := iss.Guard()
	ctx := bearwardtest.WithContext(t.Context(), &validate.Token{
		Issuer: iss.URL, Subject: "alice", Scopes: []string{"orders:read"},
		Audience: []string{"https://api.example.test"}, ExpiresAt: iss.Clock.Now().AddDate(1, 0, 0),
	})
	_, d := guard.Decide(ctx, request(""), middleware.Scopes("orders:read"))
	if d.Allowed || d.Token != nil || validate.CodeOf(d.Err) != validate.ErrTokenMissing {
		t.Errorf("%+v", d)
	}
	_, d = guard.Decide(ctx, request(""), middleware.Policy{Optional: true})
	if !d.Allowed || d.Token != nil {
		t.Errorf("optional: %+v", d)
	}
	_, d = guard.Decide(ctx, request("Bearer "+iss.JWT()), middleware.Scopes("orders:read"))
	if d.Allowed || validate.CodeOf(d.Err) != validate.ErrScopeMissing {
		t.Errorf("its scopes count: %+v", d)
	}
}
