package doctor

import (
	"crypto/x509"
	"errors"
	"strings"
	"time"

	"github.com/bearward/bearward/internal/egress"
)

// special reports that a URL has an address that no setting permits.
func special(rawURL string) bool {
	most, err := egress.New(egress.Config{AllowHTTP: true})
	return err == nil && errors.Is(most.Check(rawURL), egress.ErrAddress)
}

func names(c *x509.Certificate) string {
	if c == nil {
		return "none"
	}
	all := c.DNSNames
	for _, ip := range c.IPAddresses {
		all = append(all, ip.String())
	}
	if len(all) == 0 {
		return "none"
	}
	return strings.Join(all, " ")
}

func signer(c *x509.Certificate) string {
	if c == nil || c.Issuer.String() == "" {
		return "without a name"
	}
	return c.Issuer.String()
}

func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }
