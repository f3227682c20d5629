package adapters_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/bearward/bearward/internal/issuer"
	"github.com/bearward/bearward/middleware"
	"github.com/bearward/bearward/validate"
)

// tokenCases sends every kind of token that the issuer can make, right and
// wrong ones. [CL-08 CL-21 CL-22 CL-23 ER-26]
func tokenCases() []testCase {
	var out []testCase
	for _, v := range issuer.Variants() {
		code := validate.Code(v.Code)
		c := testCase{name: v.Name, kind: v.Name, code: code, want: ok}
		if code != "" {
			c.want = string(rune(code.Class()))
		}
		out = append(out, c)
	}
	return out
}

func value(v string) func(string) []string { return func(string) []string { return []string{v} } }

func around(before, after string) func(string) []string {
	return func(good string) []string { return []string{before + good + after} }
}

func values(v ...string) func(string) []string {
	return func(good string) []string {
		out := make([]string, len(v))
		for i := range v {
			out[i] = strings.ReplaceAll(v[i], "TOKEN", good)
		}
		return out
	}
}

// headerCases are shapes of the Authorization field.
var headerCases = []testCase{
	{name: "none", values: func(string) []string { return nil }, want: "N", code: validate.ErrTokenMissing},
	{name: "empty", values: value(""), want: "N", code: validate.ErrTokenMissing},
	{name: "Bearer", want: ok},                                     // [TR-01 GR-01]
	{name: "bearer", values: around("bearer ", ""), want: ok},      // [TR-02]
	{name: "BEARER", values: around("BEARER ", ""), want: ok},      // [TR-02]
	{name: "two spaces", values: around("Bearer  ", ""), want: ok}, // [TR-03]
	{name: "many spaces", values: around("Bearer     ", ""), want: ok},
	{name: "space behind, trimmed by HTTP", values: around("Bearer ", " "), only: "http", want: ok},
	{name: "space behind, kept by gRPC", values: around("Bearer ", " "), only: "grpc", want: "R", code: validate.ErrRequestMalformed},
	{name: "scheme alone", values: value("Bearer"), want: "R", code: validate.ErrRequestMalformed},            // [TR-03]
	{name: "scheme and space", values: value("Bearer "), want: "R", code: validate.ErrRequestMalformed},       // [TR-03]
	{name: "tab", values: around("Bearer\t", ""), want: "R", code: validate.ErrRequestMalformed},              // [TR-03]
	{name: "space and tab", values: around("Bearer \t", ""), want: "R", code: validate.ErrRequestMalformed},   // [TR-03]
	{name: "two tokens", values: values("Bearer TOKEN TOKEN"), want: "R", code: validate.ErrRequestMalformed}, // [TR-03]
	{name: "something behind", values: around("Bearer ", " extra"), want: "R", code: validate.ErrRequestMalformed},
	{name: "comma, no space", values: values("Bearer TOKEN,TOKEN"), want: "R", code: validate.ErrTokenRepeated}, // [TR-06 GR-02]
	{name: "merged", values: values("Bearer TOKEN, Bearer TOKEN"), want: "R", code: validate.ErrRequestMalformed},
	{name: "merged without space", values: values("Bearer TOKEN,Bearer TOKEN"), want: "R", code: validate.ErrRequestMalformed},
	{name: "two equal values", values: values("Bearer TOKEN", "Bearer TOKEN"), want: "R", code: validate.ErrTokenRepeated}, // [TR-05 TR-06 GR-02]
	{name: "two values", values: values("Bearer TOKEN", "Bearer other"), want: "R", code: validate.ErrTokenRepeated},
	{name: "another scheme in front", values: values("Basic dTpw", "Bearer TOKEN"), want: "R", code: validate.ErrTokenRepeated},
	{name: "an empty one in front", values: values("", "Bearer TOKEN"), want: "R", code: validate.ErrTokenRepeated},
	{name: "an empty one behind", values: values("Bearer TOKEN", ""), want: "R", code: validate.ErrTokenRepeated},
	{name: "Basic", values: value("Basic dTpw"), want: "N", code: validate.ErrTokenMissing}, // [TR-07]
	{name: "Negotiate", values: value("Negotiate abc"), want: "N", code: validate.ErrTokenMissing},
	// The error is told in the scheme that was used; another scheme gets none. [ER-18]
	{name: "DPoP is not offered", values: around("DPoP ", ""), want: "N", code: validate.ErrTokenMissing},
	{name: "no scheme", values: around("", ""), want: "N", code: validate.ErrTokenMissing},
	{name: "longer scheme", values: around("Bearers ", ""), want: "N", code: validate.ErrTokenMissing},
	{name: "scheme with colon", values: around("Bearer: ", ""), want: "N", code: validate.ErrTokenMissing},
	{name: "scheme with equals", values: around("Bearer=", ""), want: "N", code: validate.ErrTokenMissing},
	{name: "quotes", values: around(`Bearer "`, `"`), want: "T", code: validate.ErrTokenMalformed},       // [TR-04]
	{name: "percent", values: around("Bearer %20", ""), want: "T", code: validate.ErrTokenMalformed},     // [TR-04]
	{name: "umlaut", values: around("Bearer \xc3\xa4", ""), want: "T", code: validate.ErrTokenMalformed}, // [TR-04]
	{name: "byte 0xff", values: around("Bearer ", "\xff"), want: "T", code: validate.ErrTokenMalformed},  // [TR-04]
	{name: "NUL", values: around("Bearer ", "\x00"), want: "T", code: validate.ErrTokenMalformed},        // [TR-04]
	{name: "line break", values: around("Bearer ", "\r\nX: y"), want: "R", code: validate.ErrRequestMalformed},
	{name: "DEL", values: around("Bearer ", "\x7f"), want: "T", code: validate.ErrTokenMalformed},
	{name: "equals in front", values: around("Bearer =", ""), want: "T", code: validate.ErrTokenMalformed}, // [TR-04]
	{name: "only padding", values: value("Bearer ===="), want: "T", code: validate.ErrTokenMalformed},
	{name: "opaque", values: value("Bearer mF_9.B5f-4.1JqM"), want: "T", code: validate.ErrNotJWT},
	{name: "one word", values: value("Bearer opaque"), want: "T", code: validate.ErrNotJWT},
	{name: "16 KiB", values: value("Bearer " + strings.Repeat("a", 16<<10)), want: "T", code: validate.ErrNotJWT},
	{name: "16 KiB and one", values: value("Bearer " + strings.Repeat("a", 16<<10+1)), want: "R", code: validate.ErrTokenTooLong}, // [TR-15]
}

