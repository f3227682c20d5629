package mtls

import (
	"crypto/sha256"
	"crypto/x509"
	"weak"

	"github.com/bearward/bearward/internal/recent"
)

// thumbprints remembers those of certificates in use, without keeping the
// certificates alive.
var thumbprints = recent.New[weak.Pointer[x509.Certificate], [32]byte](16 << 10)

// Thumbprint returns the SHA-256 digest of the certificate's DER form, which
// tokens carry as cnf.x5t#S256 (RFC 8705 §3.1). It is false if there is no
// certificate. A certificate must not be changed after it was parsed: the digest
// is worked out once per pointer. Safe for concurrent use.
func Thumbprint(cert *x509.Certificate) (sum [32]byte, ok bool) {
	if cert == nil || len(cert.Raw) == 0 { // [MT-01]
		return sum, false
	}
	key := weak.Make(cert)
	if known, ok := thumbprints.Get(key); ok {
		return known, true
	}
	digest := sha256.Sum256(cert.Raw) // [MT-02]
	thumbprints.Put(key, digest)
	return digest, true
}
