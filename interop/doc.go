// Package interop holds tests with programs that nobody here wrote:
// authorization servers, clients, and proxies. They start them themselves, on
// loopback and without any other network, and are skipped where Node.js or a
// program is missing, unless BEARWARD_REQUIRE_ALL=1.
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
//   - A token is bound to a key or to a certificate, never to both.
//
// How proxies forward the client's certificate, as measured with the files of
// examples/proxies: without one, nginx and HAProxy send no header, Apache
// "(null)", Caddy its own placeholder. All forward self-signed certificates, go
// on with that of a resumed session, and pass several challenges and a nonce on
// as they are. Where the client names the header in Connection, Apache takes off
// its own one too: the request comes without a certificate.
package interop
