package prove

import (
	"slices"

	"github.com/bearward/bearward/internal/forge"
	"github.com/bearward/bearward/internal/jose"
)

// The codes that stand in more than one row.
const (
	malformed        = "proof_malformed"
	repeated         = "proof_repeated"
	typeRefused      = "proof_type_refused"
	algorithmRefused = "proof_algorithm_refused"
	keyRefused       = "proof_key_refused"
	signatureInvalid = "proof_signature_invalid"
	claimMissing     = "proof_claim_missing"
	methodMismatch   = "proof_method_mismatch"
	targetMismatch   = "proof_target_mismatch"
	tokenMismatch    = "proof_token_mismatch"
	expired          = "proof_expired"
	inFuture         = "proof_in_future"
)

var variants = slices.Concat(fields, signatures, types, algorithms, keys, privates(), headers, payloads, ids, methods, targets, tokens, times)

// fields are what stands in the field DPoP.
var fields = []Variant{
	{Name: "valid", What: "a right proof"},
	{Name: "none", What: "no field DPoP", Code: "proof_missing", field: []string{}},
	{Name: "two", What: "two fields with right proofs", Code: repeated, field: []string{"{proof}", "{other}"}},
	{Name: "two-equal", What: "two fields with the same right proof", Code: repeated, field: []string{"{proof}", "{proof}"}},
	{Name: "joined", What: "two right proofs joined by a comma, as proxies join fields", Code: repeated, field: []string{"{proof}, {other}"}},
	{Name: "empty", What: "an empty value", Code: malformed, field: []string{""}},
	{Name: "garbage", What: "no JWS at all", Code: malformed, field: []string{"not-a-proof"}},
	{Name: "two-parts", What: "header and claims only", Code: malformed, field: []string{"{header}.{claims}"}},
	{Name: "five-parts", What: "the form of something encrypted", Code: malformed, field: []string{"{proof}.AAAA.AAAA"}},
	{Name: "json-serialisation", What: "JSON serialisation: its commas read as several proofs", Code: repeated, field: []string{`{"payload":"{claims}","protected":"{header}","signature":"{signature}"}`}},
	{Name: "whitespace", What: "a space before the claims", Code: malformed, field: []string{"{header}. {claims}.{signature}"}},
	{Name: "padding", What: "the signature with padding", Code: malformed, field: []string{"{proof}=="}},
	{Name: "non-canonical", What: "the last letter of the claims has bits that mean nothing", Code: malformed, edit: forge.NonCanonical},
	{Name: "too-long", What: "longer than 8 KiB", Code: malformed, claims: members{"extra": forge.Letters(8 << 10)}},
	{Name: "long", What: "a claim of 4 KiB that means nothing", claims: members{"extra": forge.Letters(4 << 10)}},
}

// signatures do not verify with the key in jwk.
var signatures = []Variant{
	{Name: "bad-signature", What: "one bit of the signature is changed", Code: signatureInvalid, field: []string{"{header}.{claims}.{flipped}"}},
	{Name: "changed-claims", What: "the signature is that of another right proof", Code: signatureInvalid, field: []string{"{header}.{other-claims}.{signature}"}},
	{Name: "no-signature", What: "the signature is cut off", Code: signatureInvalid, field: []string{"{header}.{claims}."}},
	{Name: "wrong-key", What: "another key signed than that of jwk", Code: signatureInvalid, edit: forge.StrangersKey},
	{Name: "der-signature", What: "the signature is in DER", Code: signatureInvalid, edit: derSignature},
}

