package validate

import "slices"

// rule is one named check. The normal path runs the lists below in order and
// stops at the first refusal; Explain runs the same lists to their end.
type rule struct {
	name   string
	needs  stage // what must be established before the rule makes sense
	gives  stage // what its success establishes
	codes  []Code
	source string
	check  func(*state) *Error
	show   func(*state) (expected, found string) // nil: nothing to show
}

type stage uint8

const (
	haveParts stage = 1 << iota
	haveHeader
	haveClaims
	haveIssuer
	haveKeys
	haveSignature
)

// shape holds the rules that are the same for every issuer. They need no
// configuration, so they come before the token is routed.
var shape = []rule{
	{"size", 0, 0, []Code{ErrTokenTooLong}, "project", checkSize, showSize},
	{"compact", 0, haveParts, []Code{ErrTokenMalformed, ErrNotJWT}, "RFC 7515 §5.2, RFC 8725 §3.14", checkCompact, nil},
	{"header", haveParts, haveHeader, []Code{ErrNotJWT, ErrHeaderInvalid}, "RFC 7515 §4", checkHeader, nil},
	{"critical", haveHeader, 0, []Code{ErrCriticalHeader}, "RFC 7515 §4.1.11, RFC 7797 §7", checkCritical, nil}, // [JO-19 JO-20]
	{"claims", haveHeader, haveClaims, []Code{ErrTokenMalformed, ErrClaimsInvalid}, "RFC 7519 §7.2", checkClaims, nil},
}

// substance holds the rules of one issuer: first which issuer, because its
// settings decide the rest, and what is cheap and local; then the key and the
// signature; then what is only worth reading once it is signed.
var substance = []rule{
	{"issuer", haveClaims, haveIssuer, []Code{ErrIssuerUnknown, ErrClaimMissing}, "RFC 9068 §4", checkIssuer, showIssuer},  // [CL-06]
	{"algorithm", haveHeader, 0, []Code{ErrAlgorithmRefused}, "RFC 8725 §3.1, RFC 9068 §4", checkAlgorithm, showAlgorithm}, // [JO-01 JO-03 JO-04 JO-12]
	{"type", haveHeader | haveClaims, 0, []Code{ErrTypeRefused}, "RFC 9068 §4, RFC 8725 §3.11", checkType, showType},       // [CL-01 CL-02 CL-03 CL-05]
	{"tenant", haveClaims | haveIssuer, 0, []Code{ErrTenantRefused}, "RFC 8725 §3.8", checkTenant, nil},
	{"expiry", haveClaims, 0, []Code{ErrExpired, ErrClaimMissing}, "RFC 7519 §4.1.4", checkExpiry, showExpiry}, // [CL-12]
	{"not-before", haveClaims, 0, []Code{ErrNotYetValid}, "RFC 7519 §4.1.5", checkNotBefore, showNotBefore},    // [CL-14]
	{"issued-at", haveClaims, 0, []Code{ErrIssuedInFuture, ErrClaimMissing}, "RFC 7519 §4.1.6", checkIssuedAt, showIssuedAt},
	{"lifetime", haveClaims, 0, []Code{ErrLifetimeTooLong, ErrClaimMissing}, "RFC 7009 §3", checkLifetime, showLifetime}, // [CL-27]
	{"audience", haveClaims, 0, []Code{ErrAudienceRefused, ErrClaimMissing}, "RFC 9068 §4", checkAudience, showAudience}, // [CL-09 CL-10]
	{"key", haveHeader | haveIssuer, haveKeys, []Code{ErrKeyUnknown, ErrKeyAmbiguous, ErrKeysUnavailable, ErrInternal}, "RFC 7515 §6", checkKey, nil},
	{"signature", haveKeys, haveSignature, []Code{ErrSignatureInvalid, ErrTokenMalformed}, "RFC 7515 §5.2", checkSignature, nil}, // [JO-27]
	{"subject", haveClaims, 0, []Code{ErrClaimMissing}, "RFC 9068 §2.2", checkSubject, nil},                                      // [CL-16]
	{"client", haveClaims, 0, []Code{ErrClaimMissing, ErrClaimsInvalid, ErrClientRefused}, "RFC 9068 §2.2", checkClient, nil},    // [CL-18]
	{"token-id", haveClaims, 0, []Code{ErrClaimMissing}, "RFC 9068 §2.2", checkTokenID, nil},                                     // [CL-18]
	{"kind", haveClaims, 0, []Code{ErrKindRefused}, "RFC 8725 §3.12", checkKind, showKind},                                       // [CL-03 CL-04]
	{"marks", haveClaims, 0, []Code{ErrKindRefused}, "project", checkMarks, showMarks},                                           // [CL-04]
	{"require", haveClaims, 0, []Code{ErrClaimRefused}, "RFC 8725 §3.8", checkDemands, showDemands},
	{"scope", haveClaims, 0, []Code{ErrClaimsInvalid}, "RFC 6749 §3.3, RFC 9068 §2.2.3", checkScope, nil},
	{"details", haveClaims, 0, []Code{ErrClaimsInvalid}, "RFC 9396 §9.1", checkDetails, nil},                                               // [AZ-11]
	{"confirmation", haveClaims, 0, []Code{ErrConfirmationInvalid}, "RFC 7800 §3.1, RFC 9449 §6.1, RFC 8705 §3.1", checkConfirmation, nil}, // [CL-21 CL-22]
	{"actor", haveClaims, 0, []Code{ErrClaimsInvalid}, "RFC 8693 §4.1", checkActor, nil},                                                   // [CL-25]
}

// local are the rules of substance that ask nobody, signed those from the key on.
var local, signed = func() (local, signed []rule) {
	n := slices.IndexFunc(substance, func(r rule) bool { return r.name == "key" })
	return substance[:n], substance[n:]
}()