func absent(string) []string { return nil }

const chunked = "Transfer-Encoding: chunked"

// elsewhereCases put a token where none is read. The token is the good one of
// the case, so that reading it would let the request pass.
var elsewhereCases = []testCase{
	{name: "query", only: "http", target: "/orders?access_token=TOKEN", values: absent, want: "N", code: validate.ErrTokenMissing}, // [TR-08]
	{name: "query beside a right one", only: "http", target: "/orders?access_token=other", want: ok},                               // [TR-08]
	{
		name: "form", only: "http", method: http.MethodPost, header: []string{"Content-Type: application/x-www-form-urlencoded"},
		body: "access_token=TOKEN", values: absent, want: "N", code: validate.ErrTokenMissing,
	},
	{
		name: "form beside a right one: the body stays", only: "http", method: http.MethodPost,
		header: []string{"Content-Type: application/x-www-form-urlencoded"}, body: "access_token=other", want: ok,
	},
	{name: "cookie", only: "http", header: []string{"Cookie: access_token=TOKEN; Authorization=TOKEN"}, values: absent, want: "N", code: validate.ErrTokenMissing}, // [TR-11]
	{name: "Proxy-Authorization", only: "http", header: []string{"Proxy-Authorization: Bearer TOKEN"}, values: absent, want: "N", code: validate.ErrTokenMissing},  // [TR-14]
	{name: "X-Forwarded-Authorization", only: "http", header: []string{"X-Forwarded-Authorization: Bearer TOKEN"}, values: absent, want: "N", code: validate.ErrTokenMissing},
	{
		name: "trailer", only: "http", method: http.MethodPost, header: []string{chunked, "Trailer: Authorization"}, // [TR-14]
		body: "2\r\nhi\r\n0\r\nAuthorization: Bearer TOKEN\r\n\r\n", values: absent, want: "N", code: validate.ErrTokenMissing,
	},
	{name: "metadata", only: "grpc", metadata: []string{"access_token: TOKEN", "cookie: access_token=TOKEN", "proxy-authorization: Bearer TOKEN", "x-authorization: Bearer TOKEN"}, values: absent, want: "N", code: validate.ErrTokenMissing},
	{name: "binary metadata", only: "grpc", metadata: []string{"authorization-bin: Bearer TOKEN"}, values: absent, want: "N", code: validate.ErrTokenMissing},
	{name: "absolute-form target", only: "http", target: "http://other.example.test/orders", want: ok},
}

