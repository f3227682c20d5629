package validate_test

import (
	"strings"
	"testing"
	"time"

	"github.com/bearward/bearward/internal/facts"
	"github.com/bearward/bearward/validate"
)

// Compat accepts what RFC 9068 does not, remembers that it did, and still
// refuses every other kind of token. [CL-02 CL-03 CL-04 CL-05 CL-18 CL-23]
func TestCompat(t *testing.T) {
	s := mint(t, "ES256")
	jwt := map[string]any{"typ": "JWT"}
	none := map[string]any{"typ": nil}
	for _, c := range []struct {
		name           string
		header, claims map[string]any
		want, strict   validate.Code
		client         string
	}{
		{"at+jwt", nil, nil, "", "", "client-1"},
		{"typ JWT", jwt, nil, "", validate.ErrTypeRefused, "client-1"},
		{"typ application/jwt", map[string]any{"typ": "application/JWT"}, nil, "", validate.ErrTypeRefused, "client-1"},
		{"typ absent", none, nil, "", validate.ErrTypeRefused, "client-1"},
		{"typ empty", map[string]any{"typ": ""}, nil, validate.ErrTypeRefused, "", ""},
		{"typ of a proof", map[string]any{"typ": "dpop+jwt"}, nil, validate.ErrTypeRefused, "", ""},
		{"no iat", nil, map[string]any{"iat": nil}, "", validate.ErrClaimMissing, "client-1"},
		{"no jti", nil, map[string]any{"jti": nil}, "", validate.ErrClaimMissing, "client-1"},
		{"no client at all", nil, map[string]any{"client_id": nil}, "", validate.ErrClaimMissing, ""},
		{"azp", nil, map[string]any{"client_id": nil, "azp": "app-1"}, "", validate.ErrClaimMissing, "app-1"},
		{"appid", nil, map[string]any{"client_id": nil, "appid": "app-2"}, "", validate.ErrClaimMissing, "app-2"},
		{"cid", nil, map[string]any{"client_id": nil, "cid": "app-\u00e9\n"}, "", validate.ErrClaimMissing, "app-\u00e9\n"},
		{"client_id before azp", nil, map[string]any{"azp": "app-1"}, "", "", "client-1"},
		{"azp and cid agree", nil, map[string]any{"client_id": nil, "azp": "app-1", "cid": "app-1"}, "", validate.ErrClaimMissing, "app-1"},
		{"azp and appid differ", nil, map[string]any{"client_id": nil, "azp": "app-1", "appid": "app-2"}, validate.ErrClaimsInvalid, "", ""},
		{"azp and appid differ beside client_id", nil, map[string]any{"azp": "app-1", "appid": "app-2"}, "", "", "client-1"},
		{"azp of a wrong type", nil, map[string]any{"client_id": nil, "azp": 7}, validate.ErrClaimsInvalid, "", ""},
		{"no sub", nil, map[string]any{"sub": nil}, validate.ErrClaimMissing, "", ""},
		{"no aud", nil, map[string]any{"aud": nil}, validate.ErrClaimMissing, "", ""},
		{"at_hash", jwt, map[string]any{"at_hash": "x"}, validate.ErrKindRefused, "", ""},
		{"c_hash", jwt, map[string]any{"c_hash": "x"}, validate.ErrKindRefused, "", ""},
		{"s_hash", jwt, map[string]any{"s_hash": "x"}, validate.ErrKindRefused, "", ""},
		{"events", none, map[string]any{"events": map[string]any{}}, validate.ErrKindRefused, "", ""},
		{"htm", none, map[string]any{"htm": "GET"}, validate.ErrKindRefused, "", ""},
		{"htu", none, map[string]any{"htu": "https://x.example"}, validate.ErrKindRefused, "", ""},
		{"introspection", none, map[string]any{"token_introspection": map[string]any{}}, validate.ErrKindRefused, "", ""},
		{"status list", none, map[string]any{"status_list": map[string]any{}}, validate.ErrKindRefused, "", ""},
		{"token_use id", jwt, map[string]any{"token_use": "id"}, validate.ErrKindRefused, "", ""},
		{"token_use of a wrong type", jwt, map[string]any{"token_use": true}, validate.ErrKindRefused, "", ""},
		{"token_use access", jwt, map[string]any{"token_use": "access"}, "", validate.ErrTypeRefused, "client-1"},
		{"payload typ ID", jwt, map[string]any{"typ": "ID"}, validate.ErrKindRefused, "", ""},
		{"payload typ Refresh", jwt, map[string]any{"typ": "Refresh"}, validate.ErrKindRefused, "", ""},
		{"payload typ Bearer", jwt, map[string]any{"typ": "Bearer"}, "", validate.ErrTypeRefused, "client-1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			raw := token(t, s, c.header, c.claims)
			tok, err := verifier(t, s, func(v *validate.Config) { v.Profile = validate.Compat }).Verify(t.Context(), raw)
			wantCode(t, err, c.want)
			if err != nil {
				return
			}
			if tok.ClientID != c.client {
				t.Errorf("client %q, want %q", tok.ClientID, c.client)
			}
			if got := facts.Of(tok).Strict(); got != string(c.strict) {
				t.Errorf("remembered %q, want %q", got, c.strict)
			}
			_, err = verifier(t, s, nil).Verify(t.Context(), raw)
			wantCode(t, err, c.strict)
		})
	}
}

