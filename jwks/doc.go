// Package jwks holds the keys of an issuer: fetched and refreshed ([Remote]),
// from a file ([File]) or given ([Static], [StaticSet]). All of them are a
// validate.KeySource.
//
// A remote source never makes a caller pay for what the caller cannot help.
// Reads are lock-free; fetches are shared, detached from who asked, bounded in
// time and size, and limited: nothing that a client repeats causes more than
// one upstream call per cooldown. While the authorization server is away the
// last good set is used until it is too old; after that, or without any set,
// the answer is that nobody knows (503), never that the token is bad.
package jwks
