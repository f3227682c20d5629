// Package stuck is the list of what people get stuck on, each with the line that
// names the way out. Its tests reproduce each of them and look for the line;
// docs/troubleshooting.md is written from it.
package stuck

// Speaker is what says the line.
type Speaker string

// The speakers.
const (
	Explain Speaker = "explain" // the report on a token, as of bearward explain and Guard.Explain
	Doctor  Speaker = "doctor"  // bearward doctor
	Start   Speaker = "start"   // bearward serve and bearward.New, at the start
	Log     Speaker = "log"     // of refusals
	Docs    Speaker = "docs"    // nothing is wrong: this page
)

// Entry is one thing that people get stuck on.
type Entry struct {
	Name string // what is seen, as a title
	By   Speaker
	Line string // words of what By says; of Docs the line itself
}

// Entries are in the order of the document.
var Entries = []Entry{
	{"The token is for another audience, or for several", Explain, "the client must ask for this API (resource or audience parameter, audience mapper); or add the value to the issuer's audience"},
	{"An opaque token, because the client asked for no audience", Explain, "an opaque token: ask the authorization server for a JWT (many give one only when the request names this API's audience or resource)"},
	{"A v1 token of Entra at a v2 issuer", Explain, "a v1 token at a v2 issuer: set requestedAccessTokenVersion to 2"},
	{"Entra's metadata says {tenantid}", Doctor, "issuers[0].issuer: the same URL with your tenant's identifier"},
	{"A token for Microsoft Graph, which can never be verified", Explain, "this token is for Microsoft Graph: let the client request a scope of this API"},
	{"The issuer is localhost outside and another name inside the container network", Doctor, "issuers[0].issuer: http://localhost:8080/realms/demo with discovery_url: http"},
	{"The final slash of the issuer", Explain, "configured issuer and iss differ only in the final slash; copy iss exactly"},
	{"Keycloak's tokens say aud: account", Explain, `aud is only "account": add an audience mapper`},
	{"Cognito's tokens have no aud", Explain, "Cognito's access tokens have no aud: list the app clients that may call this API in client_ids"},
	{"Keys were rotated", Docs, "Nothing to do: the first token with a new kid fetches the keys, at most once per cooldown (30s). A restart is never needed."},
	{"The issuer is down", Explain, "the issuer's keys cannot be loaded; see the issuer's health for the last error"},
	{"The issuer is down when the server starts", Docs, "Nothing to do: bearward serve starts and tries again; /readyz says what is missing, and tokens of that issuer are answered 503, not 401."},
	{"The clocks of both machines differ", Doctor, "set both by NTP"},
	{"Scopes are in scp or permissions", Explain, "the token has its scopes in permissions: set the issuer's scope_claim: {name: permissions, type: array}"},
	{"A CORS preflight gets 401", Docs, "Nothing to do: a preflight passes where a rule matches its Access-Control-Request-Method; a plain OPTIONS is a request like others. Let the proxy in front pass on Origin and Access-Control-Request-Method."},
	{"A health check gets 403", Explain, "no rule names this route or method; list it, or mark it public by name"},
	{"WebSocket and SSE in browsers cannot send headers", Explain, "send the token in the header: Authorization: Bearer TOKEN; tokens in query, form or cookie are not read"},
	{"gRPC: a method or a stream is denied", Docs, "List it in grpcauth.Methods, as /package.Service/Method or /package.Service/*, and pass grpcauth.ServerOptions, which covers unary methods and streams. The token is in the metadata key authorization."},
	{"Tests need an identity provider", Docs, "Use bearwardtest: NewIssuer(t) is one on loopback, its JWT(...) and Wrong(...) are tokens, With(r, token) plants one for a handler."},
	{"Local development without https", Start, "an http issuer needs allow_http: true, which permits loopback and private addresses only"},
	{"Several identity providers", Docs, "List all of them in issuers; a token goes to the one that its iss names. issuers: [NAME] of a rule accepts fewer there."},
	{"Are there tokens in the logs?", Docs, "No: a refusal is logged by its code, with token_ref, a short digest by which lines about one token are found."},
	{"A certificate-bound token behind a proxy", Explain, "let the proxy in front forward it (client_cert_header, trusted_proxies)"},
	{"DPoP: htu behind a proxy or a path prefix", Explain, "behind a proxy or below a path prefix configure the public URL (public_url, PublicURLs)"},
	{"401 without a reason", Log, `fix="get a new token; if it is new, compare the clocks of both machines"`},
	{"Forwarded headers are missing", Doctor, "trusted_proxies: the address from which the proxy connects; forward_auth.headers: the family that it sends"},
	{"Forwarded headers are the client's", Doctor, "let the proxy set or remove X-Forwarded-* in each request to the server"},
	{"An ID token was sent", Explain, "this is an ID token (at_hash), which is for the client; send the access token"},
	{"HS256 where RS256 is expected", Explain, "the token is signed with a shared secret; switch the authorization server to RS256 or ES256"},
	{"The issuer signs with HS256 only", Doctor, "let the authorization server sign this API's tokens with RS256 or ES256"},
	{"An internal authority signed the issuer's certificate", Doctor, "issuers[0].ca_file: the PEM file of that authority"},
	{"The token is too long", Explain, "tokens are read up to 16 KiB; ask the authorization server for fewer claims"},
	{"Kubernetes: the certificate of discovery", Doctor, "issuers[0].ca_file: the PEM file of that authority"},
	{"Kubernetes: discovery wants credentials", Doctor, "issuers[0].jwks_file: its keys, fetched with credentials (Kubernetes: kubectl get --raw /openid/v1/jwks)"},
	{"A revoked token still passes", Docs, "For as long as an answer is used (introspection.cache.positive, 30s); a JWT until its exp, unless always or every asks about it. A revocation list, or Guard.Flush for one token, works at once."},
	{"MCP clients look for resource_metadata", Docs, "Set resource to the https URL of the API: each challenge then names the document, which serve, or httpauth.Metadata(guard), serves."},
}