// types are values of typ.
var types = []Variant{
	{Name: "typ-absent", What: "no typ", Code: typeRefused, header: members{"typ": nil}},
	{Name: "typ-jwt", What: "typ is JWT", Code: typeRefused, header: members{"typ": "JWT"}},
	{Name: "typ-access-token", What: "typ is at+jwt", Code: typeRefused, header: members{"typ": "at+jwt"}},
	{Name: "typ-case", What: "typ is DPoP+JWT", Code: typeRefused, header: members{"typ": "DPoP+JWT"}},
	{Name: "typ-long", What: "typ is application/dpop+jwt", Code: typeRefused, header: members{"typ": "application/dpop+jwt"}},
	{Name: "typ-number", What: "typ is a number", Code: malformed, header: members{"typ": 1}},
	{Name: "typ-null", What: "typ is null", Code: malformed, header: members{"typ": forge.Null}},
}

// algorithms are values of alg, and keys that do not fit them.
var algorithms = []Variant{
	{Name: "alg-none", What: "alg none, no signature", Code: algorithmRefused, header: members{"alg": "none"}, edit: forge.Unsigned},
	{Name: "alg-none-case", What: "alg nOnE, no signature", Code: algorithmRefused, header: members{"alg": "nOnE"}, edit: forge.Unsigned},
	{Name: "alg-none-signed", What: "alg none with the right signature", Code: algorithmRefused, header: members{"alg": "none"}},
	{Name: "alg-absent", What: "no alg", Code: algorithmRefused, header: members{"alg": nil}},
	{Name: "alg-unknown", What: "alg ES256K, which nobody allows", Code: algorithmRefused, header: members{"alg": "ES256K"}},
	{Name: "alg-not-allowed", What: "alg ES512, which is not among the defaults", Code: algorithmRefused, by: "ES512"},
	{Name: "alg-case", What: "alg in small letters", Code: algorithmRefused, edit: forge.LowerAlgorithm},
	{Name: "alg-number", What: "alg is a number", Code: malformed, header: members{"alg": 256}},
	{Name: "alg-null", What: "alg is null", Code: malformed, header: members{"alg": forge.Null}},
	{Name: "hs256-pem", What: "HS256 with the public key's PEM as secret", Code: algorithmRefused, header: members{"alg": "HS256"}, edit: forge.MacPEM},
	{Name: "hs256-jwk", What: "HS256 with the jwk as secret", Code: algorithmRefused, header: members{"alg": "HS256"}, edit: forge.MacJWK},
	{Name: "alg-es256-okp", What: "alg ES256, but key and signature are Ed25519", Code: keyRefused, by: "Ed25519", header: members{"alg": "ES256"}},
	{Name: "alg-es256-rsa", What: "alg ES256, but key and signature are RSA", Code: keyRefused, by: "RS256", header: members{"alg": "ES256"}},
	{Name: "alg-es256-p384", What: "alg ES256, but the key is on P-384", Code: keyRefused, by: "ES384", header: members{"alg": "ES256"}},
	{Name: "alg-rs256-ec", What: "alg RS256, but the key is on P-256", Code: keyRefused, by: "ES256", header: members{"alg": "RS256"}},
	{Name: "alg-ed25519-ec", What: "alg Ed25519, but the key is on P-256", Code: keyRefused, by: "ES256", header: members{"alg": "Ed25519"}},
}

// octet is a symmetric key of 32 bytes.
var octet = members{"kty": "oct", "k": zeros}

