package httpauth_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/bearward/bearward"
	"github.com/bearward/bearward/adapters/httpauth"
	"github.com/bearward/bearward/internal/issuer"
	"github.com/bearward/bearward/jwks"
	"github.com/bearward/bearward/middleware"
	"github.com/bearward/bearward/validate"
)

// counted is a key source that counts how often it is asked: once for each
// verification.
type counted struct {
	validate.KeySource
	asked int
}

func (c *counted) Keys(ctx context.Context, kid, alg string) ([]*validate.Key, error) {
	c.asked++
	return c.KeySource.Keys(ctx, kid, alg)
}

func newCounted(t *testing.T, iss *issuer.Server) *counted {
	t.Helper()
	keys, err := jwks.Static(validate.Key{ID: iss.KeyID(""), Algorithm: "ES256", Public: iss.Key("")})
	if err != nil {
		t.Fatal(err)
	}
	return &counted{KeySource: keys}
}

// change runs between two guards.
func change(f func(*http.Request) *http.Request) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { next.ServeHTTP(w, f(r)) })
	}
}

func same(r *http.Request) *http.Request { return r }

// TestNested: an inner Protect of the same guard verifies nothing anew and
// applies its own policy in full. [TR-18 CA-02]
func TestNested(t *testing.T) {
	iss, other := newIssuer(t), newIssuer(t)
	keys := newCounted(t, iss)
	const admin = "https://admin.example.test"
	o := &observer{}
	g := newGuard(t, func(c *bearward.Config) {
		c.Cache.Disabled = true // verifications are counted
		c.Observer = o
		c.Issuers = []bearward.Issuer{
			{URL: iss.URL(), Name: "a", Keys: keys, Profile: validate.Compat, Audience: []string{issuer.DefaultAudience, admin}},
			{URL: other.URL(), Name: "b", Keys: newCounted(t, other), Audience: []string{issuer.DefaultAudience, admin}},
		}
	})
	elsewhere := newCounted(t, iss)
	second := newGuard(t, func(c *bearward.Config) {
		c.Cache.Disabled = true
		c.Issuers = []bearward.Issuer{{URL: iss.URL(), Keys: elsewhere}}
	})
	token := mint(t, iss, map[string]any{"scope": "read", "jti": nil})
	replaced := mint(t, iss, map[string]any{"scope": "admin"})
	_, of := g.Decide(t.Context(), middleware.Request{Method: "GET", RawPath: "/", Header: http.Header{"Authorization": {"Bearer " + mint(t, iss, map[string]any{"roles": []string{"admin"}})}}}, middleware.Policy{})
	powerful := of.Token

	for name, c := range map[string]struct {
		inner         middleware.Policy
		between       func(*http.Request) *http.Request
		status        int
		code          validate.Code
		verifications int
	}{
		"same demand":       {middleware.Scopes("read"), same, 200, "", 1},
		"no demand":         {middleware.Policy{}, same, 200, "", 1},
		"public inside":     {middleware.Public(), same, 200, "", 1},
		"more scope":        {middleware.Scopes("read", "write"), same, 403, validate.ErrScopeMissing, 1},
		"other issuer only": {middleware.Policy{}.WithIssuers("b"), same, 401, validate.ErrIssuerRefused, 1},
		"profile":           {middleware.Policy{Profile: validate.RFC9068}, same, 401, validate.ErrProfileRefused, 1},
		"audience":          {middleware.Policy{}.WithAudience(admin), same, 401, validate.ErrRouteAudienceRefused, 1},
		"acr":               {middleware.Policy{}.WithACR("phr"), same, 401, validate.ErrAuthenticationContext, 1},
		"check":             {checkRefuses, same, 403, validate.ErrCheckRefused, 1},
		"header removed": {middleware.Policy{}, func(r *http.Request) *http.Request {
			r.Header.Del("Authorization")
			return r
		}, 401, validate.ErrTokenMissing, 1},
		"header replaced": {middleware.Scopes("admin"), func(r *http.Request) *http.Request {
			r.Header.Set("Authorization", "Bearer "+replaced)
			return r
		}, 200, "", 2},
		"header replaced by junk": {middleware.Policy{}, func(r *http.Request) *http.Request {
			r.Header.Set("Authorization", "Bearer junk")
			return r
		}, 401, validate.ErrNotJWT, 1},
		"method changed": {middleware.Policy{}, func(r *http.Request) *http.Request {
			r.Method = http.MethodPost
			return r
		}, 200, "", 2},
		"target changed": {middleware.Policy{}, func(r *http.Request) *http.Request {
			r.RequestURI = "/other"
			return r
		}, 200, "", 2},
		"proof added": {middleware.Policy{}, func(r *http.Request) *http.Request {
			r.Header.Set("DPoP", "x")
			return r
		}, 200, "", 2},
		"planted over it": {middleware.Scopes("admin"), func(r *http.Request) *http.Request {
			return r.WithContext(middleware.WithToken(r.Context(), &validate.Token{Issuer: iss.URL(), Scopes: []string{"admin"}}))
		}, 403, validate.ErrScopeMissing, 1},
		"another token written over it": {middleware.Policy{Roles: []string{"admin"}}, func(r *http.Request) *http.Request {
			shared, _ := middleware.FromContext(r.Context())
			*shared = *powerful
			return r
		}, 403, validate.ErrRoleMissing, 2},
	} {
		t.Run(name, func(t *testing.T) {
			keys.asked, o.events = 0, nil
			h := httpauth.Protect(g, middleware.Policy{})(change(c.between)(httpauth.Protect(g, c.inner)(hello)))
			if rec := get(h, token); rec.Code != c.status {
				t.Errorf("status %d, want %d", rec.Code, c.status)
			}
			if keys.asked != c.verifications {
				t.Errorf("%d verifications, want %d", keys.asked, c.verifications)
			}
			if len(o.events) != 2 || !o.events[0].Allowed || o.events[1].Code != c.code {
				t.Errorf("%+v", o.events)
			}
		})
	}

	t.Run("another guard", func(t *testing.T) {
		keys.asked = 0
		full := mint(t, iss, nil)
		if rec := get(httpauth.Protect(g, middleware.Policy{})(httpauth.Protect(second, middleware.Policy{})(hello)), full); rec.Code != 200 {
			t.Errorf("status %d", rec.Code)
		}
		if keys.asked != 1 || elsewhere.asked != 1 {
			t.Errorf("%d and %d verifications", keys.asked, elsewhere.asked)
		}
		// What the first accepts says nothing to the second.
		if rec := get(httpauth.Protect(g, middleware.Policy{})(httpauth.Protect(second, middleware.Policy{})(hello)), token); rec.Code != 401 {
			t.Errorf("status %d", rec.Code)
		}
	})
	t.Run("outer without credentials", func(t *testing.T) {
		for name, outer := range map[string]middleware.Policy{"optional": {Optional: true}, "public": middleware.Public()} {
			if rec := get(httpauth.Protect(g, outer)(httpauth.Protect(g, middleware.Policy{})(hello)), ""); rec.Code != 401 {
				t.Errorf("%s: status %d", name, rec.Code)
			}
		}
	})
}

var checkRefuses = middleware.Policy{}.WithCheck(func(context.Context, *validate.Token) error { return validate.ErrCheckRefused })
