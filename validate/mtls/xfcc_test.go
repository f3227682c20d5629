package mtls

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
)

func hash(cert *x509.Certificate) string {
	sum := sha256.Sum256(cert.Raw)
	return hex.EncodeToString(sum[:])
}

func TestParseElement(t *testing.T) { // [MT-12]
	cert, victim := issue(t, 0), issue(t, 0)
	plain, stolen := envoy(textPEM(cert)), envoy(textPEM(victim))
	own := `Cert="` + plain + `"`
	for _, c := range []struct {
		text string
		want error
	}{
		{own, nil},
		{"Cert=" + plain, nil},
		{"cert=" + plain, nil},
		{"CERT=" + plain + ";HASH=" + strings.ToUpper(hash(cert)), nil},
		{`Hash="` + hash(cert) + `";` + own, nil},
		{own + `;Subject=""`, nil},
		{own + `;URI=;DNS=a.test;DNS=b.test;URI=https://a.test/?b=c`, nil},
		{`By=spiffe://a;By=spiffe://b;` + own + `;Chain="` + plain + stolen + `"`, nil},
		{`Subject="CN=a, b;Cert=c=\"d\"";` + own, nil},
		{`Subject="CN=a\, b\\c\20";` + own, nil},
		{`Subject="CN=\\\"";` + own, nil},
		{"New=1;" + own, nil},

		// whose certificate is it?
		{own + "," + own, errElements},
		{own + `,Hash=` + hash(cert), errElements},
		{`By=a,` + own, errElements},
		{own + ",", errElements},
		{own + ";" + own, errTwice},
		{own + `;cert="` + stolen + `"`, errTwice},
		{own + ";Hash=" + hash(cert) + ";Hash=" + hash(cert), errTwice},
		{own + ";Hash=" + hash(victim), errHash},
		{own + ";Hash=", errHash},
		{own + `;Hash="` + hash(cert)[:63] + `"`, errHash},
		{own + `;Hash=` + hash(cert) + " ", nil}, // the end of the field
		{own + `;Hash= ` + hash(cert), errHash},

		// no certificate
		{`By=a;Hash=` + hash(cert) + `;Subject="CN=a"`, errCert},
		{`Subject="Cert=a"`, errCert},
		{`Chain="` + plain + `"`, errCert},
		{"XCert=" + plain, errCert},
		{"Cert=", errPEM},
		{`Cert=""`, errPEM},
		{`Cert="` + textPEM(cert)[28:] + `"`, errPEM},
		{`Cert="` + plain + stolen + `"`, errPEM},
		{`Cert="\"` + plain + `"`, errPEM},
		{`Cert="%` + plain + `"`, errPercent},

		// no element
		{plain, errElement},
		{"Cert", errElement},
		{";", errElement},
		{"=", errElement},
		{own + ";", errElement},
		{";" + own, errElement},
		{own + ";;Hash=" + hash(cert), errElement},
		{own + ";Hash", errElement},
		{own + "; Hash=" + hash(cert), errElement},
		{own + "x", errElement},
		{own + " ;Hash=" + hash(cert), errElement},
		{own + `"`, errElement},
		{`Subject=a"b";` + own, errElement},
		{`Subject="a;` + own + `;Hash=` + hash(cert), errElement},
		{`Cert="` + plain, errElement},
		{`Cert="` + plain + `\"`, errElement},
		{`Subject="CN=a\\";` + own, errElement}, // ends here for some, at the next quote for others
		{`Subject="CN=a\\\\";` + own, errElement},
		{"C\u00e9rt=" + plain, errElement},
	} {
		got, err := in(XFCC).Parse([]string{c.text})
		if !errors.Is(err, c.want) || err == nil && !bytes.Equal(got.Raw, cert.Raw) || err != nil && got != nil {
			t.Errorf("%s: got %v, %v, want %v", strings.NewReplacer(plain, "<cert>", stolen, "<victim>").Replace(c.text), got, err, c.want)
		}
	}
}

// A client whose own certificate has a name that looks like pairs does not get
// another certificate through: Envoy writes By and Hash first, and then the names
// in any order, those of the URI form as they are.
func TestParseInjectedPairs(t *testing.T) { // [MT-12]
	cert, victim := issue(t, 0), issue(t, 0)
	own, stolen := `Cert="`+envoy(textPEM(cert))+`"`, `Cert="`+envoy(textPEM(victim))+`"`
	head := "By=spiffe://a;Hash=" + hash(cert) + ";"
	for _, rest := range []string{
		"URI=a;" + stolen,
		"URI=a;" + stolen + ";Hash=" + hash(victim),
		own + ";URI=a;" + stolen,
		"URI=a;" + stolen + ";" + own,
		"URI=a;" + stolen + `;Subject="` + ";" + own,
		"URI=a;" + stolen + ";Hash=" + hash(victim) + `;Subject="` + ";" + own,
		`Subject="CN=a\\";URI=";` + stolen + `;X="`,
		"URI=a," + stolen,
		"DNS=a,Hash=" + hash(victim) + ";" + stolen,
	} {
		got, err := in(XFCC).Parse([]string{head + rest})
		if got != nil || err == nil {
			t.Errorf("%s: got %v, %v", strings.ReplaceAll(rest, stolen, "<victim>"), got, err)
		}
	}
}
