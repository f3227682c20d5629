package mtls

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"net/url"
	"strings"
	"testing"
)

// What the proxies write comes back as the certificate.
func TestParse(t *testing.T) { // [MT-08 MT-12 MT-13]
	cert, ca := issue(t, 0), issue(t, 0)
	for !strings.Contains(text64(cert), "+") || !strings.Contains(text64(cert), "/") {
		cert = issue(t, 0)
	}
	inPEM, in64 := textPEM(cert), text64(cert)
	bare := strings.NewReplacer("-----BEGIN CERTIFICATE-----", "", "-----END CERTIFICATE-----", "", "\n", "")
	for _, c := range []struct {
		proxy  string
		format Format
		text   string
	}{
		{"Caddy, HAProxy, RFC 9440", RFC9440, ":" + in64 + ":"},
		{"white space around a field is no part of it", RFC9440, " \t:" + in64 + ": "},
		{"without padding", RFC9440, ":" + strings.TrimRight(in64, "=") + ":"},
		{"nginx", PEMURLEncoded, component(inPEM)},
		{"Envoy's variable", PEMURLEncoded, envoy(inPEM)},
		{"load balancers that keep + = /", PEMURLEncoded, some(inPEM)},
		{"without the last line end", PEMURLEncoded, component(strings.TrimSpace(inPEM))},
		{"other line ends", PEMURLEncoded, component(strings.ReplaceAll(inPEM, "\n", "\r\n"))},
		{"small hexadecimal digits", PEMURLEncoded, strings.NewReplacer("%0A", "%0a", "%2F", "%2f").Replace(component(inPEM))},
		{"Apache", PEMOneLine, strings.ReplaceAll(inPEM, "\n", " ")},
		{"folded lines", PEMOneLine, strings.ReplaceAll(strings.TrimSpace(inPEM), "\n", " \t")},
		{"dropped line ends", PEMOneLine, strings.ReplaceAll(inPEM, "\n", "")},
		{"Envoy", XFCC, `By=spiffe://a/b;Hash=` + hash(cert) + `;Cert="` + envoy(inPEM) + `";Subject="CN=client";URI=`},
		{"HAProxy", Base64DER, in64},
		{"without padding", Base64DER, strings.TrimRight(in64, "=")},
		{"Traefik, one", Base64DER, bare.Replace(inPEM)},
		{"Traefik, a chain", Base64DER, bare.Replace(inPEM) + "," + bare.Replace(textPEM(ca))},
		{"Traefik, escaped", Base64DER, url.QueryEscape(bare.Replace(inPEM)) + "," + url.QueryEscape(bare.Replace(textPEM(ca)))},
		{"the whole chain escaped", Base64DER, url.QueryEscape(in64 + "," + text64(ca))},
	} {
		for range 2 { // parsed, then remembered
			got, err := in(c.format).Parse([]string{c.text})
			if err != nil || got == nil || !bytes.Equal(got.Raw, cert.Raw) {
				t.Errorf("%s, %s: got %v, %v", c.format, c.proxy, got, err)
			}
		}
	}
}

func TestParseAbsent(t *testing.T) { // [MT-08]
	for _, f := range formats() {
		for _, values := range [][]string{nil, {}, {""}, {" \t "}, {"-"}, {"(null)"}, {"{tls_client_certificate_pem}"}, {"{http.request.tls.client.certificate_der_base64}"}, {"%{SSL_CLIENT_CERT}s"}} {
			if cert, err := in(f).Parse(values); cert != nil || err != nil {
				t.Errorf("%s, %q: got %v, %v", f, values, cert, err)
			}
		}
		for _, text := range []string{"::", ":-:", ":(null):", ":{http.request.tls.client.certificate_der_base64}:", ":%{SSL_CLIENT_B64CERT}s:"} {
			cert, err := in(f).Parse([]string{text})
			if cert != nil || (err == nil) != (f == RFC9440) {
				t.Errorf("%s, %q: got %v, %v", f, text, cert, err)
			}
		}
		// Everything else is a fault of somebody, and is said to be one.
		for _, text := range []string{
			":", ":::", "{}", "%{}s", "{", "}", "{a}s", "%{a}", "{a b}", "{a}{b}", "${a}", "%[ssl_c_der]", "null", "none", "(null),", "--", "0",
			`""`, "{a:b}", ":{a}", "{a}:", "{ä}", "\x00", "\u00a0", "\r\n", "%20", "%2D", "undefined",
		} {
			if cert, err := in(f).Parse([]string{text}); cert != nil || err == nil {
				t.Errorf("%s, %q: got %v, %v", f, text, cert, err)
			}
		}
	}
}