func scopes(s string) map[string]any   { return map[string]any{"scope": s} }
func needs(s string) map[string]string { return map[string]string{"scope": s} }
func checks(err error) middleware.Policy {
	return middleware.Policy{}.WithCheck(func(context.Context, *validate.Token) error { return err })
}
func claim(name string, v any) map[string]any { return map[string]any{name: v} }

func hides(p middleware.Policy) middleware.Policy {
	p.Hide = true
	return p
}

var (
	write       = middleware.Scopes("orders:read", "orders:write")
	anyOf       = middleware.Policy{}.WithAnyScope("a", "b")
	optional    = middleware.Policy{Optional: true}
	noon        = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	ago         = func(d time.Duration) int64 { return noon.Add(-d).Unix() }
	stepUp      = middleware.Policy{}.WithACR("phr", "phrh").WithMaxAge(5 * time.Minute)
	asked       = map[string]string{"acr_values": "phr phrh", "max_age": "300"}
	errNotYours = errors.New("the order belongs to somebody else")
	implies     = middleware.Policy{AllScopes: []string{"read"}, Implies: func(have, need string) bool { return have == "admin" && need == "read" }}
	impliesAny  = middleware.Policy{AnyScope: []string{"write", "read"}, Implies: implies.Implies}
)

// clerks demands a list of each kind, pays a plain and a typed grant.
var (
	clerks = middleware.Policy{}.WithRoles("clerk").WithPermissions("refund").WithGroups("staff")
	pays   = middleware.Policy{}.WithDetails(
		middleware.Detail{Type: "account", Actions: []string{"read"}},
		middleware.MatchDetail("payment", func(_ context.Context, p payment) bool { return p.Currency == "EUR" }),
	)
	panicsOn = middleware.Policy{}.WithDetails(middleware.MatchDetail("payment", func(context.Context, payment) bool { panic("in the match") }))
)

type payment struct {
	Currency string `json:"currency"`
}

func listed(roles, permissions, groups string) map[string]any {
	return map[string]any{"roles": []string{roles}, "permissions": []string{permissions}, "groups": []string{groups}}
}

func granted(objects string) map[string]any {
	return claim("authorization_details", json.RawMessage(objects))
}

func panics(context.Context, *validate.Token) error { panic("in the check") }

