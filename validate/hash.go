package validate

import (
	"crypto/sha256"

	"github.com/bearward/bearward/internal/jose"
)

// SubjectHash names the principal in logs without telling who it is: the first
// 12 characters of base64url(SHA-256(iss, 0, sub)).
func (t *Token) SubjectHash() string {
	if t.Subject == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(t.Issuer + "\x00" + t.Subject))
	return jose.Encode(sum[:9])
}
