package middleware

import (
	"net/http"
	"slices"
	"testing"
)

// TestSingleLine: proxies that pass on one line pass on every challenge, the one
// that the client can use first. [ER-17 ER-18]
func TestSingleLine(t *testing.T) {
	two := []string{`Bearer realm="a, b"`, `DPoP realm="a, b", algs="ES256"`}
	for _, c := range []struct {
		scheme string
		lines  []string
		want   []string
	}{
		{"Bearer", two, []string{two[0] + ", " + two[1]}},
		{"", two, []string{two[0] + ", " + two[1]}},
		{"DPoP", two, []string{two[1] + ", " + two[0]}},
		{"DPoP", two[:1], two[:1]},
		{"DPoP", two[1:], two[1:]},
		{"", nil, nil},
	} {
		d := &Denial{scheme: c.scheme, Header: http.Header{}}
		for _, l := range c.lines {
			d.Header.Add(challengeField, l)
		}
		d.SingleLine()
		if got := d.Header.Values(challengeField); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q", c.scheme, got)
		}
	}
}
