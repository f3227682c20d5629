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
	ErrOverride: {
		BadRequest, "The request asks to be taken for another method or path", "project",
		"headers like X-HTTP-Method-Override would have the API do what was not judged: send the method itself",
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
		"a token bound to a key (cnf.jkt) is sent with scheme DPoP and a proof in the header DPoP, never as Bearer; DPoP must be configured here; a token_type DPoP without cnf.jkt cannot be proven by anybody",
	},
	ErrTokenNotBound: {
		BadToken, "The access token is not bound to a key", "RFC 9449 §7.1",
		"scheme DPoP is for tokens with cnf.jkt: send this one as Bearer, or ask the authorization server for a DPoP-bound token (send a proof to its token endpoint)",
	},
	ErrBindingRequired: {
		BadToken, "The access token is not sender-constrained as this resource requires", "RFC 9728 §2, FAPI 2.0 §5.3.4",
		"this route demands a token bound to a key (cnf.jkt), a certificate (cnf.x5t#S256), or either: ask the authorization server for one",
	},
	ErrProofKeyMismatch: {
		BadToken, "The access token is bound to another key", "RFC 9449 §7.1, RFC 9449 §6.1",
		"the thumbprint of the proof's jwk is not the token's cnf.jkt: the client must sign with the key that it had at the token endpoint; otherwise the token is stolen",
	},
	ErrCertificateMissing: {
		BadToken, "The access token is bound to a certificate that was not presented", "RFC 8705 §3",
		"no client certificate came with this request: ask for one in the TLS handshake (client_certs: request), or let the proxy in front forward it (client_cert_header, trusted_proxies)",
	},
	ErrCertificateMismatch: {
		BadToken, "The access token is bound to another certificate", "RFC 8705 §3, §6.3",
		"the certificate presented is not the one of cnf.x5t#S256; a renewed certificate needs a new token; otherwise the token is stolen",
	},
	ErrCertificateField: {
		BadRequest, "The client certificate header is malformed", "RFC 9440 §2",
		"the proxy must set the configured header exactly once, in the configured format: compare client_cert_header with what it sends",
	},
	ErrProofStray: {
		BadRequest, "A DPoP proof came with a bearer token", "RFC 9449 §7.1",
		"a proof belongs to a token that is sent with scheme DPoP; this guard refuses others (stray_proof: refuse)",
	},
	ErrProofMissing: {
		BadProof, "A DPoP proof is required", "RFC 9449 §7.1, §4.3",
		"scheme DPoP needs one proof in the header DPoP",
	},
	ErrProofRepeated: {
		BadProof, "More than one DPoP proof was sent", "RFC 9449 §4.3",
		"send exactly one DPoP header; look for a proxy or client that adds a second one",
	},
	ErrProofMalformed: {
		BadProof, "The DPoP proof is malformed", "RFC 9449 §4.2, RFC 7515 §5.2",
		"the proof is not one compact JWS of at most 8 KiB whose parts are strict JSON objects, or a member has a wrong type, or it has crit or b64",
	},
	ErrProofTypeRefused: {
		BadProof, "The DPoP proof is malformed", "RFC 9449 §4.3",
		"typ of the proof must be dpop+jwt",
	},
	ErrProofAlgorithmRefused: {
		BadProof, "The DPoP proof is signed with an algorithm that is not accepted", "RFC 9449 §4.3",
		"compare alg of the proof with the algs of the challenge; none and HMAC are never accepted",
	},
	ErrProofKeyRefused: {
		BadProof, "The DPoP proof has an unusable key", "RFC 9449 §4.3, RFC 8725 §3.4, §3.5",
		"jwk of the proof must be one public key that fits alg: no private members, RSA of 2048 to 8192 bits, a point on the right curve",
	},
	ErrProofSignatureInvalid: {
		BadProof, "The DPoP proof could not be verified", "RFC 9449 §4.3",
		"the proof was changed, or another key than its jwk signed it; ECDSA signatures are R and S, not DER",
	},
	ErrProofClaimMissing: {
		BadProof, "The DPoP proof lacks a required claim", "RFC 9449 §4.2",
		"a proof for an API has jti (up to 256 bytes), htm, htu, iat and ath",
	},
	ErrProofMethodMismatch: {
		BadProof, "The DPoP proof is for another method", "RFC 9449 §4.3",
		"htm must be the method of this request, in the same case; over gRPC it is POST",
	},
	ErrProofTargetMismatch: {
		BadProof, "The DPoP proof is for another URL", "RFC 9449 §4.3",
		"htu must be the URL that the client called, without query and fragment: behind a proxy or below a path prefix configure the public URL (public_url, PublicURLs); the report shows both",
	},
	ErrProofTokenMismatch: {
		BadProof, "The DPoP proof is for another access token", "RFC 9449 §4.3",
		"ath must be the base64url SHA-256 of exactly the token that is sent",
	},
	ErrProofExpired: {
		BadProof, "The DPoP proof is too old", "RFC 9449 §4.3, §11.1",
		"each request needs a new proof; if it is new, compare the clocks of client and server, or let the server hand out nonces (nonce: adaptive)",
	},
	ErrProofInFuture: {
		BadProof, "The DPoP proof is from the future", "RFC 9449 §4.3, §11.1",
		"compare the clocks of client and server, or let the server hand out nonces (nonce: adaptive)",
	},
	ErrProofReplayed: {
		BadProof, "The DPoP proof was used before", "RFC 9449 §11.1",
		"each request needs a proof with a jti of its own, also when it is retried; otherwise somebody replays a proof",
	},
	ErrNonceMissing: {
		UseNonce, "The DPoP proof needs the nonce of this answer", "RFC 9449 §9",
		"the client repeats the request with a proof whose nonce is that of the header DPoP-Nonce; a nonce of the authorization server is another one",
	},
	ErrNonceInvalid: {
		UseNonce, "The DPoP proof needs the nonce of this answer", "RFC 9449 §9, §8",
		"the nonce expired or is not one of this server; if it is new, instances do not share their keys (nonce_keys_file) or their clocks differ",
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
	ErrPeerUntrusted: {
		Forbidden, "", "RFC 9700 §4.13",
		"only proxies ask here: the address that this request came from is not in trusted_proxies",
	},
	ErrForwardedInvalid: {
		Forbidden, "", "project",
		"the proxy did not say exactly once, in the configured family of headers, which request it asks about: see docs/deploy.md for its lines",
	},
	ErrForgedIdentity: {
		Forbidden, "", "RFC 9700 §4.13",
		"the request carries an identity header already, in some spelling; only bearward sets those, so the client must not send it",
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
	ErrReplayUnavailable: {
		Unavailable, "", "RFC 9449 §11.1",
		"the store of used proofs did not answer, or lost what it held, so nobody knows whether the proof was used before",
	},
	ErrReplayFull: {
		Unavailable, "", "RFC 9449 §11.1",
		"the store of used proofs is full, or one client has its share of it: give it more entries, shorten the window, or share the load among instances",
	},
	ErrTargetUnknown: {
		Internal, "", "RFC 9110 §7.1",
		"nobody said which URL clients call: set public_url (PublicURLs), or forwarded and trusted_proxies; only on loopback the Host header is taken",
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
