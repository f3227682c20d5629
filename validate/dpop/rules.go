package dpop

import "github.com/bearward/bearward/validate"

// rule is one named check. Verify stops at the first refusal; Explain runs the
// same list to its end.
type rule struct {
	name   string
	needs  stage // what must be established before the rule makes sense
	gives  stage // what its success establishes
	codes  []validate.Code
	source string
	check  func(*state) error
	show   func(*state) (expected, found string) // nil: nothing to show
}

type stage uint8

const (
	haveValue stage = 1 << iota
	haveParts
	haveKey
	haveSignature
)

// rules are the checks of RFC 9449 §4.3: what is wrong in itself, the key, the
// signature, the request, the token, the time, and whose key it is.
var rules = []rule{
	{"proof", 0, haveValue, []validate.Code{validate.ErrProofMissing, validate.ErrProofRepeated, validate.ErrProofMalformed}, "RFC 9449 §4.3 (1, 2)", checkValue, showValue},
	{"proof-form", haveValue, haveParts, []validate.Code{validate.ErrProofMalformed, validate.ErrProofClaimMissing}, "RFC 9449 §4.2, §4.3 (2, 3)", checkForm, nil},
	{"proof-type", haveParts, 0, []validate.Code{validate.ErrProofTypeRefused}, "RFC 9449 §4.3 (4)", checkType, showType},
	{"proof-algorithm", haveParts, 0, []validate.Code{validate.ErrProofAlgorithmRefused}, "RFC 9449 §4.3 (5)", checkAlgorithm, showAlgorithm},
	{"proof-jwk", haveParts, haveKey, []validate.Code{validate.ErrProofKeyRefused}, "RFC 9449 §4.3 (7), RFC 8725 §3.4", checkJWK, nil},
	{"proof-signature", haveKey, haveSignature, []validate.Code{validate.ErrProofMalformed, validate.ErrProofSignatureInvalid}, "RFC 9449 §4.3 (6)", checkSignature, nil},
	{"proof-method", haveParts, 0, []validate.Code{validate.ErrProofMethodMismatch}, "RFC 9449 §4.3 (8)", checkMethod, showMethod},
	{"proof-target", haveParts, 0, []validate.Code{validate.ErrProofTargetMismatch}, "RFC 9449 §4.3 (9), RFC 3986 §6.2", checkTarget, showTarget},
	{"proof-token", haveParts, 0, []validate.Code{validate.ErrProofTokenMismatch}, "RFC 9449 §4.3 (12)", checkToken, nil},
	{"proof-nonce", haveParts, 0, []validate.Code{validate.ErrNonceMissing, validate.ErrNonceInvalid}, "RFC 9449 §4.3 (10), §9", checkNonce, showNonce},
	{"proof-time", haveParts, 0, []validate.Code{validate.ErrProofExpired, validate.ErrProofInFuture, validate.ErrNonceMissing, validate.ErrNonceInvalid}, "RFC 9449 §4.3 (11), §11.1", checkTime, showTime},
	{"proof-key", haveKey, 0, []validate.Code{validate.ErrProofKeyMismatch}, "RFC 9449 §4.3 (12), §6.1", checkKey, showKey},
}
