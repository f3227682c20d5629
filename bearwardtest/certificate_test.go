package bearwardtest_test

import (
	"crypto/tls"
	"net/http"
	"testing"

	"github.com/bearward/bearward/bearwardtest"
	"github.com/bearward/bearward/middleware"
	"github.com/bearward/bearward/validate"
)

// secure serves https and asks for client certificates.
func (a *api) secure() *api {
	a.TLS = &tls.Config{ClientAuth: tls.RequestClientCert}
	a.StartTLS()
	a.t.Cleanup(a.Close)
	return a
}

// with returns a client of the API with these certificates.
func (a *api) with(certificates ...*bearwardtest.Certificate) *http.Client {
	transport := a.Client().Transport.(*http.Transport).Clone()
	a.t.Cleanup(transport.CloseIdleConnections)
	for _, c := range certificates {
		transport.TLSClientConfig.Certificates = append(transport.TLSClientConfig.Certificates, c.TLS())
	}
	return &http.Client{Transport: transport}
}

func TestCertificate(t *testing.T) {
	iss := bearwardtest.NewIssuer(t)
	a := serve(t, iss, middleware.Scopes("orders:read").WithMTLS(), nil).secure()
	own, other := iss.Certificate(), iss.Certificate()
	for name, token := range map[string]string{
		"JWT":    own.JWT(bearwardtest.Claims{Scope: "orders:read"}),
		"opaque": own.Opaque(bearwardtest.Claims{Scope: "orders:read"}),
	} {
		for _, test := range []struct {
			client *http.Client
			status int
			code   validate.Code
		}{
			{a.with(own), 200, ""},
			{a.with(), 401, validate.ErrCertificateMissing},
			{a.with(other), 401, validate.ErrCertificateMismatch},
		} {
			if status, code := a.send(test.client, "GET", "", http.Header{"Authorization": {"Bearer " + token}}); status != test.status || code != test.code {
				t.Errorf("%s: %d %q, want %d %q", name, status, code, test.status, test.code)
			}
		}
	}
}

// TestBothBindings: a token of a key and a certificate needs both.
func TestBothBindings(t *testing.T) {
	iss := bearwardtest.NewIssuer(t)
	a := serve(t, iss, middleware.Policy{}, nil).secure()
	client, certificate := iss.DPoP(), iss.Certificate()
	token := client.JWT(bearwardtest.Claims{Certificate: certificate})
	for _, test := range []struct {
		by     *bearwardtest.Client
		with   *http.Client
		status int
		code   validate.Code
	}{
		{client, a.with(certificate), 200, ""},
		{client, a.with(), 401, validate.ErrCertificateMissing},
		{iss.DPoP(), a.with(certificate), 401, validate.ErrProofKeyMismatch},
	} {
		signing := &http.Client{Transport: test.by.Transport(token, test.with.Transport)}
		if status, code := a.send(signing, "GET", "", nil); status != test.status || code != test.code {
			t.Errorf("%d %q, want %d %q", status, code, test.status, test.code)
		}
	}
}

// TestCertificateItself: the two halves belong together, and no two are alike.
func TestCertificateItself(t *testing.T) {
	iss := bearwardtest.NewIssuer(t)
	c := iss.Certificate()
	if err := c.Leaf.CheckSignature(c.Leaf.SignatureAlgorithm, c.Leaf.RawTBSCertificate, c.Leaf.Signature); err != nil {
		t.Error(err)
	}
	if c.Thumbprint() == iss.Certificate().Thumbprint() || len(c.Thumbprint()) != 43 {
		t.Errorf("thumbprint %s", c.Thumbprint())
	}
}
