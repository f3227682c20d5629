package stuck

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/bearward/bearward"
	"github.com/bearward/bearward/bearwardtest"
	"github.com/bearward/bearward/middleware"
	"github.com/bearward/bearward/validate"
)

const (
	tenant = "72f988bf-86f1-41af-91ab-2d7cd011db47"
	entra  = "https://login.microsoftonline.com/" + tenant + "/v2.0"
)

// claimsOf are those of a token of a provider, with changes.
func claimsOf(issuer string, more map[string]any) map[string]any {
	c := map[string]any{"iss": issuer, "aud": resource, "sub": "s", "iat": 1_700_000_000, "exp": 4_102_444_800, "jti": "j"}
	for name, value := range more {
		if c[name] = value; value == nil {
			delete(c, name)
		}
	}
	return c
}

var es256 = map[string]any{"alg": "ES256", "typ": "JWT", "kid": "k"}

// provider explains a token at an issuer with a preset.
func provider(preset, issuer string, header, claims map[string]any, change ...func(*bearward.Issuer)) func(*testing.T) string {
	return func(t *testing.T) string {
		t.Helper()
		guard, err := offline(t, issuer, preset, change...)
		if err != nil {
			t.Fatal(err)
		}
		return explained(t, guard, unsigned(t, header, claims))
	}
}

// wrong explains a token that is wrong in one way.
func wrong(kind string) func(*testing.T) string {
	return func(t *testing.T) string {
		t.Helper()
		iss := bearwardtest.NewIssuer(t)
		return explained(t, iss.Guard(), iss.Wrong(kind))
	}
}

