// Package cache remembers JWTs that were verified, so that a repeated token costs
// a digest in place of a signature. It decides nothing: on each request the time,
// the signing key's presence in its issuer's set, revocation, possession and the
// route's policy are judged again.
//
// A Cache belongs to one Guard, or to one router where there is none: what another
// one verified is not taken, and Guards close their Cache with themselves.
package cache
