// Package interop holds tests against real authorization servers. They start
// the servers themselves, on loopback and without any other network, and are
// skipped where Node.js or a server is missing, unless BEARWARD_REQUIRE_ALL=1.
//
// How oidc-provider introspects, as measured:
//
//   - client_secret_basic without form-encoding is 401 where it matters.
//   - A client assertion is good for one request; its aud is the issuer, the
//     token endpoint or the introspection endpoint.
//   - Every answer says Cache-Control: no-store.
//   - Answers about client_credentials have iss, aud, exp, iat, client_id, scope
//     and token_type, and no sub, jti or token_use.
//   - A JWT, a JWE too, is 400 unsupported_token_type, for revocation as well.
//   - An answer is signed where Accept prefers that, inactive ones included: its
//     aud is the asking client, its content type has a charset parameter.
//   - Only the client that got a token may revoke it.
package interop
