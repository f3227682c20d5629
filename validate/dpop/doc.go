// Package dpop judges proofs of possession (RFC 9449): that whoever sends an
// access token holds the key that the token is bound to, for this request and
// never again.
//
// A [Verifier] runs the checks of RFC 9449 §4.3 as a list of named rules. The
// last step, [Verifier.Spend], writes the proof into a [ReplayStore]: the one
// in memory is exact and bounded; package redisstore has one for several
// processes. Nonces of the server are authenticated timestamps, so that nobody
// has to store them.
package dpop
