package issuer

import (
	"slices"
	"time"

	"github.com/bearward/bearward/internal/forge"
	"github.com/bearward/bearward/internal/jose"
)

// hour is long enough for every leeway.
const hour = forge.After(time.Hour)

// thumbprint has the form of a SHA-256 thumbprint; nobody has its key.
var thumbprint = jose.Encode(make([]byte, 32))

var variants = slices.Concat(ordinary, otherKinds, headers, missing(), mistyped(), values, bindings, payloads, spellings)

// ordinary is what goes wrong every day, and what is right but unusual.
var ordinary = []Variant{
	{Name: "valid", What: "a right token"},
	{Name: "client", What: "stands for a client: sub equals client_id", edit: asClient},
	{Name: "delegated", What: "act: a service acts for the user", claims: members{"act": members{"sub": "service-1"}}},
	{Name: "expired", What: "exp is an hour ago", Code: "token_expired", claims: members{"exp": -hour, "iat": -2 * hour}},
	{Name: "not-yet-valid", What: "nbf is in an hour", Code: "token_not_yet_valid", claims: members{"nbf": hour, "exp": 2 * hour}},
	{Name: "issued-in-future", What: "iat is in an hour", Code: "token_issued_in_future", claims: members{"iat": hour, "exp": 2 * hour}},
	{Name: "wrong-audience", What: "aud names another API", Code: "audience_refused", claims: members{"aud": "https://other.example.test"}},
	{Name: "wrong-issuer", What: "iss names another issuer", Code: "issuer_unknown", claims: members{"iss": "https://issuer.example.test"}},
	{Name: "issuer-slash", What: "iss has one more slash at its end", Code: "issuer_unknown", edit: slashed},
	{Name: "bad-signature", What: "one bit of the signature is changed", Code: "signature_invalid", finish: flipped},
	{Name: "changed-claims", What: "sub was changed after signing", Code: "signature_invalid", finish: changed},
	{Name: "wrong-key", What: "another key signed, under the kid of the right one", Code: "signature_invalid", edit: forge.StrangersKey},
	{Name: "unknown-kid", What: "kid that the issuer does not publish", Code: "key_unknown", header: members{"kid": "unknown-1"}},
	{Name: "no-signature", What: "the signature is cut off", Code: "signature_invalid", edit: forge.Unsigned},
}

// otherKinds are tokens of the same issuer for other purposes.
var otherKinds = []Variant{
	{Name: "id-token", What: "an ID token: typ JWT, nonce and at_hash", Code: "type_refused", header: members{"typ": "JWT"}, claims: members{"nonce": "n-1", "at_hash": jose.Encode(make([]byte, 16))}},
	{Name: "logout-token", What: "a logout token: typ logout+jwt, events", Code: "type_refused", header: members{"typ": "logout+jwt"}, claims: members{"sid": "session-1", "events": members{"http://schemas.openid.net/event/backchannel-logout": members{}}}},
	{Name: "dpop-proof", What: "a DPoP proof: typ dpop+jwt, jwk, htm and htu", Code: "type_refused", header: members{"typ": "dpop+jwt"}, claims: members{"htm": "GET", "htu": "https://api.example.test/"}, edit: embedOwn},
	{Name: "introspection-jwt", What: "an introspection answer: typ token-introspection+jwt", Code: "type_refused", header: members{"typ": "token-introspection+jwt"}, claims: members{"token_introspection": members{"active": true}}},
	{Name: "event-token", What: "a security event: typ secevent+jwt", Code: "type_refused", header: members{"typ": "secevent+jwt"}, claims: members{"events": members{"urn:example:event": members{}}}},
	{Name: "typ-jwt", What: "typ is JWT; profile compat accepts it", Code: "type_refused", header: members{"typ": "JWT"}},
	{Name: "typ-absent", What: "no typ; profile compat accepts it", Code: "type_refused", header: members{"typ": nil}},
	{Name: "typ-long", What: "typ is application/at+JWT, the same media type", header: members{"typ": "application/at+JWT"}},
}

