package interop

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// identity is a certificate with its key.
type identity struct{ tls.Certificate }

// newIdentity makes a certificate that nobody vouches for, for a client called
// name, or for a server with these hosts.
func newIdentity(t testing.TB, name string, hosts ...string) identity {
	t.Helper()
	template := &x509.Certificate{
		Subject:     pkix.Name{CommonName: name},
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	if len(hosts) > 0 {
		template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
		template.IsCA, template.BasicConstraintsValid = true, true // clients have it as their only root
		template.KeyUsage |= x509.KeyUsageCertSign
	}
	for _, host := range hosts {
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	return issue(t, template, nil)
}

// issued makes the certificate of a client that this authority, which no proxy
// knows, vouches for.
func (i identity) issued(t testing.TB, name string) identity {
	t.Helper()
	return issue(t, &x509.Certificate{
		Subject:     pkix.Name{CommonName: name},
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}, &i)
}

// issue completes and signs a certificate; nil: with its own key.
func issue(t testing.TB, template *x509.Certificate, by *identity) identity {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if template.SerialNumber, err = rand.Int(rand.Reader, big.NewInt(1<<62)); err != nil {
		t.Fatal(err)
	}
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	parent, signer := template, any(key)
	if by != nil {
		parent, signer = by.Leaf, by.PrivateKey
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return identity{tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}}
}

// thumbprint is x5t#S256 (RFC 8705 §3.1).
func (i identity) thumbprint() string {
	sum := sha256.Sum256(i.Leaf.Raw)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// pem is the certificate and its key as text.
func (i identity) pem(t testing.TB) (certificate, key string) {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(i.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: i.Leaf.Raw})),
		string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// files writes the certificate, the key, and both in one.
func (i identity) files(t testing.TB) (certificate, key, both string) {
	t.Helper()
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	public, private := i.pem(t)
	return write("cert.pem", public), write("key.pem", private), write("both.pem", public+private)
}

// roots has the certificate as its only authority.
func (i identity) roots() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(i.Leaf)
	return pool
}

// clientTLS is a client's side: it trusts the server's certificate and has one
// of its own, unless own is nil. Go's client shows it where the server names no
// authorities, or one that has issued it.
func clientTLS(server identity, own *identity) *tls.Config {
	c := &tls.Config{RootCAs: server.roots(), ServerName: server.Leaf.DNSNames[0], MinVersion: tls.VersionTLS12}
	if own != nil {
		c.Certificates = []tls.Certificate{own.Certificate}
	}
	return c
}