var policyCases = []testCase{
	{name: "all scopes", policy: write, claims: scopes("orders:write x orders:read"), want: ok},                                                                        // [AZ-01 AZ-02]
	{name: "one scope is missing", policy: write, claims: scopes("orders:read"), want: "S", code: validate.ErrScopeMissing, params: needs("orders:read orders:write")}, // [AZ-01 AZ-05 MC-06]
	{name: "no scope claim", policy: write, want: "S", code: validate.ErrScopeMissing, params: needs("orders:read orders:write")},                                      // [AZ-03]
	{name: "longer scope", policy: middleware.Scopes("admin"), claims: scopes("superadmin admins"), want: "S", code: validate.ErrScopeMissing, params: needs("admin")}, // [AZ-02]
	{name: "scope in other case", policy: middleware.Scopes("admin"), claims: scopes("Admin"), want: "S", code: validate.ErrScopeMissing, params: needs("admin")},      // [AZ-02]
	{name: "no token, scopes named", policy: write, values: absent, want: "N", code: validate.ErrTokenMissing, params: needs("orders:read orders:write")},              // [MC-03]
	{name: "bad token, scopes named", policy: write, kind: "expired", want: "T", code: validate.ErrExpired, params: needs("orders:read orders:write")},
	{name: "bad token and missing scope", policy: write, kind: "expired", claims: scopes("x"), want: "T", code: validate.ErrExpired, params: needs("orders:read orders:write")}, // [ER-21]
	{name: "malformed request names no scope", policy: write, values: value("Bearer"), want: "R", code: validate.ErrRequestMalformed},
	{name: "any scope, first", policy: anyOf, claims: scopes("a"), want: ok},                                                     // [AZ-06]
	{name: "any scope, second", policy: anyOf, claims: scopes("b"), want: ok},                                                    // [AZ-06]
	{name: "any scope, none", policy: anyOf, claims: scopes("c"), want: "S", code: validate.ErrScopeMissing, params: needs("a")}, // [AZ-06]
	{name: "all and any", policy: middleware.Scopes("x").WithAnyScope("a", "b"), claims: scopes("x"), want: "S", code: validate.ErrScopeMissing, params: needs("x a")},
	{name: "implied", policy: implies, claims: scopes("admin"), want: ok},                                                                                        // [AZ-07]
	{name: "not implied", policy: implies, claims: scopes("admi"), want: "S", code: validate.ErrScopeMissing, params: needs("read")},                             // [AZ-07]
	{name: "openid is not suggested", policy: middleware.Scopes("openid", "offline_access", "x"), want: "S", code: validate.ErrScopeMissing, params: needs("x")}, // [MC-07]

	{name: "route audience", policy: middleware.Policy{Issuers: []string{"main"}}.WithAudience(admin), claims: claim("aud", []string{admin, "x"}), want: ok},        // [AZ-10]
	{name: "another route's audience", policy: middleware.Policy{Issuers: []string{"main"}}.WithAudience(admin), want: "T", code: validate.ErrRouteAudienceRefused}, // [AZ-10]
	{name: "route issuer", policy: middleware.Policy{}.WithIssuers("main"), want: ok},
	{name: "another route's issuer", policy: middleware.Policy{}.WithIssuers("other"), want: "T", code: validate.ErrIssuerRefused},
	{name: "other issuer", from: func(w *world) *issuer.Server { return w.other }, want: ok},
	{name: "other issuer, not here", policy: middleware.Policy{}.WithIssuers("main"), from: func(w *world) *issuer.Server { return w.other }, want: "T", code: validate.ErrIssuerRefused},
	{name: "other issuer, named here", policy: middleware.Policy{}.WithIssuers("other"), from: func(w *world) *issuer.Server { return w.other }, want: ok},
	{name: "any scope beside the same", policy: middleware.Scopes("a").WithAnyScope("a", "b"), want: "S", code: validate.ErrScopeMissing, params: needs("a")},
	{name: "scheme", policy: middleware.Policy{Schemes: []string{"bearer"}}, want: ok},
	{name: "compat takes typ JWT", compat: true, kind: "typ-jwt", want: ok},
	{name: "route tightens compat", compat: true, kind: "typ-jwt", policy: middleware.Policy{Profile: validate.RFC9068}, want: "T", code: validate.ErrProfileRefused},
	{name: "route tightens compat, jti", compat: true, kind: "no-jti", policy: middleware.Policy{Profile: validate.RFC9068}, want: "T", code: validate.ErrProfileRefused},
	{name: "tightened route, strict token", compat: true, policy: middleware.Policy{Profile: validate.RFC9068}, want: ok},
	{name: "compat, bound token", compat: true, kind: "cnf-jkt", want: "T", code: validate.ErrConfirmationUnproven}, // [CL-21]

	{name: "step-up satisfied", policy: stepUp, claims: map[string]any{"acr": "phrh", "auth_time": ago(time.Minute)}, want: ok},                                                           // [AZ-16]
	{name: "other acr", policy: stepUp, claims: map[string]any{"acr": "pwd", "auth_time": ago(time.Minute)}, want: "A", code: validate.ErrAuthenticationContext, params: asked},           // [AZ-15 AZ-16]
	{name: "acr in other case", policy: stepUp, claims: map[string]any{"acr": "PHR", "auth_time": ago(0)}, want: "A", code: validate.ErrAuthenticationContext, params: asked},             // [AZ-16]
	{name: "no acr", policy: stepUp, claims: map[string]any{"auth_time": ago(0)}, want: "A", code: validate.ErrAuthenticationContext, params: asked},                                      // [AZ-16]
	{name: "no auth_time", policy: stepUp, claims: map[string]any{"acr": "phr"}, want: "A", code: validate.ErrAuthenticationAge, params: asked},                                           // [AZ-16]
	{name: "age at its limit", policy: stepUp, claims: map[string]any{"acr": "phr", "auth_time": ago(6 * time.Minute)}, want: ok},                                                         // [AZ-16]
	{name: "too old", policy: stepUp, claims: map[string]any{"acr": "phr", "auth_time": ago(6*time.Minute + time.Second)}, want: "A", code: validate.ErrAuthenticationAge, params: asked}, // [AZ-16]
	{name: "max_age alone", policy: middleware.Policy{}.WithMaxAge(time.Second), want: "A", code: validate.ErrAuthenticationAge, params: map[string]string{"max_age": "1"}},
	{
		name: "other acr and missing scope", policy: middleware.Scopes("pay").WithACR("phr"), want: "A", code: validate.ErrAuthenticationContext, // [AZ-15]
		params: map[string]string{"acr_values": "phr", "scope": "pay"},
	},
	{
		name: "other acr, scope is there", policy: middleware.Scopes("pay").WithACR("phr"), claims: scopes("pay"), want: "A",
		code: validate.ErrAuthenticationContext, params: map[string]string{"acr_values": "phr"},
	},
	{name: "scope missing, acr right", policy: middleware.Scopes("pay").WithACR("phr"), claims: claim("acr", "phr"), want: "S", code: validate.ErrScopeMissing, params: needs("pay")},
	{name: "bad token tells no acr", policy: stepUp, kind: "expired", want: "T", code: validate.ErrExpired},                                // [AZ-17]
	{name: "no token tells no acr", policy: stepUp, values: absent, want: "N", code: validate.ErrTokenMissing},                             // [AZ-17 PV-04]
	{name: "client on a step-up route", policy: stepUp, kind: "client", want: "F", code: validate.ErrAuthenticationImpossible},             // [AZ-18]
	{name: "client, scope missing too", policy: write.WithACR("x"), kind: "client", want: "F", code: validate.ErrAuthenticationImpossible}, // [AZ-18 ER-21]

	{name: "client where users belong", policy: middleware.Policy{UserOnly: true}, kind: "client", want: "F", code: validate.ErrUserRequired}, // [CL-17]
	{name: "user where users belong", policy: middleware.Policy{UserOnly: true}, want: ok},                                                    // [CL-17]
	{name: "client marked idtyp", policy: middleware.Policy{UserOnly: true}, claims: claim("idtyp", "app"), want: "F", code: validate.ErrUserRequired},
	{name: "delegated", policy: middleware.Policy{NoDelegation: true}, kind: "delegated", want: "F", code: validate.ErrDelegationRefused}, // [CL-26]
	{name: "not delegated", policy: middleware.Policy{NoDelegation: true}, want: ok},                                                      // [CL-26]
	{name: "may_act grants nothing", policy: middleware.Policy{NoDelegation: true}, claims: claim("may_act", map[string]any{"sub": "x"}), want: ok},

	{name: "roles, permissions and groups", policy: clerks, claims: listed("clerk", "refund", "staff"), want: ok},                                   // [AZ-08]
	{name: "no role", policy: clerks, claims: scopes("clerk refund staff"), want: "F", code: validate.ErrRoleMissing},                               // [AZ-08]
	{name: "role missing", policy: clerks, claims: listed("Clerk", "refund", "staff"), want: "F", code: validate.ErrRoleMissing},                    // [AZ-08]
	{name: "permission missing", policy: clerks, claims: listed("clerk", "refunds", "staff"), want: "F", code: validate.ErrRoleMissing},             // [AZ-08]
	{name: "group missing", policy: clerks, claims: listed("clerk", "refund", "clerk"), want: "F", code: validate.ErrRoleMissing},                   // [AZ-08]
	{name: "role of a wrong type", policy: clerks, claims: claim("roles", "clerk"), want: "T", code: validate.ErrClaimsInvalid},                     // [CL-23]
	{name: "hidden, role missing", policy: hides(clerks), want: "H", code: validate.ErrRoleMissing},                                                 // [ER-22]
	{name: "implied, none of any", policy: impliesAny, claims: scopes("reader"), want: "S", code: validate.ErrScopeMissing, params: needs("write")}, // [AZ-07]
	{name: "implied, one of any", policy: impliesAny, claims: scopes("admin"), want: ok},                                                            // [AZ-07]
	{name: "details", policy: pays, claims: granted(`[{"type":"payment","currency":"EUR"},{"type":"account","actions":["read"]}]`), want: ok},       // [AZ-14]
	{name: "no details", policy: pays, want: "F", code: validate.ErrDetailsMissing},                                                                 // [AZ-14]
	{name: "details of one", policy: pays, claims: granted(`[{"type":"account","actions":["read"]}]`), want: "F", code: validate.ErrDetailsMissing}, // [AZ-14]
	{name: "details, typed refusal", policy: pays, claims: granted(`[{"type":"account","actions":["read"]},{"type":"payment"}]`), want: "F", code: validate.ErrDetailsMissing},
	{name: "details, unknown member", policy: pays, claims: granted(`[{"type":"account","actions":["read"],"x":1},{"type":"payment","currency":"EUR"}]`), want: "F", code: validate.ErrDetailsMissing}, // [AZ-12]
	{name: "details of no form", policy: pays, claims: granted(`{"type":"account"}`), want: "T", code: validate.ErrClaimsInvalid},                                                                      // [AZ-11]
	{name: "details without type", claims: granted(`[{"actions":["read"]}]`), want: "T", code: validate.ErrClaimsInvalid},                                                                              // [AZ-11]
	{name: "details match panics", policy: panicsOn, claims: granted(`[{"type":"payment"}]`), want: "E", code: validate.ErrInternal},                                                                   // [PV-07]
	{name: "scope before details", policy: middleware.Scopes("x").WithDetails(pays.Details...), want: "S", code: validate.ErrScopeMissing, params: needs("x")},                                         // [AZ-14]
	{name: "details before roles", policy: pays.WithRoles("clerk"), want: "F", code: validate.ErrDetailsMissing},                                                                                       // [AZ-14]

	{name: "optional, none", policy: optional, values: absent, want: nothing},
	{name: "optional, good", policy: optional, want: ok},
	{name: "optional, bad", policy: optional, kind: "expired", want: "T", code: validate.ErrExpired},
	{name: "optional, empty value", policy: optional, values: value(""), want: "N", code: validate.ErrTokenMissing},
	{name: "optional, another scheme", policy: optional, values: value("Basic dTpw"), want: "N", code: validate.ErrTokenMissing},
	{name: "optional, two values", policy: optional, values: values("Bearer TOKEN", "Bearer TOKEN"), want: "R", code: validate.ErrTokenRepeated},
	{name: "public, none", policy: middleware.Public(), values: absent, want: nothing},
	{name: "public, garbage", policy: middleware.Public(), values: values("Bearer \x01 \xff,,", "x"), want: nothing},
	{name: "public, good", policy: middleware.Public(), want: nothing},

	{name: "hidden, no token", policy: hides(write), values: absent, want: "N", code: validate.ErrTokenMissing, params: needs("orders:read orders:write")}, // [ER-22]
	{name: "hidden, bad token", policy: hides(write), kind: "expired", want: "T", code: validate.ErrExpired, params: needs("orders:read orders:write")},    // [ER-22]
	{name: "hidden, missing scope", policy: hides(write), want: "H", code: validate.ErrScopeMissing},                                                       // [ER-22]
	{name: "hidden, refused", policy: hides(checks(errNotYours)), want: "H", code: validate.ErrCheckRefused},                                               // [ER-22]
	{name: "hidden, step-up", policy: hides(stepUp), want: "A", code: validate.ErrAuthenticationContext, params: asked},
	{name: "hidden, unavailable", policy: hides(checks(validate.ErrUnavailable)), want: "V", code: validate.ErrUnavailable},

	{name: "check passes", policy: checks(nil), want: ok},
	{name: "check refuses", policy: checks(errNotYours), want: "F", code: validate.ErrCheckRefused}, // [AZ-08]
	{name: "check without service", policy: checks(validate.ErrUnavailable), want: "V", code: validate.ErrUnavailable},
	{name: "check without service, coded", policy: checks(&validate.Error{Code: validate.ErrUnavailable, Err: errNotYours}), want: "V", code: validate.ErrUnavailable},
	{name: "check is broken", policy: checks(validate.ErrInternal), want: "E", code: validate.ErrInternal},
	{name: "check cannot blame the token", policy: checks(validate.ErrExpired), want: "F", code: validate.ErrCheckRefused},
	{name: "check has a code of its own", policy: checks(validate.Code("mine")), want: "E", code: "mine"},
	{name: "check panics", policy: middleware.Policy{}.WithCheck(panics), want: "E", code: validate.ErrInternal}, // [PV-07]
	{name: "check comes last", policy: middleware.Scopes("x").WithCheck(panics), want: "S", code: validate.ErrScopeMissing, params: needs("x")},
}

