package printable_test

import (
	"strings"
	"testing"

	"github.com/bearward/bearward/internal/printable"
)

func TestText(t *testing.T) {
	for in, want := range map[string]string{
		"":                       "",
		"aud https://a.test/ä €": "aud https://a.test/ä €",
		"a\nb\rc\td\x00":         "a\uFFFDb\uFFFDc\uFFFDd\uFFFD",
		"\x1b[2J\x7f\u009b":      "\uFFFD[2J\uFFFD\uFFFD",
		"\u2028\u2029\u0085":     "\uFFFD\uFFFD\uFFFD",
		"\u202eabc\u2066\u200b":  "\uFFFDabc\uFFFD\uFFFD", // order and width
		"a\xffb":                 "a\uFFFDb",
		strings.Repeat("a", 200): strings.Repeat("a", 200),
		strings.Repeat("a", 201): strings.Repeat("a", 200) + "…",
		strings.Repeat("€", 100): strings.Repeat("€", 66) + "…",
	} {
		if got := printable.Text(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}
