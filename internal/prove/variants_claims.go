package prove

import (
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bearward/bearward/internal/forge"
)

// payloads are claims that are not one strict JSON object, and some that are.
var payloads = []Variant{
	{Name: "claims-array", What: "the claims are an array", Code: malformed, edit: forge.ClaimsArray},
	{Name: "claims-text", What: "the claims are plain text", Code: malformed, edit: forge.ClaimsText},
	{Name: "duplicate-claim", What: "htm stands twice", Code: malformed, edit: repeatedMethod},
	{Name: "trailing-data", What: "a second object after the claims", Code: malformed, edit: forge.Trailing},
	{Name: "bom", What: "a byte order mark before the claims", Code: malformed, edit: forge.ByteOrderMark},
	{Name: "invalid-utf8", What: "a claim that is not UTF-8", Code: malformed, edit: forge.InvalidUTF8},
	{Name: "deep", What: "a claim nested 1,000 deep", Code: malformed, claims: members{"extra": forge.Nested(1000)}},
	{Name: "case-claim", What: "HTM in place of htm: names are case-sensitive", Code: claimMissing, claims: members{"htm": nil, "HTM": "GET"}},
	{Name: "case-claim-beside", What: "HTM beside htm: another name, ignored", claims: members{"HTM": "TRACE"}},
	{Name: "unknown-claims", What: "claims that nobody knows", claims: members{"urn:example:extra": members{"a": []int{1}}, "sub": 1}},
	{Name: "nonce-number", What: "nonce is a number", Code: malformed, claims: members{"nonce": 1}},
	{Name: "nonce-null", What: "nonce is null", Code: malformed, claims: members{"nonce": forge.Null}},
}

// ids are values of jti.
var ids = []Variant{
	{Name: "no-jti", What: "no jti", Code: claimMissing, claims: members{"jti": nil}},
	{Name: "jti-empty", What: "jti is empty", Code: claimMissing, claims: members{"jti": ""}},
	{Name: "jti-number", What: "jti is a number", Code: malformed, claims: members{"jti": 1}},
	{Name: "jti-256", What: "jti of 256 bytes", claims: members{"jti": "{jti-256}"}},
	{Name: "jti-257", What: "jti of 257 bytes", Code: malformed, claims: members{"jti": "{jti-256}x"}},
	{Name: "jti-huge", What: "jti of 10 KiB", Code: malformed, claims: members{"jti": forge.Letters(10 << 10)}},
}

// methods are values of htm.
var methods = []Variant{
	{Name: "no-htm", What: "no htm", Code: claimMissing, claims: members{"htm": nil}},
	{Name: "htm-case", What: "htm in small letters", Code: methodMismatch, claims: members{"htm": "{method-lower}"}},
	{Name: "htm-other", What: "htm is another method", Code: methodMismatch, claims: members{"htm": "{method-other}"}},
	{Name: "htm-number", What: "htm is a number", Code: malformed, claims: members{"htm": 1}},
}

