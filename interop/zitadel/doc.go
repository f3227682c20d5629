// Package zitadel holds tests against a second real authorization server: the
// example provider of zitadel/oidc, with its own storage, login page and code
// flow. It is a module of its own, so that nothing of it reaches users of
// bearward.
//
// How it introspects, as measured:
//
//   - Opaque tokens are a JWE: five parts, the first a JOSE header.
//   - client_secret_basic is form-decoded; private_key_jwt is RS256 only, with
//     the issuer as aud, and an assertion may be used again.
//   - Answers have active, scope, client_id and exp; sub and the user's profile
//     with the scopes openid and profile; never iss, aud, iat or token_type.
//   - A client is told about tokens that were issued to it, and that others are
//     inactive.
//   - Inactive answers may carry exp beside.
//   - JWTs are introspected and revoked as opaque tokens are.
package zitadel