// keys are values of jwk.
var keys = []Variant{
	{Name: "jwk-absent", What: "no jwk", Code: keyRefused, header: members{"jwk": nil}},
	{Name: "jwk-null", What: "jwk is null", Code: keyRefused, header: members{"jwk": forge.Null}},
	{Name: "jwk-text", What: "jwk is text", Code: keyRefused, header: members{"jwk": "key-1"}},
	{Name: "jwk-array", What: "jwk is an array", Code: keyRefused, header: members{"jwk": []int{}}},
	{Name: "jwk-empty", What: "jwk is an empty object", Code: keyRefused, header: members{"jwk": members{}}},
	{Name: "jwk-oct", What: "jwk is a symmetric key", Code: keyRefused, header: members{"jwk": octet}},
	{Name: "jwk-oct-hs256", What: "HS256 with the symmetric key in jwk", Code: algorithmRefused, header: members{"alg": "HS256", "jwk": octet}, edit: macOctet},
	{Name: "jwk-no-kty", What: "jwk without kty", Code: keyRefused, jwk: members{"kty": nil}},
	{Name: "jwk-type", What: "kty is a number", Code: keyRefused, jwk: members{"kty": 1}},
	{Name: "jwk-rsa-1024", What: "an RSA key of 1024 bits", Code: keyRefused, edit: weakKey},
	{Name: "jwk-curve", What: "crv secp256k1", Code: keyRefused, by: "ES256", jwk: members{"crv": "secp256k1"}},
	{Name: "jwk-off-curve", What: "x and y are no point of the curve", Code: keyRefused, by: "ES256", jwk: members{"x": zeros, "y": zeros}},
	{Name: "jwk-short", What: "x without its leading zero", Code: keyRefused, edit: shortCoordinate},
	{Name: "jwk-no-y", What: "a point without y", Code: keyRefused, by: "ES256", jwk: members{"y": nil}},
	{Name: "jwk-encryption", What: "use is enc", Code: keyRefused, jwk: members{"use": "enc"}},
	{Name: "jwk-operations", What: "key_ops without verify", Code: keyRefused, jwk: members{"key_ops": []string{"sign"}}},
	{Name: "jwk-alg", What: "alg of jwk does not fit the key", Code: keyRefused, by: "ES256", jwk: members{"alg": "ES384"}},
	{Name: "jwk-other-alg", What: "alg of jwk fits the key, but is not the proof's", Code: keyRefused, by: "RS256", jwk: members{"alg": "PS256"}},
	{Name: "jwk-repeated", What: "kty stands twice in jwk", Code: malformed, edit: repeatedKeyType},
	{Name: "jwk-described", What: "jwk with kid, use, key_ops and alg, which are right", jwk: members{"kid": "key-1", "use": "sig", "key_ops": []string{"verify"}, "alg": "{alg}"}},
	{Name: "other-key", What: "a right proof by another key than the token's", Code: "proof_key_mismatch", by: own},
}

// privates are public keys with one more member: RFC 7518 §6.2.2, §6.3.2, §6.4,
// RFC 9964 §3.
func privates() []Variant {
	out := []Variant{{Name: "jwk-oth", What: "jwk has oth, of a private key", Code: keyRefused, jwk: members{"oth": []members{{"r": zeros, "d": zeros, "t": zeros}}}}}
	for _, name := range []string{"d", "p", "q", "dp", "dq", "qi", "k", "priv"} {
		out = append(out, Variant{Name: "jwk-" + name, What: "jwk has " + name + ", of a private key", Code: keyRefused, jwk: members{name: zeros}})
	}
	return out
}

// headers are the rest of the header.
var headers = []Variant{
	{Name: "other-pointers", What: "kid, jku, x5u and x5c beside jwk, which count for nothing", header: members{
		"kid": "key-9", "jku": "https://attacker.example.test/jwks", "x5u": "https://attacker.example.test/cert", "x5c": []string{"AAAA"},
	}},
	{Name: "unknown-header", What: "a header member that is not critical", header: members{"urn:example:extra": true}},
	{Name: "crit", What: "crit names an extension", Code: malformed, header: members{"crit": []string{"urn:example:extra"}, "urn:example:extra": true}},
	{Name: "crit-empty", What: "crit is an empty list", Code: malformed, header: members{"crit": []string{}}},
	{Name: "b64", What: "b64 is true, which changes nothing", Code: malformed, header: members{"b64": true}},
	{Name: "header-duplicate", What: "alg stands twice in the header", Code: malformed, edit: forge.RepeatedAlgorithm},
	{Name: "header-trailing", What: "data after the header object", Code: malformed, edit: forge.TrailingHeader},
	{Name: "header-deep", What: "a header nested 1,000 deep", Code: malformed, header: members{"urn:example:extra": forge.Nested(1000)}},
}

// zeros are 32 bytes.
var zeros = jose.Encode(make([]byte, 32))
