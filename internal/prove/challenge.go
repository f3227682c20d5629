package prove

import (
	"net/http"
	"strings"
)

// asksNonce reports whether an answer has a challenge DPoP with the error
// use_dpop_nonce (RFC 9449 §9), in one field line or several.
func asksNonce(h http.Header) bool {
	for _, line := range h.Values("Www-Authenticate") {
		if asks(line) {
			return true
		}
	}
	return false
}

// asks reads challenges (RFC 9110 §11.6.1) from left to right: a token followed
// by "=" and a value is a parameter, any other one is a scheme. It gives up where
// it understands nothing.
func asks(line string) bool {
	scheme := ""
	for {
		line = strings.TrimLeft(line, " \t,")
		name, rest := word(line)
		if name == "" {
			return false
		}
		after := strings.TrimLeft(rest, " \t")
		if !strings.HasPrefix(after, "=") {
			scheme, line = name, rest
			continue
		}
		value, rest := value(strings.TrimLeft(after[1:], " \t"))
		if strings.EqualFold(scheme, "DPoP") && strings.EqualFold(name, "error") && value == "use_dpop_nonce" {
			return true
		}
		line = rest
	}
}

// word splits off a token of RFC 9110 §5.6.2.
func word(s string) (token, rest string) {
	n := 0
	for n < len(s) && (letter(s[n]) || '0' <= s[n] && s[n] <= '9' || strings.IndexByte("!#$%&'*+-.^_`|~", s[n]) >= 0) {
		n++
	}
	return s[:n], s[n:]
}

// value splits off a token or a quoted-string, unquoted.
func value(s string) (text, rest string) {
	if !strings.HasPrefix(s, `"`) {
		return word(s)
	}
	var out strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '"':
			return out.String(), s[i+1:]
		case s[i] == '\\' && i+1 < len(s):
			i++
		}
		out.WriteByte(s[i])
	}
	return "", "" // without end
}