func TestParseMalformed(t *testing.T) {
	cert := issue(t, 0)
	for len(cert.Raw)%3 != 1 {
		cert = issue(t, 0)
	}
	in64, inPEM := text64(cert), textPEM(cert)
	line := strings.ReplaceAll(inPEM, "\n", " ")
	tail := base64.StdEncoding.EncodeToString(append(bytes.Clone(cert.Raw), 0))
	twice := base64.StdEncoding.EncodeToString(append(bytes.Clone(cert.Raw), cert.Raw...))
	cut := base64.StdEncoding.EncodeToString(cert.Raw[:len(cert.Raw)-1])
	inURL := base64.RawURLEncoding.EncodeToString(append(bytes.Clone(cert.Raw), 0xff, 0xff, 0xff))
	bits := in64[:len(in64)-3] + next(in64[len(in64)-3]) + "=="

	for _, c := range []struct {
		format Format
		text   string
		want   error
	}{
		// one Byte Sequence and nothing else [MT-08]
		{RFC9440, in64, errSequence},
		{RFC9440, ":" + in64, errSequence},
		{RFC9440, in64 + ":", errSequence},
		{RFC9440, ":" + in64 + ":;a=1", errSequence},
		{RFC9440, ":" + in64 + ":;a=:AA:", errSequence},
		{RFC9440, ":" + in64 + ":, :" + in64 + ":", errSequence},
		{RFC9440, ":" + in64 + ":,:" + in64 + ":", errSequence},
		{RFC9440, ":" + in64 + "," + in64 + ":", errSequence},
		{RFC9440, ":" + in64 + ":x", errSequence},
		{RFC9440, `":` + in64 + `:"`, errSequence},
		{RFC9440, "(:" + in64 + ":)", errSequence},
		{RFC9440, line, errSequence},
		{RFC9440, ":" + line + ":", errEncoding},
		{RFC9440, ":" + in64[:8] + " " + in64[8:] + ":", errEncoding},
		{RFC9440, ":" + in64[:8] + "\n" + in64[8:] + ":", errEncoding},
		{RFC9440, ":" + in64[:8] + "\r\n\r\n" + in64[8:] + ":", errEncoding}, // Go's decoder would skip them
		{RFC9440, ":" + component(in64) + ":", errEncoding},

		// strict base64 [MT-08 MT-12]
		{Base64DER, in64 + "=", errEncoding},
		{Base64DER, strings.TrimSuffix(in64, "="), errEncoding},
		{Base64DER, in64 + "AAAA", errEncoding},
		{Base64DER, "=" + in64, errEncoding},
		{Base64DER, "====", errEncoding},
		{Base64DER, "A", errEncoding},
		{Base64DER, "A===", errEncoding},
		{Base64DER, bits, errEncoding},
		{Base64DER, inURL, errEncoding},
		{Base64DER, in64[:8] + "\n" + strings.TrimRight(in64[8:], "="), errEncoding},
		{Base64DER, in64[:8] + "\x00" + in64[8:], errEncoding},
		{Base64DER, in64[:8] + "%0A" + in64[8:], errEncoding},
		{Base64DER, in64[:8] + "é" + in64[8:], errEncoding},
		{Base64DER, ":" + in64 + ":", errEncoding},
		{Base64DER, line, errEncoding},

		// chains [MT-12]
		{Base64DER, in64 + ",", errEncoding},
		{Base64DER, "," + in64, errEncoding},
		{Base64DER, in64 + ",," + in64, errEncoding},
		{Base64DER, in64 + ", " + in64, errEncoding},
		{Base64DER, in64 + "," + "<xml>", errEncoding},
		{Base64DER, in64 + strings.Repeat(",AAAA", maxCertificates), errLength},
		{Base64DER, in64 + "%", errPercent},
		{Base64DER, in64 + "%2", errPercent},
		{Base64DER, in64 + "%zz", errPercent},

		// PEM [MT-12]
		{PEMOneLine, in64, errPEM},
		{PEMOneLine, line + line, errPEM},
		{PEMOneLine, "x" + line, errPEM},
		{PEMOneLine, line + "x", errPEM},
		{PEMOneLine, `"` + strings.TrimSpace(line) + `"`, errPEM},
		{PEMOneLine, line + "," + line, errPEM},
		{PEMOneLine, strings.ReplaceAll(line, "CERTIFICATE", "X509 CERTIFICATE"), errPEM},
		{PEMOneLine, strings.ReplaceAll(line, "CERTIFICATE", "TRUSTED CERTIFICATE"), errPEM},
		{PEMOneLine, strings.ReplaceAll(line, "CERTIFICATE", "certificate"), errPEM},
		{PEMOneLine, strings.Replace(line, "BEGIN CERTIFICATE", "BEGIN PUBLIC KEY", 1), errPEM},
		{PEMOneLine, strings.ReplaceAll(line, " ", "+"), errPEM},
		{PEMOneLine, begin, errPEM},
		{PEMOneLine, begin + end[1:], errPEM},
		{PEMOneLine, begin + end, errEncoding},
		{PEMOneLine, begin + " " + end, errEncoding},
		{PEMOneLine, begin + " Proc-Type: 4,ENCRYPTED " + in64 + " " + end, errPEM},
		{PEMOneLine, begin + " Comment: a " + in64 + " " + end, errEncoding},
		{PEMOneLine, begin + " " + in64 + " =abcd " + end, errEncoding},
		{PEMOneLine, begin + " " + in64 + "\u00a0" + end, errEncoding},
		{PEMOneLine, begin + " " + in64 + "\v" + end, errEncoding},
		{PEMOneLine, component(inPEM), errPEM},
		{PEMURLEncoded, in64, errPEM},
		{PEMURLEncoded, component(inPEM + inPEM), errPEM},
		{PEMURLEncoded, component("x" + inPEM), errPEM},
		{PEMURLEncoded, component(component(inPEM)), errPEM},
		{PEMURLEncoded, url.QueryEscape(inPEM), errPEM},
		{PEMURLEncoded, component(inPEM) + "%", errPercent},
		{PEMURLEncoded, component(inPEM) + "%0", errPercent},
		{PEMURLEncoded, component(inPEM) + "%0g", errPercent},
		{PEMURLEncoded, component(inPEM) + "%00", errPEM},

		// not one certificate [MT-08 MT-12 MT-13]
		{RFC9440, ":AAAA:", errCertificate},
		{RFC9440, ":aGVsbG8=:", errCertificate},
		{RFC9440, ":" + cut + ":", errCertificate},
		{RFC9440, ":" + tail + ":", errCertificate},
		{RFC9440, ":" + twice + ":", errCertificate},
		{Base64DER, tail, errCertificate},
		{Base64DER, "AAAA," + in64, errCertificate},
		{PEMOneLine, begin + tail + end, errCertificate},
		{PEMURLEncoded, component(begin + "\n" + twice + "\n" + end), errCertificate},
		{XFCC, `Cert="` + envoy(begin+"\n"+tail+"\n"+end) + `"`, errCertificate},

		{"", in64, errFormat},
		{"pem", line, errFormat}, // [MT-12]
	} {
		got, err := in(c.format).Parse([]string{c.text})
		if got != nil || !errors.Is(err, c.want) {
			t.Errorf("%s, %.60q..%q: got %v, %v, want %v", c.format, c.text, c.text[max(0, len(c.text)-10):], got, err, c.want)
		}
		if err != nil && (strings.Contains(err.Error(), "%") || strings.Contains(err.Error(), in64[:12])) {
			t.Errorf("the error speaks of the value: %v", err)
		}
	}
}

