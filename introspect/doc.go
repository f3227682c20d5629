// Package introspect asks authorization servers about their tokens (RFC 7662)
// and remembers the answers for a short time. A [Verifier] is one issuer's
// side of it: it judges opaque tokens, and confirms JWTs that need a live
// answer.
//
// What it does to the server is bounded: one call for any number of callers
// with the same token, so many calls at once and in a second, none while the
// server is down but one probe every few seconds. An outage is answered 503 and
// never remembered as an answer.
package introspect