var outageCases = []testCase{
	{name: "never loaded", world: func(w *world) { w.fault(issuer.Down) }, want: "V", code: validate.ErrKeysUnavailable, wait: true}, // [ER-23 GR-06 JK-17]
	{name: "garbage", world: func(w *world) { w.fault(issuer.Garbage) }, want: "V", code: validate.ErrKeysUnavailable, wait: true},   // [ER-23]
	{name: "no keys", world: func(w *world) { w.fault(issuer.EmptySet) }, want: "V", code: validate.ErrKeysUnavailable, wait: true},  // [ER-23]
	{name: "another issuer's metadata", world: func(w *world) { w.fault(issuer.WrongIssuer) }, want: "V", code: validate.ErrKeysUnavailable, wait: true},
	{name: "loaded, then down", world: func(w *world) { w.load(); w.fault(issuer.Down) }, want: ok},
	{name: "unknown kid while down", kind: "unknown-kid", world: func(w *world) { w.load(); w.fault(issuer.Down) }, want: "T", code: validate.ErrKeyUnknown},
	{
		name: "unknown kid, keys past their freshness", kind: "unknown-kid", // a new key may exist
		world: func(w *world) { w.load(); w.fault(issuer.Down); w.clock.advance(time.Hour) },
		want:  "V", code: validate.ErrKeysUnavailable, wait: true,
	},
	{
		name: "known kid, keys past their freshness", want: ok,
		world: func(w *world) { w.load(); w.fault(issuer.Down); w.clock.advance(time.Hour) },
	},
	{
		name: "keys past max_stale", want: "V", code: validate.ErrKeysUnavailable, wait: true,
		world: func(w *world) { w.load(); w.fault(issuer.Down); w.clock.advance(25 * time.Hour) },
	},
	{name: "one issuer down, the other serves", from: func(w *world) *issuer.Server { return w.other }, world: func(w *world) { w.fault(issuer.Down) }, want: ok},
	{name: "expired while never loaded", kind: "expired", world: func(w *world) { w.fault(issuer.Down) }, want: "T", code: validate.ErrExpired},
	{name: "closed", world: func(w *world) { _ = w.strict.Close() }, want: "V", code: validate.ErrGuardClosed},
	{name: "closed and public", policy: middleware.Public(), world: func(w *world) { _ = w.strict.Close() }, want: "V", code: validate.ErrGuardClosed},
}

