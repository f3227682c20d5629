package demo

import (
	"slices"

	"github.com/bearward/bearward/validate"
)

var (
	bearer  = []string{"Authorization: Bearer {token}"}
	read    = Token{Scope: "orders:read"}
	nothing = Token{} // a right token without scopes
)

func kind(name string) Token { return Token{Kind: name, Scope: "orders:read"} }

const (
	getOrders  = "GET /orders"
	listOrders = "/" + service + "/List"
)

var sections = []Section{
	{"A right token: the same guard lets it through everywhere", []Case{
		{200, "right token, net/http", HTTP, getOrders, bearer, read, ""},
		{200, "right token, gin", Gin, getOrders, bearer, read, ""},
		{0, "right token, gRPC", GRPC, listOrders, bearer, read, ""},
		{0, "right token, gRPC stream", GRPC, "/" + service + "/Watch stream", bearer, read, ""},
		{200, "public route: no credentials are read", HTTP, "GET /healthz", nil, nothing, ""},
	}},
	{"No token, or none that can be read", []Case{
		{401, "no token: a challenge without error", HTTP, getOrders, nil, nothing, validate.ErrTokenMissing},
		{401, "no token, gin: the same answer", Gin, getOrders, nil, nothing, validate.ErrTokenMissing},
		{401, "Basic is no scheme of this API: as no token", HTTP, getOrders, []string{"Authorization: Basic dXNlcjpwYXNz"}, nothing, validate.ErrTokenMissing},
		{401, "a token in the query is ignored", HTTP, getOrders + "?access_token={token}", nil, read, validate.ErrTokenMissing},
		{400, "malformed header: scheme without token", HTTP, getOrders, []string{"Authorization: Bearer"}, nothing, validate.ErrRequestMalformed},
		{400, "two Authorization headers, even of equal value", HTTP, getOrders, slices.Concat(bearer, bearer), read, validate.ErrTokenRepeated},
	}},
	{"The right issuer, the wrong token", []Case{
		{401, "expired an hour ago", HTTP, getOrders, bearer, kind("expired"), ""},
		{401, "expired, gin", Gin, getOrders, bearer, kind("expired"), ""},
		{401, "not valid before next hour", HTTP, getOrders, bearer, kind("not-yet-valid"), ""},
		{401, "meant for another API", HTTP, getOrders, bearer, kind("wrong-audience"), ""},
		{401, "an ID token is not an access token", HTTP, getOrders, bearer, kind("id-token"), ""},
	}},
	{"Forged and hostile tokens", []Case{
		{401, "alg none", HTTP, getOrders, bearer, kind("alg-none"), ""},
		{401, "HS256 with the public key as secret", HTTP, getOrders, bearer, kind("hs256-pem"), ""},
		{401, "one bit of the signature changed", HTTP, getOrders, bearer, kind("bad-signature"), ""},
		{401, "subject changed after signing", HTTP, getOrders, bearer, kind("changed-claims"), ""},
		{401, "signed by the key in its own header", HTTP, getOrders, bearer, kind("embedded-key"), ""},
		{401, "a key id that the issuer does not publish", HTTP, getOrders, bearer, kind("unknown-kid"), ""},
		{401, "issuer that nobody configured; no call is made to it", HTTP, getOrders, bearer, kind("wrong-issuer"), ""},
		{401, "right in all, but from another running issuer", HTTP, getOrders, bearer, Token{Scope: "orders:read", Stranger: true}, validate.ErrIssuerUnknown},
		{401, "a claim that stands twice", HTTP, getOrders, bearer, kind("duplicate-claim"), ""},
		{401, "claims nested 1,000 deep", HTTP, getOrders, bearer, kind("deep"), ""},
		{400, "a token of more than 16 KiB", HTTP, getOrders, bearer, kind("huge"), ""},
	}},
	{"A right token that may not do this", []Case{
		{403, "scope missing: the challenge names what to ask for", HTTP, "POST /orders", bearer, read, validate.ErrScopeMissing},
		{403, "scope missing, gin", Gin, "POST /orders", bearer, read, validate.ErrScopeMissing},
		{201, "with the scope", HTTP, "POST /orders", bearer, Token{Scope: "orders:write"}, ""},
		{401, "step-up: this route wants acr phr (phishing-resistant)", HTTP, "GET /orders/export", bearer, read, validate.ErrAuthenticationContext},
		{200, "a user on a route for users", HTTP, "GET /me", bearer, nothing, ""},
		{403, "a client without user on a route for users", HTTP, "GET /me", bearer, Token{Kind: "client"}, validate.ErrUserRequired},
	}},
	{"Opaque tokens: the issuer is asked", []Case{
		{200, "opaque token: its issuer says what it means (RFC 7662)", HTTP, getOrders, bearer, kind("opaque"), ""},
		{0, "opaque token, gRPC", GRPC, listOrders, bearer, kind("opaque"), ""},
		{401, "revoked at the issuer, which calls it inactive", HTTP, getOrders, bearer, kind("opaque-revoked"), ""},
		{401, "nobody has issued it", HTTP, getOrders, []string{"Authorization: Bearer nobody-made-this"}, nothing, validate.ErrInactive},
		{401, "opaque, and meant for another API", HTTP, getOrders, bearer, Token{Kind: "opaque", Scope: "orders:read", Audience: "https://other.example.test"}, validate.ErrAudienceRefused},
		{403, "opaque, and its scope is missing", HTTP, "POST /orders", bearer, kind("opaque"), validate.ErrScopeMissing},
	}},
	{"Roles, and a list of what was taken back", []Case{
		{403, "role missing: no scope would help, so there is no challenge", HTTP, "DELETE /orders", bearer, read, validate.ErrRoleMissing},
		{200, "with the role", HTTP, "DELETE /orders", bearer, Token{Role: "admin"}, ""},
		{401, "this client's tokens are on the guard's own revocation list", HTTP, getOrders, bearer, Token{Scope: "orders:read", Client: lostClient}, validate.ErrRevoked},
		{401, "and its opaque ones, whatever the issuer says", HTTP, getOrders, bearer, Token{Kind: "opaque", Scope: "orders:read", Client: lostClient}, validate.ErrRevoked},
	}},
	ofKey,
	ofCertificate,
	{"What clients and browsers ask for", []Case{
		{200, "metadata of this API (RFC 9728): issuers and scopes", HTTP, "GET /.well-known/oauth-protected-resource", nil, nothing, ""},
		{204, "CORS preflight: goes to the CORS layer without a token", HTTP, "OPTIONS /orders", []string{"Origin: https://shop.example", "Access-Control-Request-Method: GET"}, nothing, ""},
		{401, "OPTIONS that is no preflight: protected", HTTP, "OPTIONS /orders", nil, nothing, validate.ErrTokenMissing},
		{404, "unknown path: the router's own answer, no handler is behind it", HTTP, "GET /nothing-here", bearer, read, ""},
	}},
	{"gRPC: the same decisions, said in gRPC's words", []Case{
		{16, "no token", GRPC, listOrders, nil, nothing, validate.ErrTokenMissing},
		{16, "expired", GRPC, listOrders, bearer, kind("expired"), ""},
		{16, "expired, refused before the first message of a stream", GRPC, "/" + service + "/Watch stream", bearer, kind("expired"), ""},
		{7, "scope missing", GRPC, "/" + service + "/Create", bearer, read, validate.ErrScopeMissing},
		{7, "a method that nobody listed is denied", GRPC, "/" + service + "/Delete", bearer, read, validate.ErrRouteDenied},
		{0, "health is public because it is listed as public", GRPC, "/grpc.health.v1.Health/Check", nil, nothing, ""},
	}},
	{"A story: the issuer rotates its key", []Case{
		{200, "the issuer makes a new key and signs with it", Control, "POST /rotate", nil, nothing, ""},
		{200, "a token of the new key passes at once: unknown keys are asked for", HTTP, getOrders, bearer, read, ""},
	}},
	{"A story: the issuer is down", []Case{
		{200, "an opaque token is asked about, and the answer remembered", HTTP, getOrders, bearer, kind("opaque-kept"), ""},
		{200, "from now on the issuer hangs up (its token endpoint stays)", Control, "POST /down", nil, nothing, ""},
		{200, "the API goes on with the keys it has", HTTP, getOrders, bearer, read, ""},
		{401, "and still refuses what is wrong", HTTP, getOrders, bearer, kind("bad-signature"), ""},
		{200, "the remembered opaque token passes, too", HTTP, getOrders, bearer, kind("opaque-kept"), ""},
		{503, "a new one is neither right nor wrong: nobody can say", HTTP, getOrders, bearer, kind("opaque"), validate.ErrIntrospectionUnavailable},
		{200, "the issuer is back", Control, "POST /up", nil, nothing, ""},
	}},
}