// Vendor markers say nothing about a token that says at+jwt.
func TestStrictReadsNoVendorMarkers(t *testing.T) {
	s := mint(t, "ES256")
	raw := token(t, s, nil, map[string]any{"azp": 7, "token_use": 7, "typ": 7})
	_, err := verifier(t, s, nil).Verify(t.Context(), raw)
	wantCode(t, err, "")
}

// [AZ-03 AZ-04 CL-23]
func TestScopeClaim(t *testing.T) {
	s := mint(t, "ES256")
	for _, c := range []struct {
		name   string
		claim  validate.ScopeClaim
		claims map[string]any
		want   string
		code   validate.Code
	}{
		{"standard", validate.ScopeClaim{}, map[string]any{"scope": "a b"}, "a,b", ""},
		{"absent", validate.ScopeClaim{}, nil, "", ""},
		{"empty", validate.ScopeClaim{}, map[string]any{"scope": ""}, "", ""},
		{"spaces around", validate.ScopeClaim{}, map[string]any{"scope": " a  b "}, "a,b", ""},
		{"tab", validate.ScopeClaim{}, map[string]any{"scope": "a\tb"}, "", validate.ErrClaimsInvalid},
		{"array where a string is configured", validate.ScopeClaim{}, map[string]any{"scope": []string{"a"}}, "", validate.ErrClaimsInvalid},
		{"scp is not merged", validate.ScopeClaim{}, map[string]any{"scope": "a", "scp": []string{"admin"}}, "a", ""},
		{"scp array", validate.ScopeClaim{Name: "scp", Array: true}, map[string]any{"scope": "admin", "scp": []string{"a", "b"}}, "a,b", ""},
		{"scp array with a space inside", validate.ScopeClaim{Name: "scp", Array: true}, map[string]any{"scp": []string{"a b"}}, "", validate.ErrClaimsInvalid},
		{"scp array with a number", validate.ScopeClaim{Name: "scp", Array: true}, map[string]any{"scp": []any{"a", 1}}, "", validate.ErrClaimsInvalid},
		{"string where an array is configured", validate.ScopeClaim{Name: "scp", Array: true}, map[string]any{"scp": "a"}, "", validate.ErrClaimsInvalid},
		{"scp absent", validate.ScopeClaim{Name: "scp", Array: true}, map[string]any{"scope": "admin"}, "", ""},
		{"null", validate.ScopeClaim{Name: "scp"}, map[string]any{"scp": map[string]any{}}, "", validate.ErrClaimsInvalid},
	} {
		t.Run(c.name, func(t *testing.T) {
			base := map[string]any{"scope": nil}
			for k, v := range c.claims {
				base[k] = v
			}
			j := verifier(t, s, func(v *validate.Config) { v.ScopeClaim = c.claim })
			tok, err := j.Verify(t.Context(), token(t, s, nil, base))
			wantCode(t, err, c.code)
			if err == nil && strings.Join(tok.Scopes, ",") != c.want {
				t.Errorf("scopes %q, want %q", tok.Scopes, c.want)
			}
		})
	}
}

// Every fault of a configuration is reported at once. [JO-01 JO-03 JO-04 CL-13]
func TestConfigFaults(t *testing.T) {
	_, err := validate.NewJWT(validate.Config{
		Profile: "lax", Algorithms: []string{"none", "HS256", "ESP256", "RS256"}, Leeway: 301 * time.Second, MaxLifetime: -1,
	})
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{"issuer is empty", "no key source", "audience", `"lax"`, `"none"`, `"HS256"`, `"ESP256"`, "leeway", "max lifetime"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not reported in:\n%v", want, err)
		}
	}
	if strings.Contains(err.Error(), "RS256") {
		t.Errorf("RS256 is reported in:\n%v", err)
	}
	for _, audience := range [][]string{nil, {}, {""}, {"a", ""}} {
		if _, err := validate.NewJWT(validate.Config{Issuer: "i", Keys: source{}, Audience: audience}); err == nil {
			t.Errorf("audience %q is accepted", audience)
		}
	}
	if _, err := validate.NewJWT(validate.Config{Issuer: "i", Keys: source{}, Audience: []string{"a"}, Leeway: 300 * time.Second}); err != nil {
		t.Error(err)
	}
}
