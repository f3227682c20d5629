package dpop

import "bytes"

// appendPath appends the path, which is empty or begins with a slash. Dot
// segments go after unescaping: %2e is a dot (RFC 3986 §5.2.4, §6.2.2.2), and
// %2F is no slash. Characters that RFC 3986 wants escaped but that clients send
// as they are pass, except those that servers read in several ways.
func appendPath(b []byte, path string) ([]byte, error) {
	if path == "" { // [DP-11]
		return append(b, '/'), nil
	}
	root, segment := len(b), len(b)
	for i := 0; i < len(path); i++ {
		switch c := path[i]; {
		case c == '/':
			b, _ = closeSegment(b, root, segment)
			segment = len(b)
			b = append(b, c)
		case c == '%':
			octet, ok := unescape(path[i:])
			if !ok { // [DP-11]
				return nil, errTargetCharacter
			}
			b = appendOctet(b, octet)
			i += 2
		case c <= ' ' || c >= 0x7f || c == '\\': // [DP-11]
			return nil, errTargetCharacter
		default:
			b = append(b, c)
		}
	}
	b, dots := closeSegment(b, root, segment)
	if dots { // the last one leaves its slash
		b = append(b, '/')
	}
	return b, nil
}

// closeSegment removes the segment that begins with the slash at from if it is
// one of dots, and with .. the segment before it. The path begins at root.
func closeSegment(b []byte, root, from int) (rest []byte, dots bool) {
	if string(b[from:]) == "/." { // [DP-11]
		return b[:from], true
	}
	if string(b[from:]) == "/.." { // [DP-11]
		return b[:root+max(0, bytes.LastIndexByte(b[root:from], '/'))], true
	}
	return b, false
}

// appendOctet appends an octet that was escaped.
func appendOctet(b []byte, octet byte) []byte {
	if unreserved[octet] { // [DP-11]
		return append(b, octet)
	}
	const digits = "0123456789ABCDEF"
	return append(b, '%', digits[octet>>4], digits[octet&0xf])
}

// unescape reads the two digits after the % with which s begins.
func unescape(s string) (octet byte, ok bool) {
	if len(s) < 3 {
		return 0, false
	}
	high, ok1 := hexDigit(s[1])
	low, ok2 := hexDigit(s[2])
	return high<<4 | low, ok1 && ok2
}

func hexDigit(c byte) (value byte, ok bool) {
	switch {
	case '0' <= c && c <= '9':
		return c - '0', true
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10, true
	}
	return 0, false
}
