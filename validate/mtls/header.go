package mtls

// Format is how a proxy writes the client's certificate into a header.
type Format string

// The formats.
const (
	RFC9440       Format = "rfc9440"        // Client-Cert: base64 DER between colons (RFC 9440 §2.1)
	PEMURLEncoded Format = "pem-urlencoded" // nginx: $ssl_client_escaped_cert
	PEMOneLine    Format = "pem-oneline"    // Apache: %{SSL_CLIENT_CERT}s, line ends replaced by spaces
	XFCC          Format = "xfcc"           // Envoy: X-Forwarded-Client-Cert with Cert
	Base64DER     Format = "base64-der"     // HAProxy: %[ssl_c_der,base64]; Traefik: a chain joined by commas, the client's first
)

// Header says which header of a trusted proxy has the client's certificate. The
// zero Header: none.
type Header struct {
	Name   string // Client-Cert, for example
	Format Format
}
