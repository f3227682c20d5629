package config

import (
	"fmt"
	"strings"
)

// expand replaces ${NAME} in a scalar by lookup(NAME); $${ stands for a literal
// ${ and any other $ for itself. It reports whether anything was replaced, so
// that the caller never prints the result.
func expand(text string, lookup func(string) (string, bool)) (out string, replaced bool, err error) {
	var b strings.Builder
	for {
		i := strings.Index(text, "${")
		if i < 0 {
			b.WriteString(text)
			return b.String(), replaced, nil
		}
		if i > 0 && text[i-1] == '$' {
			b.WriteString(text[:i-1] + "${")
			text = text[i+2:]
			continue
		}
		name, rest, closed := strings.Cut(text[i+2:], "}")
		if !closed || !isName(name) {
			return "", false, fmt.Errorf("${ is not followed by a name and }; write $${ for a literal ${")
		}
		value, ok := lookup(name)
		if !ok {
			return "", false, fmt.Errorf("the environment variable %s is not set", name)
		}
		b.WriteString(text[:i] + value)
		text, replaced = rest, true
	}
}

// isName reports whether s can name an environment variable.
func isName(s string) bool {
	for i, c := range []byte(s) {
		switch {
		case c == '_', c|0x20 >= 'a' && c|0x20 <= 'z':
		case c >= '0' && c <= '9' && i > 0:
		default:
			return false
		}
	}
	return s != ""
}
