package validate

// Code names one reason for a refusal. It is an error itself, so that
// errors.Is(err, validate.ErrExpired) works on every error of this module.
// Codes are stable: logs, metrics and tests rely on them.
type Code string

// Error returns the code's text.
func (c Code) Error() string { return string(c) }

// Reasons that lie in the request.
const (
	ErrTokenMissing     Code = "token_missing"
	ErrRequestMalformed Code = "request_malformed"
	ErrTargetMalformed  Code = "target_malformed"
	ErrTokenRepeated    Code = "token_repeated"
	ErrTokenTooLong     Code = "token_too_long"
	ErrTooEarly         Code = "too_early"
	ErrCertificateField Code = "certificate_malformed"
	ErrProofStray       Code = "proof_stray"
	ErrOverride         Code = "override_refused"
)

// Reasons that lie in the proof of possession (RFC 9449 §4.3).
const (
	ErrProofMissing          Code = "proof_missing"
	ErrProofRepeated         Code = "proof_repeated"
	ErrProofMalformed        Code = "proof_malformed"
	ErrProofTypeRefused      Code = "proof_type_refused"
	ErrProofAlgorithmRefused Code = "proof_algorithm_refused"
	ErrProofKeyRefused       Code = "proof_key_refused"
	ErrProofSignatureInvalid Code = "proof_signature_invalid"
	ErrProofClaimMissing     Code = "proof_claim_missing"
	ErrProofMethodMismatch   Code = "proof_method_mismatch"
	ErrProofTargetMismatch   Code = "proof_target_mismatch"
	ErrProofTokenMismatch    Code = "proof_token_mismatch"
	ErrProofExpired          Code = "proof_expired"
	ErrProofInFuture         Code = "proof_in_future"
	ErrProofReplayed         Code = "proof_replayed"
	ErrNonceMissing          Code = "nonce_missing"
	ErrNonceInvalid          Code = "nonce_invalid"
)

// Reasons that lie in the token.
const (
	ErrTokenMalformed        Code = "token_malformed"
	ErrNotJWT                Code = "token_not_jwt"
	ErrHeaderInvalid         Code = "header_invalid"
	ErrCriticalHeader        Code = "critical_header"
	ErrAlgorithmRefused      Code = "algorithm_refused"
	ErrTypeRefused           Code = "type_refused"
	ErrClaimsInvalid         Code = "claims_invalid"
	ErrClaimMissing          Code = "claim_missing"
	ErrIssuerUnknown         Code = "issuer_unknown"
	ErrExpired               Code = "token_expired"
	ErrNotYetValid           Code = "token_not_yet_valid"
	ErrIssuedInFuture        Code = "token_issued_in_future"
	ErrLifetimeTooLong       Code = "token_lifetime_too_long"
	ErrAudienceRefused       Code = "audience_refused"
	ErrKeyUnknown            Code = "key_unknown"
	ErrKeyAmbiguous          Code = "key_ambiguous"
	ErrSignatureInvalid      Code = "signature_invalid"
	ErrKindRefused           Code = "kind_refused"
	ErrConfirmationInvalid   Code = "confirmation_invalid"
	ErrConfirmationUnproven  Code = "confirmation_unproven"
	ErrTokenNotBound         Code = "token_not_bound"
	ErrBindingRequired       Code = "binding_required"
	ErrProofKeyMismatch      Code = "proof_key_mismatch"
	ErrCertificateMissing    Code = "certificate_missing"
	ErrCertificateMismatch   Code = "certificate_mismatch"
	ErrIssuerRefused         Code = "issuer_refused"
	ErrProfileRefused        Code = "profile_refused"
	ErrSchemeRefused         Code = "scheme_refused"
	ErrRouteAudienceRefused  Code = "route_audience_refused"
	ErrAuthenticationContext Code = "authentication_context"
	ErrAuthenticationAge     Code = "authentication_age"
	ErrInactive              Code = "token_inactive"
	ErrRevoked               Code = "token_revoked"
	ErrClientRefused         Code = "client_refused"
	ErrTenantRefused         Code = "tenant_refused"
	ErrClaimRefused          Code = "claim_refused"
	ErrOpaqueUnassigned      Code = "opaque_unassigned"
	ErrJWTRefused            Code = "jwt_refused"
)

// Reasons that lie in what the token may do.
const (
	ErrScopeMissing             Code = "scope_missing"
	ErrRouteDenied              Code = "route_denied"
	ErrPeerUntrusted            Code = "peer_untrusted"
	ErrForwardedInvalid         Code = "forwarded_invalid"
	ErrForgedIdentity           Code = "forged_identity"
	ErrUserRequired             Code = "user_required"
	ErrDelegationRefused        Code = "delegation_refused"
	ErrAuthenticationImpossible Code = "authentication_impossible"
	ErrRoleMissing              Code = "role_missing"
	ErrDetailsMissing           Code = "details_missing"
	ErrCheckRefused             Code = "check_refused"
	ErrHidden                   Code = "hidden"
)

// Reasons that lie with us or with the authorization server.
const (
	ErrKeysUnavailable Code = "keys_unavailable"
	ErrUnavailable     Code = "unavailable"
	ErrGuardClosed     Code = "guard_closed"

	ErrIntrospectionUnavailable Code = "introspection_unavailable"
	ErrIntrospectionRefused     Code = "introspection_refused"
	ErrIntrospectionInvalid     Code = "introspection_invalid"
	ErrIntrospectionBusy        Code = "introspection_busy"
	ErrRevocationUnavailable    Code = "revocation_unavailable"
	ErrReplayUnavailable        Code = "replay_unavailable"
	ErrReplayFull               Code = "replay_full"
	ErrTargetUnknown            Code = "target_unknown"
	ErrPolicyInvalid            Code = "policy_invalid"
	ErrInternal                 Code = "internal_error"
)

// Class returns what the code means to the client. A code that is not in the
// table is Internal.
func (c Code) Class() Class {
	if info, ok := codes[c]; ok {
		return info.Class
	}
	return unknownClass
}

// Phrase returns the fixed error_description of the code, in the characters
// that RFC 6750 §3 allows; empty where the answer carries none.
func (c Code) Phrase() string {
	if info, ok := codes[c]; ok {
		return info.Phrase
	}
	return unknownPhrase
}

// Fix returns one line that says what to look at, for logs and reports.
func (c Code) Fix() string { return codes[c].Fix }
