package middleware_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/bearward/bearward/bearwardtest"
	"github.com/bearward/bearward/middleware"
)

// A report on missing scopes names the claim that seems to have them.
func TestScopesElsewhere(t *testing.T) {
	iss := bearwardtest.NewIssuer(t)
	guard := iss.Guard()
	const whole = "ask for all scopes named in the challenge at once"
	for name, c := range map[string]struct {
		claims bearwardtest.Claims
		fix    string
	}{
		"scp":          {bearwardtest.Claims{Extra: map[string]any{"scp": []string{"read"}}}, "scope_claim: {name: scp, type: array}"},
		"scp as text":  {bearwardtest.Claims{Extra: map[string]any{"scp": "read"}}, "scope_claim: {name: scp} "},
		"permissions":  {bearwardtest.Claims{Extra: map[string]any{"permissions": []string{"read"}}}, "scope_claim: {name: permissions, type: array}"},
		"nothing":      {bearwardtest.Claims{}, whole},
		"empty":        {bearwardtest.Claims{Extra: map[string]any{"scp": []string{}}}, whole},
		"another kind": {bearwardtest.Claims{Extra: map[string]any{"scp": 7}}, whole},
		"both":         {bearwardtest.Claims{Scope: "write", Extra: map[string]any{"scp": []string{"read"}}}, whole},
	} {
		r := middleware.Request{
			Method: http.MethodGet, Scheme: "https", Host: "a", RawPath: "/",
			Header: http.Header{"Authorization": {"Bearer " + iss.JWT(c.claims)}},
		}
		if report := guard.Explain(t.Context(), r, middleware.Scopes("read")).String(); !strings.Contains(report, "fix: ") || !strings.Contains(report, c.fix) {
			t.Errorf("%s: %q is not in\n%s", name, c.fix, report)
		}
	}
}