// next is the base64 digit of the next value, of which only unused bits differ.
func next(digit byte) string {
	const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	return digits[strings.IndexByte(digits, digit)+1:][:1]
}

func TestParseRepeated(t *testing.T) { // [MT-08 MT-12]
	for _, f := range formats() {
		for _, values := range [][]string{{"", ""}, {"::", "::"}, {"", sample(t, f)}, {sample(t, f), ""}, {sample(t, f), sample(t, f)}} {
			if cert, err := in(f).Parse(values); cert != nil || !errors.Is(err, errRepeated) {
				t.Errorf("%s: got %v, %v", f, cert, err)
			}
		}
	}
}

// sample writes a certificate in a format.
func sample(tb testing.TB, f Format) string {
	tb.Helper()
	return write(f, issue(tb, 0))
}

func write(f Format, cert *x509.Certificate) string {
	switch f {
	case RFC9440:
		return ":" + text64(cert) + ":"
	case PEMURLEncoded:
		return component(textPEM(cert))
	case PEMOneLine:
		return strings.ReplaceAll(textPEM(cert), "\n", " ")
	case XFCC:
		return `Hash=` + hash(cert) + `;Cert="` + envoy(textPEM(cert)) + `"`
	}
	return text64(cert)
}

func TestParseSizes(t *testing.T) { // [MT-12]
	large, larger := issue(t, 11<<10), issue(t, 13<<10) // 15 and 18 KiB of base64
	for _, f := range formats() {
		if cert, err := in(f).Parse([]string{write(f, large)}); err != nil || !bytes.Equal(cert.Raw, large.Raw) {
			t.Errorf("%s: a large certificate is refused: %v", f, err)
		}
		if cert, err := in(f).Parse([]string{write(f, larger)}); cert != nil || !errors.Is(err, errSize) {
			t.Errorf("%s: a certificate over 16 KiB: got %v, %v", f, cert, err)
		}
	}
	first, rest := text64(issue(t, 0)), ","+text64(large)
	if _, err := in(Base64DER).Parse([]string{first + strings.Repeat(rest, 3)}); err != nil {
		t.Errorf("a chain of 47 KiB: %v", err)
	}
	if cert, err := in(Base64DER).Parse([]string{first + strings.Repeat(rest, 5)}); cert != nil || !errors.Is(err, errSize) {
		t.Errorf("a chain of 77 KiB: got %v, %v", cert, err)
	}
	if _, err := in(Base64DER).Parse([]string{first + strings.Repeat(","+first, maxCertificates-1)}); err != nil {
		t.Errorf("a long chain: %v", err)
	}
	// The white space of many lines does not count as certificate, but as header.
	if cert, err := in(PEMOneLine).Parse([]string{begin + strings.Repeat(" ", maxCertificate) + first + end}); cert != nil || !errors.Is(err, errSize) {
		t.Errorf("a lot of white space: got %v, %v", cert, err)
	}
}

