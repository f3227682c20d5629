// Package printable makes words from outside fit for reports and logs.
package printable

import (
	"strings"
	"unicode"
)

// most is how many bytes of one value are shown.
const most = 200

// Text bounds s and takes out what could break a line, steer a terminal
// or change the order in which it is read: controls, format characters,
// separators other than the space, and bytes that are not UTF-8.
func Text(s string) string {
	clean := strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return unicode.ReplacementChar
		}
		return r
	}, s)
	if len(clean) > most {
		return strings.ToValidUTF8(clean[:most], "") + "…"
	}
	return clean
}
