package bearwardtest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"fmt"
	"time"
)

// Certificate is an OAuth client's self-signed certificate, to which its tokens
// are bound (mTLS, RFC 8705). It is safe for concurrent use.
type Certificate struct {
	Leaf *x509.Certificate // for middleware.Request, or as bytes for a proxy's header

	issuer  *Issuer
	private *ecdsa.PrivateKey
}

// Certificate makes a client certificate. It is valid from the real time on,
// which TLS goes by, whatever the Clock says. A server that accepts it asks for
// certificates and verifies none: tls.RequestClientCert.
func (i *Issuer) Certificate() *Certificate {
	i.tb.Helper()
	c, err := newCertificate()
	if err != nil {
		i.tb.Fatalf("bearwardtest: %v", err)
	}
	c.issuer = i
	return c
}

func newCertificate() (*Certificate, error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		Subject:   pkix.Name{CommonName: "client-1"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(10, 0, 0),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		return nil, err
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("own certificate: %w", err)
	}
	return &Certificate{Leaf: leaf, private: private}, nil
}

// TLS returns the certificate for the tls.Config of a client.
func (c *Certificate) TLS() tls.Certificate {
	return tls.Certificate{Certificate: [][]byte{c.Leaf.Raw}, PrivateKey: c.private, Leaf: c.Leaf}
}

// Thumbprint returns the thumbprint of the certificate, cnf.x5t#S256 in its
// tokens (RFC 8705 §3.1).
func (c *Certificate) Thumbprint() string {
	sum := sha256.Sum256(c.Leaf.Raw)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// JWT is Issuer.JWT for a token that is bound to the certificate.
func (c *Certificate) JWT(claims ...Claims) string {
	c.issuer.tb.Helper()
	return c.issuer.JWT(c.bound(claims))
}

// Opaque is Issuer.Opaque for a token that is bound to the certificate.
func (c *Certificate) Opaque(claims ...Claims) string {
	c.issuer.tb.Helper()
	return c.issuer.Opaque(c.bound(claims))
}

func (c *Certificate) bound(claims []Claims) Claims {
	c.issuer.tb.Helper()
	out := one(c.issuer.tb, claims)
	out.Certificate = c
	return out
}