// headers are attacks on the JOSE header.
var headers = []Variant{
	{Name: "alg-none", What: "alg none, no signature", Code: "algorithm_refused", header: members{"alg": "none"}, edit: forge.Unsigned},
	{Name: "alg-none-case", What: "alg nOnE, no signature", Code: "algorithm_refused", header: members{"alg": "nOnE"}, edit: forge.Unsigned},
	{Name: "alg-none-signed", What: "alg none with the right signature", Code: "algorithm_refused", header: members{"alg": "none"}},
	{Name: "alg-absent", What: "no alg", Code: "algorithm_refused", header: members{"alg": nil}},
	{Name: "alg-unknown", What: "alg ES256K, which nobody allows", Code: "algorithm_refused", header: members{"alg": "ES256K"}},
	{Name: "alg-case", What: "alg in small letters", Code: "algorithm_refused", edit: forge.LowerAlgorithm},
	{Name: "alg-number", What: "alg is a number", Code: "header_invalid", header: members{"alg": 256}},
	{Name: "hs256-pem", What: "HS256 with the public key's PEM as secret", Code: "algorithm_refused", header: members{"alg": "HS256"}, edit: forge.MacPEM},
	{Name: "hs256-jwk", What: "HS256 with the public key's JWK as secret", Code: "algorithm_refused", header: members{"alg": "HS256"}, edit: forge.MacJWK},
	{Name: "embedded-key", What: "another key signed and is in the header as jwk", Code: "signature_invalid", edit: embedStranger},
	{Name: "remote-key", What: "another key signed, jku and x5u say where it is", Code: "signature_invalid", header: members{"jku": "https://attacker.example.test/jwks", "x5u": "https://attacker.example.test/cert"}, edit: forge.StrangersKey},
	{Name: "unknown-header", What: "a header member that is not critical", header: members{"urn:example:extra": true}},
	{Name: "kid-number", What: "kid is a number", Code: "header_invalid", header: members{"kid": 1}},
	{Name: "kid-long", What: "kid of more than 1 KiB", Code: "header_invalid", header: members{"kid": forge.Letters(1<<10 + 1)}},
	{Name: "kid-path", What: "kid is a path", Code: "key_unknown", header: members{"kid": "../../../../dev/null"}},
	{Name: "typ-number", What: "typ is a number", Code: "header_invalid", header: members{"typ": 1}},
	{Name: "crit", What: "crit names an extension", Code: "critical_header", header: members{"crit": []string{"urn:example:extra"}, "urn:example:extra": true}},
	{Name: "crit-empty", What: "crit is an empty list", Code: "critical_header", header: members{"crit": []string{}}},
	{Name: "b64", What: "b64 is false and critical", Code: "critical_header", header: members{"b64": false, "crit": []string{"b64"}}},
	{Name: "header-duplicate", What: "alg stands twice in the header", Code: "header_invalid", edit: forge.RepeatedAlgorithm},
	{Name: "header-trailing", What: "data after the header object", Code: "header_invalid", edit: forge.TrailingHeader},
	{Name: "header-deep", What: "a header nested 1,000 deep", Code: "header_invalid", header: members{"urn:example:extra": forge.Nested(1000)}},
}

// required lists the claims of RFC 9068 §2.2.
var required = []string{"iss", "sub", "aud", "exp", "iat", "jti", "client_id"}

func missing() []Variant {
	out := make([]Variant, 0, len(required))
	for _, claim := range required {
		out = append(out, Variant{Name: "no-" + claim, What: "without " + claim, Code: "claim_missing", claims: members{claim: nil}})
	}
	return out
}

// wrongTypes gives each claim a JSON type that it must not have.
var wrongTypes = []struct {
	claim string
	value any
}{
	{"iss", 1},
	{"sub", 1},
	{"aud", members{"api": true}},
	{"exp", "tomorrow"},
	{"iat", true},
	{"nbf", []int{1}},
	{"jti", 1},
	{"client_id", []string{"client-1"}},
	{"scope", []string{"orders:read"}},
	{"auth_time", "now"},
	{"acr", 1},
	{"amr", "pwd"},
	{"act", "service-1"},
	{"authorization_details", members{"type": "payment"}},
}

func mistyped() []Variant {
	out := make([]Variant, 0, len(wrongTypes))
	for _, w := range wrongTypes {
		out = append(out, Variant{
			Name: "type-" + w.claim, What: w.claim + " has a wrong JSON type", Code: "claims_invalid",
			claims: members{w.claim: w.value},
		})
	}
	return out
}

