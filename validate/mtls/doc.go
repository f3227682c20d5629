// Package mtls binds access tokens to client certificates (RFC 8705): the
// thumbprint of a certificate, and the certificate itself, of the connection or
// out of the header in which a trusted proxy forwards it.
package mtls
