package middleware

// Forwarded is a family of headers in which a proxy says what the client asked
// it for.
type Forwarded string

// The families. A guard reads one at most.
const (
	NotForwarded Forwarded = ""
	XForwarded   Forwarded = "x-forwarded" // X-Forwarded-Proto, X-Forwarded-Host
	RFC7239      Forwarded = "rfc7239"     // Forwarded: proto, host
)
