// Package validate says what a valid access token is.
//
// A [JWT] judges the tokens of one issuer by an ordered list of named rules:
// RFC 9068, RFC 7519 and RFC 8725 with every option closed. [Issuers] routes a
// token to the one issuer that it claims to come from. Every refusal is an
// [Error] whose [Code] has a fixed class and a fixed phrase; the table of codes
// is docs/errors.md.
//
// A Verifier answers for the token only. Whether the caller may use it, that
// is whether a sender-constrained token came with its proof and whether a
// route's scopes are covered, is decided by package middleware.
package validate
