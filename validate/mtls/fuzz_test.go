package mtls

import (
	"encoding/base64"
	"net/url"
	"strings"
	"testing"
)

// FuzzParse: whatever comes, there is an error, or a certificate that is in the
// text, or one of the few spellings of none.
func FuzzParse(f *testing.F) {
	cert, large := issue(f, 0), issue(f, 200)
	for i, format := range formats() {
		f.Add(uint8(i), write(format, cert))
		f.Add(uint8(i), write(format, large)+","+write(format, cert))
		for _, text := range []string{"", "::", "-", "(null)", "{a}", "%{a}s", "%", "AA==", "====", `Cert="`, `a="\\";Cert=`, begin + end, begin + " AA==\r\n" + end} {
			f.Add(uint8(i), text)
		}
	}
	f.Fuzz(func(t *testing.T, i uint8, text string) {
		h := in(formats()[int(i)%len(formats())])
		got, err := h.Parse([]string{text})
		switch {
		case err != nil && got != nil:
			t.Fatalf("a certificate and %v", err)
		case err != nil:
		case got == nil:
			if len(text) > 300 || strings.ContainsAny(text, ",;\"\\/+=") {
				t.Fatalf("%q is taken for no certificate", text)
			}
		default:
			plain, err := url.PathUnescape(text)
			if err != nil || h.Format == RFC9440 || h.Format == PEMOneLine {
				plain = text
			}
			plain = strings.NewReplacer(" ", "", "\t", "", "\r", "", "\n", "").Replace(plain)
			if !strings.Contains(plain, base64.RawStdEncoding.EncodeToString(got.Raw)) {
				t.Fatalf("the certificate of %q came out of nowhere", text)
			}
			if again, err := h.Parse([]string{text}); err != nil || string(again.Raw) != string(got.Raw) {
				t.Fatalf("another answer the second time: %v", err)
			}
		}
	})
}
