package validate

import (
	"maps"
	"slices"
	"strings"
)

// CodeInfo is one row of the table of codes: docs/errors.md is made of it.
type CodeInfo struct {
	Class  Class
	Phrase string // error_description on the wire
	Source string // where the rule comes from
	Fix    string // what to look at
}

// Codes returns the table of codes in alphabetical order.
func Codes() ([]Code, map[Code]CodeInfo) {
	return slices.SortedFunc(maps.Keys(codes), func(a, b Code) int {
		return strings.Compare(string(a), string(b))
	}), maps.Clone(codes)
}

// unverifiable is one phrase for every way in which a key does not verify a
// token, so that the wire does not tell them apart.
const unverifiable = "The access token could not be verified"

var codes = map[Code]CodeInfo{
	ErrTokenMissing: {
		NoToken, "", "RFC 6750 §3.1",
		"send the token in the header: Authorization: Bearer TOKEN; tokens in query, form or cookie are not read",
	},
	ErrRequestMalformed: {
		BadRequest, "The Authorization header is malformed", "RFC 6750 §2.1, RFC 9110 §11.4",
		"the header is the scheme, one or more spaces and one token: no tab, no comma, nothing after the token",
	},
	ErrTargetMalformed: {
		BadRequest, "The request target is malformed or ambiguous", "RFC 9110 §7.1, RFC 3986 §6",
		"the path reads differently when it is decoded or cleaned, so different rules could apply; send it in its plain form",
	},
	ErrTokenRepeated: {
		BadRequest, "More than one access token was sent", "RFC 6750 §2, RFC 9110 §5.3",
		"send exactly one Authorization value; look for a proxy or client that adds a second one",
	},
	ErrTokenTooLong: {
		BadRequest, "The access token is too long", "project",
		"tokens are read up to 16 KiB; ask the authorization server for fewer claims",
	},
	ErrTooEarly: {
		TooEarly, "", "RFC 8470 §5.2",
		"the request came in TLS early data and may be a replay; the client sends it again after the handshake",
	},

	ErrTokenMalformed: {
		BadToken, "The access token is malformed", "RFC 6750 §2.1, RFC 7515 §5.2, RFC 8725 §3.14",
		"the token has bytes or an encoding that no token has; look for cut, quoted or re-encoded copies",
	},
	ErrNotJWT: {
		BadToken, "The access token is malformed", "RFC 7515 §7.1",
		"an opaque token: ask the authorization server for a JWT (many give one only when the request names this API's audience or resource)",
	},
	ErrHeaderInvalid: {
		BadToken, "The access token is malformed", "RFC 7515 §4, §5.2",
		"the token's header is not one strict JSON object with string values for alg, typ and kid",
	},
	ErrCriticalHeader: {
		BadToken, "The access token is malformed", "RFC 7515 §4.1.11, RFC 7797 §7",
		"the header has crit or b64; no extension is understood here",
	},
	ErrAlgorithmRefused: {
		BadToken, "The access token is signed with an algorithm that is not accepted", "RFC 8725 §3.1, RFC 9068 §4",
		"compare alg with the issuer's algorithms; none and HMAC are never accepted, a shared secret does not fit a key set",
	},
	ErrTypeRefused: {
		BadToken, "The token is not an access token", "RFC 9068 §4, RFC 8725 §3.11",
		"strict issuers say typ at+jwt; if this issuer cannot, set its profile to compat; an ID token is not an access token",
	},
	ErrClaimsInvalid: {
		BadToken, "The access token is malformed", "RFC 7519 §7.2, RFC 8725 §3.7",
		"the claims are not one strict JSON object, or the claim named here has a wrong type or value",
	},
	ErrClaimMissing: {
		BadToken, "The access token lacks a required claim", "RFC 9068 §2.2",
		"the profile rfc9068 requires iss, sub, aud, exp, iat, jti and client_id; profile compat requires iss, sub, aud and exp",
	},
	ErrIssuerUnknown: {
		BadToken, "The access token comes from an unknown issuer", "RFC 9068 §4, RFC 8414 §4",
		"iss and the configured issuer must be the same text, the final slash included; behind containers list the name that clients see",
	},
	ErrExpired: {
		BadToken, "The access token expired", "RFC 7519 §4.1.4",
		"get a new token; if it is new, compare the clocks of both machines",
	},
	ErrNotYetValid: {
		BadToken, "The access token is not valid yet", "RFC 7519 §4.1.5",
		"compare the clocks of both machines, or raise the issuer's leeway (300 s at most)",
	},
	ErrIssuedInFuture: {
		BadToken, "The access token is not valid yet", "RFC 7519 §4.1.6",
		"compare the clocks of both machines, or raise the issuer's leeway (300 s at most)",
	},
	ErrLifetimeTooLong: {
		BadToken, "The access token is valid for too long", "RFC 7009 §3",
		"exp - iat is above the issuer's max_lifetime, or above what the revocation list keeps (revocation.retention): shorten it at the authorization server, or raise the one that is meant",
	},
	ErrAudienceRefused: {
		BadToken, "The access token is meant for another audience", "RFC 9068 §4, RFC 9700 §2.3",
		"the client must ask for this API (resource or audience parameter, audience mapper); or add the value to the issuer's audience",
	},
	ErrKeyUnknown: {
		BadToken, unverifiable, "RFC 7515 §6, RFC 8725 §3.8",
		"the issuer publishes no fitting key with this kid; after a rotation it is fetched at most once per cooldown",
	},
	ErrKeyAmbiguous: {
		BadToken, unverifiable, "RFC 7515 §6",
		"the token names no kid and several keys fit; the authorization server should set kid",
	},
	ErrSignatureInvalid: {
		BadToken, unverifiable, "RFC 7515 §5.2",
		"the token was changed, or another key with the same kid signed it",
	},
	ErrKindRefused: {
		BadToken, "The token is not an access token", "RFC 8725 §3.12, RFC 9068 §5",
		"an ID token, logout token, proof or another kind of JWT was sent; send the access token",
	},
	ErrConfirmationInvalid: {
		BadToken, "The access token has an unusable confirmation claim", "RFC 7800 §3.1, RFC 9449 §6, RFC 8705 §3.1",
		"cnf must be an object with jkt and/or x5t#S256; a binding that is not understood cannot be checked",
	},
	ErrConfirmationUnproven: {
		BadToken, "The access token is sender-constrained and was sent without its proof", "RFC 9449 §7.2, RFC 8705 §3",
		"a bound token never passes as a plain bearer token; this guard has no way to check its proof",
	},
	ErrIssuerRefused: {
		BadToken, "The access token comes from an issuer that is not accepted here", "RFC 8725 §3.8",
		"this route accepts other issuers only",
	},
	ErrProfileRefused: {
		BadToken, "The access token does not follow RFC 9068", "RFC 9068 §2",
		"this route demands the profile rfc9068 and the issuer is set to compat",
	},
	ErrSchemeRefused: {
		BadToken, "The authentication scheme is not accepted here", "RFC 9110 §11.1",
		"this route accepts other schemes only",
	},
	ErrRouteAudienceRefused: {
		BadToken, "The access token is meant for another audience", "RFC 9700 §2.3, RFC 9728 §7.4",
		"this route accepts fewer audiences than the issuer; ask for a token for it",
	},
	ErrAuthenticationContext: {
		StepUp, "A different authentication level is required", "RFC 9470 §3",
		"the user must sign in again with one of acr_values",
	},
	ErrAuthenticationAge: {
		StepUp, "More recent authentication is required", "RFC 9470 §3",
		"the user must sign in again; auth_time is older than max_age or missing",
	},
	ErrInactive: {
		BadToken, "The access token is not active", "RFC 7662 §2.2",
		"the authorization server says that the token is not active: expired, revoked, or of another server; get a new one",
	},
	ErrRevoked: {
		BadToken, "The access token was revoked", "RFC 6750 §3.1, RFC 7009 §2.1",
		"the token, its user, session or client is on the revocation list; get a new one",
	},
	ErrClientRefused: {
		BadToken, "The access token was issued to a client that is not accepted", "RFC 8725 §3.9, RFC 9068 §2.2",
		"the client is not in the issuer's client_ids",
	},
	ErrTenantRefused: {
		BadToken, "The access token comes from a tenant that is not accepted", "RFC 8725 §3.8",
		"the tenant is not in the issuer's tenants, or tid is no tenant identifier",
	},
	ErrClaimRefused: {
		BadToken, "The access token has a claim whose value is not accepted", "RFC 8725 §3.8",
		"the claim named here is missing, or is none of the values that the issuer's require lists for it",
	},
	ErrOpaqueUnassigned: {
		BadToken, "The access token is malformed", "RFC 9700 §4.9",
		"an opaque token that no issuer accepted here can be asked about: compare its first characters with the issuers' opaque_prefix",
	},
	ErrJWTRefused: {
		BadToken, "The token is not an access token", "RFC 8725 §3.12",
		"the issuer is configured to have opaque access tokens only (jwt: false, NoJWT): if this is an access token, change that; an ID token is none",
	},

	ErrScopeMissing: {
		MissingScope, "The access token lacks a required scope", "RFC 6750 §3.1, RFC 6749 §3.3",
		"ask for all scopes named in the challenge at once; scopes are compared whole and case-sensitively",
	},
	ErrRouteDenied: {
		Forbidden, "", "project",
		"no rule names this route or method; list it, or mark it public by name",
	},
	ErrUserRequired: {
		Forbidden, "", "RFC 9700 §4.15",
		"this route is for users; the token stands for a client",
	},
	ErrDelegationRefused: {
		Forbidden, "", "RFC 8693 §4.1",
		"this route refuses delegated tokens (act)",
	},
	ErrAuthenticationImpossible: {
		Forbidden, "", "RFC 9470 §6",
		"this route demands user authentication and the token stands for a client",
	},
	ErrRoleMissing: {
		Forbidden, "", "RFC 9068 §2.2.3.1",
		"the token lacks a role, permission or group that this route demands; they are compared whole and case-sensitively, in the issuer's roles_claim",
	},
	ErrDetailsMissing: {
		Forbidden, "", "RFC 9396 §9",
		"no one object of authorization_details grants everything that this route demands; unknown types and unknown members grant nothing",
	},
	ErrCheckRefused: {
		Forbidden, "", "project",
		"the route's own check refused the token",
	},
	ErrHidden: {
		NotDisclosed, "", "RFC 9110 §15.5.4",
		"the route hides itself from callers that may not use it; the cause is in the log",
	},

	ErrKeysUnavailable: {
		Unavailable, "", "RFC 9110 §15.6.4",
		"the issuer's keys cannot be loaded; see the issuer's health for the last error",
	},
	ErrUnavailable: {
		Unavailable, "", "RFC 9110 §15.6.4",
		"a service that the decision needs did not answer",
	},
	ErrIntrospectionUnavailable: {
		Unavailable, "", "RFC 7662 §2.3",
		"the introspection endpoint did not answer, or with a server's error: the error in the log, or what the report found, says which",
	},
	ErrIntrospectionRefused: {
		Unavailable, "", "RFC 7662 §2.3",
		"the introspection endpoint refused our own credentials (401 or 403): check client_id, secret or key; some servers want client_secret_basic_raw or client_secret_post",
	},
	ErrIntrospectionInvalid: {
		Unavailable, "", "RFC 7662 §2.2, RFC 9701 §5",
		"the introspection endpoint's answer about this token cannot be used: the error in the log, or what the report found, says why",
	},
	ErrIntrospectionBusy: {
		Unavailable, "", "project",
		"more new tokens at once than may be asked about; cached ones are unaffected",
	},
	ErrRevocationUnavailable: {
		Unavailable, "", "RFC 9110 §15.6.4",
		"the revocation list did not answer, so nobody knows whether the token was revoked",
	},
	ErrGuardClosed: {
		Unavailable, "", "project",
		"the guard was closed; close it after the servers that use it",
	},
	ErrPolicyInvalid: {
		Internal, "", "project",
		"the route's policy is faulty; Prepare says why",
	},
	ErrInternal: {
		Internal, "", "project",
		"a defect: please report it with the log line",
	},
}
