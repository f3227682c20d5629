package route

import (
	"path"
	"slices"
	"strings"
	"unicode/utf8"
)

// maxRounds is how often a path may change when it is decoded again.
const maxRounds = 3

// form is one reading of a path: its segments, decoded. A final empty segment
// is a final slash.
type form []string

// forms returns every reading that a server behind may have of the received
// path, the first of them the plain one: split at slashes, decoded once. It
// reports false for a path that nobody should have to read.
func forms(raw string) ([]form, bool) {
	if !sound(raw) {
		return nil, false
	}
	segments := strings.Split(raw[1:], "/")
	if !strings.ContainsAny(raw, "%;") && !unclean(raw) {
		return []form{segments}, true
	}
	out := []form{form(segments).decoded()}
	for _, f := range readings(raw) { // cleaned first, then decoded
		out = append(out, f.decoded())
	}
	whole := raw
	for round := 0; ; round++ {
		next := decode(whole)
		if next == whole {
			return out, true
		}
		if round == maxRounds { // [PV-08]
			return nil, false
		}
		whole = next
		if !legible(whole) { // in each round: bytes may be text again after the next [PV-08]
			return nil, false
		}
		out = append(out, readings(whole)...)
	}
}

func (f form) decoded() form {
	out := make(form, len(f))
	for i, s := range f {
		out[i] = decode(s)
	}
	return out
}

// sound checks the received bytes: visible ASCII or UTF-8 from the first
// slash on, every percent sign followed by two digits, no fragment.
func sound(raw string) bool {
	if raw == "" || raw[0] != '/' || !legible(raw) {
		return false
	}
	for i := range len(raw) {
		switch c := raw[i]; {
		case c <= ' ', c == 0x7f, c == '#', c == '?':
			return false
		case c == '%' && (i+2 >= len(raw) || !isHex(raw[i+1]) || !isHex(raw[i+2])):
			return false
		}
	}
	return true
}

// legible reports that text, decoded or not, has nothing that servers are
// known to cut or to turn into a slash.
func legible(s string) bool {
	return strings.IndexByte(s, 0) < 0 && strings.IndexByte(s, '\\') < 0 && utf8.ValidString(s)
}

// readings returns what the path is to servers that clean it: empty segments
// and dots removed in either order, with path parameters and without, and up to
// a question or number sign that was encoded.
func readings(p string) []form {
	var out []form
	add := func(p string) {
		if f := form(strings.Split(strings.TrimPrefix(p, "/"), "/")); !slices.ContainsFunc(out, func(o form) bool { return slices.Equal(o, f) }) {
			out = append(out, f)
		}
	}
	clean := func(p string) {
		add(p)
		if unclean(p) {
			add(merged(p))
			add(undotted(p))
			add(merged(undotted(p)))
		}
	}
	all := func(p string) {
		clean(p)
		if strings.IndexByte(p, ';') >= 0 {
			clean(bare(p))
			clean(bare(merged(p)))
		}
	}
	all(p)
	if i := strings.IndexAny(p, "?#"); i >= 0 { // decoded, and then read as a target once more
		all(p[:i])
	}
	return out
}

// unclean reports empty segments or dots.
func unclean(p string) bool {
	return strings.Contains(p, "//") || strings.Contains(p, "/.")
}

// merged removes empty segments, then dots, as ServeMux does.
func merged(p string) string {
	clean := path.Clean("/" + p)
	if strings.HasSuffix(p, "/") && clean != "/" {
		clean += "/"
	}
	return clean
}

// undotted removes dots and keeps empty segments (RFC 3986 §5.2.4).
func undotted(p string) string {
	var out []string
	segments := strings.Split(strings.TrimPrefix(p, "/"), "/")
	for i, s := range segments {
		last := i == len(segments)-1
		switch {
		case s == ".." && len(out) > 0:
			out = out[:len(out)-1]
		case s != "." && s != "..":
			out = append(out, s)
			continue
		}
		if last {
			out = append(out, "")
		}
	}
	return "/" + strings.Join(out, "/")
}

// bare removes the parameters of each segment: everything from a semicolon on.
func bare(p string) string {
	segments := strings.Split(p, "/")
	for i, s := range segments {
		segments[i], _, _ = strings.Cut(s, ";")
	}
	return strings.Join(segments, "/")
}

// decode replaces each percent sign with two hexadecimal digits by its byte
// and leaves every other one as it is.
func decode(s string) string {
	if strings.IndexByte(s, '%') < 0 {
		return s
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2]) {
			out = append(out, unhex(s[i+1])<<4|unhex(s[i+2]))
			i += 2
			continue
		}
		out = append(out, s[i])
	}
	return string(out)
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'f'
}

func unhex(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c | 0x20 - 'a' + 10
}
