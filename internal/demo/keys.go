package demo

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/bearward/bearward/internal/jose"
	"github.com/bearward/bearward/internal/prove"
)

// wallet is what the demo's client has to prove that tokens are its own, and
// the certificate that the demo has as a server.
type wallet struct {
	key           *prove.Key // for proofs
	client, other tls.Certificate
	server        tls.Certificate
}

// Names of the client's certificates.
const (
	clientCertificate = "client" // the one that tokens are bound to
	otherCertificate  = "other"

	serverCertificate = "server"
)

func newWallet() (*wallet, error) {
	w := new(wallet)
	var faults [4]error
	w.key, faults[0] = prove.NewKey("")
	w.client, faults[1] = certificate("bearward demo: client")
	w.other, faults[2] = certificate("bearward demo: another client")
	w.server, faults[3] = certificate("bearward demo: API")
	return w, errors.Join(faults[:]...)
}

// certificate makes one that signs itself: as a client's it need not be more
// (RFC 8705 §2.2), as a server's curl is told about it.
func certificate(name string) (tls.Certificate, error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	now := time.Now()
	template := &x509.Certificate{
		Subject:   pkix.Name{CommonName: name},
		NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(1, 0, 0),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		return tls.Certificate{}, err
	}
	leaf, err := x509.ParseCertificate(der)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: private, Leaf: leaf}, err
}

// Thumbprint is the value of cnf.x5t#S256 in tokens that are bound to the
// certificate (RFC 8705 §3.1).
func Thumbprint(c *x509.Certificate) string {
	sum := sha256.Sum256(c.Raw)
	return jose.Encode(sum[:])
}

// named returns a certificate of the client; the zero one is none.
func (w *wallet) named(name string) tls.Certificate {
	switch name {
	case clientCertificate:
		return w.client
	case otherCertificate:
		return w.other
	}
	return tls.Certificate{}
}

const keyFile = "client-key.pem"

// ReadKey reads a client's key from a file.
func ReadKey(path string) (*prove.Key, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return prove.ParsePEM(text)
}

// ClientKey returns the key of the running demo's client, or ErrNotRunning.
func ClientKey() (*prove.Key, error) {
	path, err := StatePath()
	if err != nil {
		return nil, ErrNotRunning
	}
	key, err := ReadKey(filepath.Join(filepath.Dir(path), keyFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNotRunning
	}
	return key, err
}

// keep writes the client's key into the directory, or takes the one that a demo
// which is running as well has put there: both have the same client, so that the
// lines of both work.
func (w *wallet) keep(dir string) error {
	path := filepath.Join(dir, keyFile)
	if key, err := ReadKey(path); err == nil {
		w.key = key
		return nil
	}
	text, err := w.key.PEM()
	if err != nil {
		return err
	}
	return replace(path, text)
}

// files are the certificates, for curl.
func (w *wallet) files() (map[string][]byte, error) {
	out := map[string][]byte{serverCertificate: block("CERTIFICATE", w.server.Certificate[0])}
	for _, name := range []string{clientCertificate, otherCertificate} {
		c := w.named(name)
		der, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
		if err != nil {
			return nil, err
		}
		out[name] = append(block("CERTIFICATE", c.Certificate[0]), block("PRIVATE KEY", der)...)
	}
	return out, nil
}

func block(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}