func TestParseRemembers(t *testing.T) {
	text := sample(t, RFC9440)
	first, err := in(RFC9440).Parse([]string{text})
	if err != nil {
		t.Fatal(err)
	}
	again, err := in(RFC9440).Parse([]string{strings.Clone(text)})
	if err != nil || again != first {
		t.Errorf("parsed again: %v", err)
	}
	// A certificate is remembered in the format that it came in.
	if cert, err := in(Base64DER).Parse([]string{text}); cert != nil || err == nil {
		t.Errorf("one format taken for another: %v, %v", cert, err)
	}
	if n := testing.AllocsPerRun(100, func() {
		if cert, err := in(RFC9440).Parse([]string{text}); cert != first || err != nil {
			t.Error(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
	long := write(RFC9440, issue(t, 8<<10))
	a, _ := in(RFC9440).Parse([]string{long})
	b, _ := in(RFC9440).Parse([]string{long})
	if a == nil || a == b {
		t.Error("long headers are remembered")
	}
}

// RFC 9440 appendix A, and what is made of it.
func TestParseVectors(t *testing.T) { // [MT-02 MT-08]
	var file struct {
		Cert       string `json:"client_cert"`
		Chain      string `json:"client_cert_chain"`
		Thumbprint string `json:"leaf_x5t#S256"`
		Subject    string `json:"leaf_subject"`
		Malformed  []struct {
			ID    string `json:"id"`
			Value string `json:"value"`
		} `json:"malformed_client_cert"`
	}
	vectors(t, "rfc/rfc9440.json", &file)
	cert, err := in(RFC9440).Parse([]string{file.Cert})
	if err != nil {
		t.Fatal(err)
	}
	sum, _ := Thumbprint(cert)
	if got := base64.RawURLEncoding.EncodeToString(sum[:]); got != file.Thumbprint || cert.Subject.String() != file.Subject {
		t.Errorf("got %s of %s", got, cert.Subject)
	}
	if cert, err := in(RFC9440).Parse([]string{file.Chain}); cert != nil || err == nil {
		t.Errorf("a chain: got %v, %v", cert, err)
	}
	if len(file.Malformed) < 18 {
		t.Errorf("only %d vectors", len(file.Malformed))
	}
	for _, m := range file.Malformed {
		cert, err := in(RFC9440).Parse([]string{m.Value})
		absent := m.ID == "empty" || m.ID == "empty-bytes" // no certificate: bound tokens are refused
		if cert != nil || (err == nil) != absent {
			t.Errorf("%s: got %v, %v", m.ID, cert, err)
		}
	}
}

func BenchmarkParse(b *testing.B) {
	for _, f := range formats() {
		b.Run(string(f), func(b *testing.B) {
			values := []string{sample(b, f)}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := in(f).Parse(values); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