// values have the right type and a value that needs care.
var values = []Variant{
	{Name: "sub-empty", What: "sub is empty", Code: "claim_missing", claims: members{"sub": ""}},
	{Name: "aud-empty", What: "aud is an empty list", Code: "audience_refused", claims: members{"aud": []string{}}},
	{Name: "aud-mixed", What: "aud is a list with a number in it", Code: "claims_invalid", claims: members{"aud": []any{DefaultAudience, 1}}},
	{Name: "exp-float", What: "exp has a fraction, which is right", edit: fractionalExpiry},
	{Name: "exp-string", What: "exp is a number in quotes", Code: "claims_invalid", claims: members{"exp": "4102444800"}},
	{Name: "exp-text", What: "exp is a date as text", Code: "claims_invalid", claims: members{"exp": "2100-01-01T00:00:00Z"}},
	{Name: "exp-negative", What: "exp is negative", Code: "claims_invalid", claims: members{"exp": -1}},
	{Name: "exp-huge", What: "exp is 1e300", Code: "claims_invalid", claims: members{"exp": 1e300}},
	{Name: "exp-null", What: "exp is null", Code: "claims_invalid", claims: members{"exp": forge.Null}},
	{Name: "scope-comma", What: "scope with a character that no scope has", Code: "claims_invalid", claims: members{"scope": `a"b`}},
}

// bindings are confirmation claims of which a plain request proves nothing.
var bindings = []Variant{
	{Name: "cnf-jkt", What: "bound to a DPoP key", Code: "confirmation_unproven", claims: members{"cnf": members{"jkt": thumbprint}}},
	{Name: "cnf-x5t", What: "bound to a certificate", Code: "certificate_missing", claims: members{"cnf": members{"x5t#S256": thumbprint}}},
	{Name: "cnf-two", What: "bound to a key and a certificate", Code: "confirmation_unproven", claims: members{"cnf": members{"jkt": thumbprint, "x5t#S256": thumbprint}}},
	{Name: "cnf-unknown", What: "cnf with a member that is not understood", Code: "confirmation_invalid", claims: members{"cnf": members{"kid": "key-1"}}},
	{Name: "cnf-more", What: "cnf with a member that is not understood beside jkt", Code: "confirmation_invalid", claims: members{"cnf": members{"jkt": thumbprint, "kid": "key-1"}}},
	{Name: "cnf-empty", What: "cnf is an empty object", Code: "confirmation_invalid", claims: members{"cnf": members{}}},
	{Name: "cnf-null", What: "cnf is null", Code: "confirmation_invalid", claims: members{"cnf": forge.Null}},
	{Name: "cnf-text", What: "cnf is text", Code: "confirmation_invalid", claims: members{"cnf": thumbprint}},
	{Name: "cnf-short", What: "cnf.jkt is no SHA-256 value", Code: "confirmation_invalid", claims: members{"cnf": members{"jkt": "abc"}}},
}

// payloads are claims that are not one strict JSON object.
var payloads = []Variant{
	{Name: "duplicate-claim", What: "sub stands twice", Code: "claims_invalid", edit: duplicateClaim},
	{Name: "case-claim", What: "SUB in place of sub: names are case-sensitive", Code: "claim_missing", edit: otherCase},
	{Name: "case-claim-beside", What: "SUB beside sub: another name, ignored", claims: members{"SUB": "admin"}},
	{Name: "deep", What: "a claim nested 1,000 deep", Code: "claims_invalid", claims: members{"extra": forge.Nested(1000)}},
	{Name: "huge", What: "longer than 16 KiB", Code: "token_too_long", claims: members{"extra": forge.Letters(16 << 10)}},
	{Name: "trailing-data", What: "a second object after the claims", Code: "claims_invalid", edit: forge.Trailing},
	{Name: "bom", What: "a byte order mark before the claims", Code: "claims_invalid", edit: forge.ByteOrderMark},
	{Name: "invalid-utf8", What: "a claim that is not UTF-8", Code: "claims_invalid", edit: forge.InvalidUTF8},
	{Name: "claims-array", What: "the claims are an array", Code: "claims_invalid", edit: forge.ClaimsArray},
	{Name: "claims-text", What: "the claims are plain text", Code: "claims_invalid", edit: forge.ClaimsText},
}

// spellings are other ways to write a right token down.
var spellings = []Variant{
	{Name: "two-parts", What: "header and claims only", Code: "token_not_jwt", finish: twoParts},
	{Name: "five-parts", What: "the form of an encrypted token", Code: "token_not_jwt", finish: fiveParts},
	{Name: "json-serialisation", What: "JSON serialisation: its commas read as several credentials", Code: "token_repeated", finish: jsonSerialisation},
	{Name: "padding", What: "the signature with padding", Code: "token_not_jwt", finish: padded},
	{Name: "non-canonical", What: "the last letter of the claims has bits that mean nothing", Code: "token_malformed", edit: forge.NonCanonical},
	{Name: "whitespace", What: "a space before the claims", Code: "request_malformed", finish: spaced},
	{Name: "line-break", What: "a line break in the signature", Code: "token_malformed", finish: broken},
}
