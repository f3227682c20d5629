package mtls

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"runtime"
	"sync"
	"testing"
	"weak"
)

func TestThumbprint(t *testing.T) {
	for name, cert := range map[string]*x509.Certificate{"nil": nil, "empty": {}} { // [MT-01]
		if sum, ok := Thumbprint(cert); ok || sum != [32]byte{} {
			t.Errorf("%s has the thumbprint %x", name, sum)
		}
	}
	a, b := issue(t, 0), issue(t, 0)
	for range 3 { // worked out, then remembered
		for _, cert := range []*x509.Certificate{a, b} {
			if sum, ok := Thumbprint(cert); !ok || sum != sha256.Sum256(cert.Raw) { // [MT-02]
				t.Errorf("got %x, %v", sum, ok)
			}
		}
	}
}

// RFC 8705 appendix A, RFC 9440 appendix A.
func TestThumbprintVectors(t *testing.T) { // [MT-02]
	var mtls struct {
		Certificate string `json:"certificate_pem"`
		Thumbprint  string `json:"x5t#S256"`
	}
	vectors(t, "rfc/rfc8705.json", &mtls)
	block, _ := pem.Decode([]byte(mtls.Certificate))
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	sum, ok := Thumbprint(cert)
	if got := base64.RawURLEncoding.EncodeToString(sum[:]); !ok || got != mtls.Thumbprint {
		t.Errorf("got %s, want %s", got, mtls.Thumbprint)
	}
}

func TestThumbprintConcurrently(t *testing.T) {
	certs := []*x509.Certificate{issue(t, 0), issue(t, 0), issue(t, 0)}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := range 300 {
				cert := certs[i%len(certs)]
				if sum, ok := Thumbprint(cert); !ok || sum != sha256.Sum256(cert.Raw) {
					t.Errorf("got %x, %v", sum, ok)
				}
			}
		})
	}
	wg.Wait()
}

// What is remembered must not keep the certificates of closed connections.
func TestThumbprintKeepsNothingAlive(t *testing.T) {
	gone := used(t)
	runtime.GC()
	runtime.GC()
	if gone.Value() != nil {
		t.Error("the certificate is still there")
	}
}

//go:noinline
func used(t *testing.T) weak.Pointer[x509.Certificate] {
	t.Helper()
	cert := issue(t, 0)
	if _, ok := Thumbprint(cert); !ok {
		t.Fatal("no thumbprint")
	}
	return weak.Make(cert)
}

func TestThumbprintAllocatesNothing(t *testing.T) {
	cert := issue(t, 0)
	if n := testing.AllocsPerRun(100, func() { Thumbprint(cert) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkThumbprint(b *testing.B) {
	cert := issue(b, 0)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			Thumbprint(cert)
		}
	})
}
