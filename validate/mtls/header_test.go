package mtls

import (
	"strings"
	"testing"
)

func TestCheck(t *testing.T) {
	for _, c := range []struct {
		header Header
		want   string // of the error; none: no error
	}{
		{Header{}, ""},
		{Header{"Client-Cert", RFC9440}, ""},
		{Header{"X-SSL-Client-Cert", PEMURLEncoded}, ""},
		{Header{"x_ssl_cert", PEMOneLine}, ""},
		{Header{"X-Forwarded-Client-Cert", XFCC}, ""},
		{Header{"X-Forwarded-Tls-Client-Cert", Base64DER}, ""},

		{Header{"", RFC9440}, "a format of certificates without the name of their header"},
		{Header{"Client-Cert", ""}, `header "Client-Cert" without the format`},
		{Header{"Client-Cert", "pem"}, `format "pem" is not rfc9440, pem-urlencoded`}, // [MT-12]
		{Header{"Client-Cert", "RFC9440"}, `format "RFC9440" is not`},                 // [MT-12]
		{Header{"", "pem"}, `format "pem" is not`},                                    // [MT-12]
		{Header{"Host", "pem"}, `header "Host" has a meaning of its own`},

		{Header{"Client Cert", RFC9440}, `"Client Cert" is no header name`},
		{Header{"Client-Cert:", RFC9440}, "is no header name"},
		{Header{":authority", RFC9440}, "is no header name"},
		{Header{"Client-Cert\r\nX", RFC9440}, "is no header name"},
		{Header{"Klient-Zertifikät", RFC9440}, "is no header name"},
		{Header{"a\x7f", RFC9440}, "is no header name"},

		{Header{"Authorization", RFC9440}, "has a meaning of its own and cannot carry a certificate"},
		{Header{"dpop", RFC9440}, "has a meaning of its own"},
		{Header{"HOST", RFC9440}, "has a meaning of its own"},
		{Header{"Cookie", RFC9440}, "has a meaning of its own"},
		{Header{"Connection", RFC9440}, "has a meaning of its own"},
		{Header{"Content-Length", RFC9440}, "has a meaning of its own"},
		{Header{"X-Forwarded-For", RFC9440}, "has a meaning of its own"},
		{Header{"X_Forwarded_For", RFC9440}, "has a meaning of its own"},
		{Header{"Client-Cert-Chain", RFC9440}, "has a meaning of its own"},
		{Header{"X-Original-URL", RFC9440}, "has a meaning of its own"},
		{Header{"Sec-Fetch-Mode", RFC9440}, "has a meaning of its own"},
		{Header{"grpc-timeout", RFC9440}, "has a meaning of its own"},
	} {
		err := c.header.Check()
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: got %v, want %q", c.header, err, c.want)
		}
	}
	if err := (Header{"Host", "pem"}).Check(); strings.Count(err.Error(), "\n") != 1 {
		t.Errorf("not all faults at once: %v", err)
	}
	for _, name := range taken {
		if name != strings.ToLower(name) || (Header{name, RFC9440}).Check() == nil {
			t.Errorf("%s can be used", name)
		}
	}
}