// targets are values of htu.
var targets = []Variant{
	{Name: "no-htu", What: "no htu", Code: claimMissing, claims: members{"htu": nil}},
	{Name: "htu-number", What: "htu is a number", Code: malformed, claims: members{"htu": 1}},
	{Name: "htu-relative", What: "htu is a path only", Code: targetMismatch, claims: members{"htu": "{path}"}},
	{Name: "htu-no-scheme", What: "htu without scheme", Code: targetMismatch, claims: members{"htu": "//{host}{path}"}},
	{Name: "htu-garbage", What: "htu is no URL", Code: targetMismatch, claims: members{"htu": "{scheme}://[{host}{path}"}},
	{Name: "htu-escape", What: "htu ends in half an escape", Code: targetMismatch, claims: members{"htu": "{origin}{path}%4"}},
	{Name: "htu-scheme", What: "htu has another scheme", Code: targetMismatch, claims: members{"htu": "{scheme-other}://{host}{path}"}},
	{Name: "htu-host", What: "htu has another host", Code: targetMismatch, claims: members{"htu": "{scheme}://other.example.test{path}"}},
	{Name: "htu-port", What: "htu has another port", Code: targetMismatch, claims: members{"htu": "{scheme}://{name}:{port-other}{path}"}},
	{Name: "htu-userinfo", What: "htu has a user", Code: targetMismatch, claims: members{"htu": "{scheme}://user@{host}{path}"}},
	{Name: "htu-path", What: "htu has another path", Code: targetMismatch, claims: members{"htu": "{origin}{path}-other"}},
	{Name: "htu-path-case", What: "htu has the path in another case", Code: targetMismatch, claims: members{"htu": "{origin}{path-case}"}},
	{Name: "htu-slash", What: "htu has one more slash at its end", Code: targetMismatch, claims: members{"htu": "{origin}{path}/"}},
	{Name: "htu-double-slash", What: "htu has one more slash before the path", Code: targetMismatch, claims: members{"htu": "{origin}/{path}"}},
	{Name: "htu-encoded-slash", What: "htu has %2F for a slash", Code: targetMismatch, claims: members{"htu": "{origin}{path-slash}"}},
	{Name: "htu-upper", What: "htu has scheme and host in capitals", claims: members{"htu": "{scheme-upper}://{host-upper}{path}"}},
	{Name: "htu-default-port", What: "htu has the scheme's own port, if the URL has none", claims: members{"htu": "{scheme}://{host-port}{path}"}},
	{Name: "htu-query", What: "htu has a query", claims: members{"htu": "{origin}{path}?a=b/../c"}},
	{Name: "htu-fragment", What: "htu has a fragment", claims: members{"htu": "{origin}{path}#a"}},
	{Name: "htu-dots", What: "htu has dot segments", claims: members{"htu": "{origin}/./x/..{path}"}},
	{Name: "htu-encoded", What: "htu has an escape for a letter that needs none", claims: members{"htu": "{origin}{path-encoded}"}},
}

// tokens are values of ath.
var tokens = []Variant{
	{Name: "no-ath", What: "no ath", Code: claimMissing, claims: members{"ath": nil}},
	{Name: "ath-number", What: "ath is a number", Code: malformed, claims: members{"ath": 1}},
	{Name: "ath-other", What: "ath is that of another token", Code: tokenMismatch, claims: members{"ath": digest("another token")}},
	{Name: "ath-case", What: "ath in the other case", Code: tokenMismatch, claims: members{"ath": "{ath-case}"}},
	{Name: "ath-hex", What: "ath in hexadecimal", Code: tokenMismatch, claims: members{"ath": "{ath-hex}"}},
	{Name: "ath-padded", What: "ath with padding", Code: tokenMismatch, claims: members{"ath": "{ath}="}},
}

// times are values of iat.
var times = []Variant{
	{Name: "no-iat", What: "no iat", Code: claimMissing, claims: members{"iat": nil}},
	{Name: "iat-string", What: "iat is a number in quotes", Code: malformed, claims: members{"iat": "{iat}"}},
	{Name: "iat-negative", What: "iat is negative", Code: malformed, claims: members{"iat": -1}},
	{Name: "iat-huge", What: "iat is 1e300", Code: malformed, claims: members{"iat": 1e300}},
	{Name: "iat-float", What: "iat has a fraction, which is right", claims: members{"iat": jsontext.Value("{iat}.5")}},
	{Name: "iat-hour-old", What: "iat is an hour ago", Code: expired, claims: members{"iat": forge.After(-time.Hour)}},
	{Name: "iat-70s-old", What: "iat is 70 s ago", Code: expired, claims: members{"iat": forge.After(-70 * time.Second)}},
	{Name: "iat-60s-old", What: "iat is 60 s ago, just not too old", claims: members{"iat": forge.After(-time.Minute)}},
	{Name: "iat-30s-old", What: "iat is 30 s ago", claims: members{"iat": forge.After(-30 * time.Second)}},
	{Name: "iat-9s-ahead", What: "iat is in 9 s", claims: members{"iat": forge.After(9 * time.Second)}},
	{Name: "iat-11s-ahead", What: "iat is in 11 s", Code: inFuture, claims: members{"iat": forge.After(11 * time.Second)}},
	{Name: "iat-hour-ahead", What: "iat is in an hour", Code: inFuture, claims: members{"iat": forge.After(time.Hour)}},
}
