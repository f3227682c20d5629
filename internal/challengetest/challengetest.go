// Package challengetest reads challenges as RFC 9110 §11 and RFC 6750 §3 write
// them, without mercy, for tests of what this module sends.
package challengetest

import (
	"fmt"
	"strings"
)

// Challenge is one challenge of one field line.
type Challenge struct {
	Scheme string
	Params map[string]string // names in lower case, values unquoted
	Order  []string          // names as they came
}

// Parse reads a field line with exactly one challenge whose values are all
// quoted-strings. It refuses a challenge without parameters, a parameter that
// stands twice, and values outside of what RFC 6750 §3 and RFC 6749 allow.
func Parse(line string) (Challenge, error) {
	c := Challenge{Params: map[string]string{}}
	scheme, rest, ok := strings.Cut(line, " ")
	if !ok || !token(scheme) {
		return c, fmt.Errorf("no scheme, one space and parameters in %q", line)
	}
	c.Scheme = scheme
	for {
		name, after, ok := strings.Cut(rest, "=")
		if !ok || !token(name) {
			return c, fmt.Errorf("no parameter name at %q", rest)
		}
		value, tail, err := quoted(after)
		if err != nil {
			return c, fmt.Errorf("%s: %w", name, err)
		}
		key := strings.ToLower(name)
		if _, twice := c.Params[key]; twice {
			return c, fmt.Errorf("%s stands twice", name)
		}
		if err := allowed(key, value); err != nil {
			return c, err
		}
		c.Params[key] = value
		c.Order = append(c.Order, name)
		if tail == "" {
			return c, nil
		}
		if rest, ok = strings.CutPrefix(tail, ", "); !ok {
			return c, fmt.Errorf("no comma and space at %q", tail)
		}
	}
}

// token is the token of RFC 9110 §5.6.2.
func token(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !letter && strings.IndexByte("!#$%&'*+-.^_`|~", c) < 0 {
			return false
		}
	}
	return s != ""
}

// quoted reads a quoted-string of RFC 9110 §5.6.4 in printable ASCII.
func quoted(s string) (value, rest string, err error) {
	if s == "" || s[0] != '"' {
		return "", "", fmt.Errorf("no quoted-string at %q", s)
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			return b.String(), s[i+1:], nil
		case c == '\\' && i+1 < len(s):
			i++
			b.WriteByte(s[i])
		case c < ' ' || c > '~' || c == '\\':
			return "", "", fmt.Errorf("byte %#x in a quoted-string", c)
		default:
			b.WriteByte(c)
		}
	}
	return "", "", fmt.Errorf("quoted-string without end: %q", s)
}

// spaced names parameters that are lists with one space between.
var spaced = map[string]bool{"scope": true, "acr_values": true, "algs": true}

// allowed holds values to their own grammar.
func allowed(name, value string) error {
	switch name {
	case "realm":
		return nil
	case "max_age":
		if value == "" || strings.Trim(value, "0123456789") != "" {
			return fmt.Errorf("max_age %q", value)
		}
		return nil
	}
	if value == "" || strings.ContainsAny(value, "\"\\") {
		return fmt.Errorf("%s has the value %q", name, value)
	}
	if name == "error_description" {
		return nil
	}
	if spaced[name] {
		for part := range strings.SplitSeq(value, " ") {
			if part == "" {
				return fmt.Errorf("%s has more than single spaces: %q", name, value)
			}
		}
		return nil
	}
	if strings.Contains(value, " ") {
		return fmt.Errorf("%s has a space: %q", name, value)
	}
	return nil
}
