package introspect

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"strings"
	"testing"

	"github.com/bearward/bearward/validate"
)

// What could never work is said at the start, and nothing is made of it first.
func TestSenselessSettings(t *testing.T) { // [IN-02 CA-05]
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	certificate := selfSigned(t)
	signing := func(c *Config) { c.Auth = Auth{Method: PrivateKeyJWT, ClientID: "api", Key: key} }
	for name, c := range map[string]struct {
		change func(*Config)
		says   string
	}{
		"a huge cache":        {func(c *Config) { c.Cache.Entries = maxEntries + 1 }, "at most 10000000"},
		"a cache without end": {func(c *Config) { c.Cache.Entries = 1<<63 - 1 }, "at most 10000000"},
		"client id not UTF-8": {func(c *Config) { signing(c); c.Auth.ClientID = "\xff" }, "client id is not UTF-8"},
		"key id not UTF-8":    {func(c *Config) { signing(c); c.Auth.KeyID = "\xff" }, "key id is not UTF-8"},
		"audience not UTF-8":  {func(c *Config) { signing(c); c.Auth.Audience = "\xff" }, "audience is not UTF-8"},
		"another one's key": {func(c *Config) {
			c.Auth.Certificate = &tls.Certificate{Certificate: certificate.Certificate, PrivateKey: key}
		}, "not that of its key"},
		"a key that cannot sign": {func(c *Config) {
			c.Auth.Certificate = &tls.Certificate{Certificate: certificate.Certificate, PrivateKey: "key"}
		}, "not that of its key"},
		"no certificate":    {func(c *Config) { c.Auth.Certificate = &tls.Certificate{PrivateKey: key} }, "unreadable"},
		"an unreadable one": {func(c *Config) { c.Auth.Certificate = &tls.Certificate{Certificate: [][]byte{{1}}, PrivateKey: key} }, "unreadable"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := Config{
				Token: validate.Config{Issuer: fakeIssuer, Audience: []string{fakeAPI}},
				Auth:  Auth{Method: Basic, ClientID: "api", Secret: "0123456789abcdef"},
			}
			c.change(&cfg)
			v, err := New(cfg)
			if err == nil {
				_ = v.Close()
			}
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want %q", err, c.says)
			}
		})
	}
}
