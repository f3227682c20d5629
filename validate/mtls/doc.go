// Package mtls binds access tokens to client certificates (RFC 8705): the
// thumbprint of a certificate, and the certificate itself, of the connection or
// out of the header in which a trusted proxy forwards it.
//
// A header is only as good as its sender: Parse is for what came from a trusted
// proxy, which must remove or overwrite the header that a client sends, also when
// the client shows no certificate (RFC 9440 §4).
package mtls