// reproductions are by the names of entries: each fails as people see it, and
// returns what is said about it. Where the way out can be gone, it is.
var reproductions = map[string]func(*testing.T) string{
	"The token is for another audience, or for several": func(t *testing.T) string {
		iss := bearwardtest.NewIssuer(t)
		guard := iss.Guard()
		passes(t, guard, iss.JWT(bearwardtest.Claims{Audience: []string{"https://other.example.test", iss.Config().Resource}}))
		return explained(t, guard, iss.JWT(bearwardtest.Claims{Audience: []string{"https://other.example.test"}}))
	},
	"An opaque token, because the client asked for no audience": func(t *testing.T) string {
		guard, err := offline(t, "https://login.example.test", "")
		if err != nil {
			t.Fatal(err)
		}
		return explained(t, guard, "an-opaque-token")
	},
	"A v1 token of Entra at a v2 issuer": provider("entra", entra, es256,
		claimsOf("https://sts.windows.net/"+tenant+"/", map[string]any{"ver": "1.0", "appid": "c", "tid": tenant})),
	"A token for Microsoft Graph, which can never be verified": provider("entra", entra,
		map[string]any{"alg": "ES256", "typ": "JWT", "kid": "k", "nonce": "n"},
		claimsOf(entra, map[string]any{"aud": "https://graph.microsoft.com", "ver": "2.0", "azp": "c", "tid": tenant})),
	"The final slash of the issuer": provider("", "https://login.example.test", es256, claimsOf("https://login.example.test/", nil)),
	"Keycloak's tokens say aud: account": provider("keycloak", "https://sso.example.test/realms/a", es256,
		claimsOf("https://sso.example.test/realms/a", map[string]any{"aud": "account", "typ": "Bearer", "azp": "c"})),
	"Cognito's tokens have no aud": provider("cognito", "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_a", es256,
		claimsOf("https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_a", map[string]any{"aud": nil, "token_use": "access", "client_id": "c"})),
	"Keys were rotated": func(t *testing.T) string {
		iss := bearwardtest.NewIssuer(t)
		guard := iss.Guard()
		passes(t, guard, iss.JWT())
		iss.Clock.Advance(time.Minute)
		iss.Rotate()
		passes(t, guard, iss.JWT())
		return ""
	},
	"The issuer is down": func(t *testing.T) string {
		iss := bearwardtest.NewIssuer(t)
		iss.Break(bearwardtest.Down)
		guard, token := iss.Guard(), iss.JWT()
		_, d := guard.Decide(t.Context(), request("GET", "/", "Bearer "+token), middleware.Policy{})
		if d.Denial == nil || d.Denial.Status != http.StatusServiceUnavailable {
			t.Errorf("%+v", d.Denial)
		}
		return explained(t, guard, token)
	},
	"Scopes are in scp or permissions": func(t *testing.T) string {
		iss := bearwardtest.NewIssuer(t)
		token := iss.JWT(bearwardtest.Claims{Extra: map[string]any{"permissions": []string{"read"}}})
		cfg := iss.Config()
		cfg.Issuers[0].ScopeClaim = validate.ScopeClaim{Name: "permissions", Array: true}
		if _, err := iss.Guard(cfg).Check(t.Context(), request("GET", "/", "Bearer "+token), middleware.Scopes("read")); err != nil {
			t.Error(err)
		}
		return explained(t, iss.Guard(), token, middleware.Scopes("read"))
	},
	"WebSocket and SSE in browsers cannot send headers": func(t *testing.T) string {
		iss := bearwardtest.NewIssuer(t)
		r := request("GET", "/events", "")
		r.RawQuery = "access_token=" + iss.JWT()
		return iss.Guard().Explain(t.Context(), r, middleware.Policy{}).String()
	},
	"Are there tokens in the logs?": func(t *testing.T) string {
		iss := bearwardtest.NewIssuer(t)
		guard, log := logged(t, iss)
		token := iss.Wrong("expired")
		_, _ = guard.Check(t.Context(), request("GET", "/", "Bearer "+token), middleware.Policy{})
		if !strings.Contains(log.String(), "token_ref=") || strings.Contains(log.String(), token[:20]) {
			t.Errorf("%s", log)
		}
		return ""
	},
	"401 without a reason": func(t *testing.T) string {
		iss := bearwardtest.NewIssuer(t)
		var log *bytes.Buffer
		guard, log := logged(t, iss)
		_, _ = guard.Check(t.Context(), request("GET", "/", "Bearer "+iss.Wrong("expired")), middleware.Policy{})
		return log.String()
	},
	"An ID token was sent":          wrong("id-token"),
	"HS256 where RS256 is expected": wrong("hs256-pem"),
	"The token is too long":         wrong("huge"),
	"A certificate-bound token behind a proxy": func(t *testing.T) string {
		iss := bearwardtest.NewIssuer(t)
		return explained(t, iss.Guard(), iss.Certificate().JWT())
	},
	"DPoP: htu behind a proxy or a path prefix": func(t *testing.T) string {
		iss := bearwardtest.NewIssuer(t)
		client := iss.DPoP()
		token := client.JWT()
		cfg := iss.Config()
		sent := func(public string) middleware.Report {
			cfg.PublicURLs = []string{public}
			r := request("GET", "/orders", "DPoP "+token)
			r.Header.(http.Header).Set("Dpop", client.Proof(bearwardtest.Proof{Method: "GET", URL: "https://api.example.test/v1/orders", Token: token}))
			return iss.Guard(cfg).Explain(t.Context(), r, middleware.Policy{})
		}
		if report := sent("https://api.example.test/v1"); !report.Allowed {
			t.Errorf("the way out does not work:\n%s", report)
		}
		return sent("https://api.example.test").String()
	},
	"Several identity providers": func(t *testing.T) string {
		one, other := bearwardtest.NewIssuer(t), bearwardtest.NewIssuer(t)
		cfg := one.Config()
		cfg.Issuers[0].OpaquePrefix = "a_"
		cfg.Issuers = append(cfg.Issuers, other.Config().Issuers...)
		cfg.Issuers[1].OpaquePrefix, cfg.Issuers[1].Name = "b_", "other"
		guard := one.Guard(cfg)
		passes(t, guard, one.JWT())
		passes(t, guard, other.JWT())
		if report := explained(t, guard, one.JWT(), middleware.Policy{Issuers: []string{"other"}}); !strings.Contains(report, "accepts other issuers only") {
			t.Errorf("%s", report)
		}
		return ""
	},
	"A revoked token still passes": func(t *testing.T) string {
		iss := bearwardtest.NewIssuer(t)
		guard, token := iss.Guard(), iss.Opaque()
		passes(t, guard, token)
		iss.Revoke(token)
		passes(t, guard, token)
		guard.Flush(token)
		explained(t, guard, token)
		return ""
	},
}