const (
	origin    = "Origin: https://app.example.test"
	asksFor   = "Access-Control-Request-Method: POST"
	early     = "Early-Data: 1"
	asksEmpty = "Access-Control-Request-Method:"
)

// httpCases exist over HTTP only.
var httpCases = []testCase{
	{name: "preflight", only: "http", method: http.MethodOptions, header: []string{origin, asksFor}, values: absent, want: nothing}, // [TR-16]
	{name: "preflight with a token", only: "http", method: http.MethodOptions, header: []string{origin, asksFor}, want: nothing},
	{name: "OPTIONS", only: "http", method: http.MethodOptions, values: absent, want: "N", code: validate.ErrTokenMissing}, // [TR-16]
	{name: "OPTIONS with Origin", only: "http", method: http.MethodOptions, header: []string{origin}, values: absent, want: "N", code: validate.ErrTokenMissing, expose: true},
	{name: "OPTIONS with a method", only: "http", method: http.MethodOptions, header: []string{asksFor}, values: absent, want: "N", code: validate.ErrTokenMissing},
	{name: "OPTIONS, empty method", only: "http", method: http.MethodOptions, header: []string{origin, asksEmpty}, values: absent, want: "N", code: validate.ErrTokenMissing, expose: true},
	{name: "OPTIONS, two origins", only: "http", method: http.MethodOptions, header: []string{origin, origin, asksFor}, values: absent, want: "N", code: validate.ErrTokenMissing, expose: true},
	{name: "GET like a preflight", only: "http", header: []string{origin, asksFor}, values: absent, want: "N", code: validate.ErrTokenMissing, expose: true},
	{name: "options in small letters", only: "http", method: "options", header: []string{origin, asksFor}, values: absent, want: "N", code: validate.ErrTokenMissing, expose: true},
	{name: "cross-origin refusal", only: "http", header: []string{origin}, kind: "expired", want: "T", code: validate.ErrExpired, expose: true}, // [TR-17]
	{name: "cross-origin, no challenge", only: "http", header: []string{origin}, policy: checks(errNotYours), want: "F", code: validate.ErrCheckRefused},
	{name: "early GET", only: "http", header: []string{early}, want: ok},                                                          // [TR-20]
	{name: "early POST", only: "http", method: http.MethodPost, header: []string{early}, want: "425", code: validate.ErrTooEarly}, // [TR-20]
	{name: "early DELETE without token", only: "http", method: http.MethodDelete, header: []string{early}, values: absent, want: "425", code: validate.ErrTooEarly},
	{name: "early POST, optional", only: "http", method: http.MethodPost, header: []string{early}, policy: optional, values: absent, want: "425", code: validate.ErrTooEarly},
	{name: "early POST, public", only: "http", method: http.MethodPost, header: []string{early}, policy: middleware.Public(), values: absent, want: nothing},
	{name: "early POST, odd value", only: "http", method: http.MethodPost, header: []string{"Early-Data: 0"}, want: "425", code: validate.ErrTooEarly},
	{name: "HEAD", only: "http", method: http.MethodHead, values: absent, want: "N", code: validate.ErrTokenMissing},
}
