package dpop

import (
	"errors"
	"net/netip"
	"strconv"
	"strings"
)

// maxTarget is the longest URI that is read, in bytes without query and fragment.
const maxTarget = 8 << 10

var (
	errTargetLength    = errors.New("target URI is too long")
	errTargetScheme    = errors.New("target URI is not absolute with http or https")
	errTargetUser      = errors.New("target URI has user information")
	errTargetHost      = errors.New("target URI has no host, or one that is neither a name nor an address")
	errTargetPort      = errors.New("target URI has a port that is no number from 1 to 65535")
	errTargetCharacter = errors.New("target URI has a byte or an escape that no URI has")
)

// NormalizeTarget returns an http or https URI in the form in which htu and the
// URI of a request are compared: query and fragment cut, whatever is in them
// (RFC 9449 §4.3), scheme and host in lower case, without default port and dot
// segments, with / for an empty path, unreserved characters unescaped and other
// escapes in upper case (RFC 3986 §6.2.2, §6.2.3). Nothing else changes: case
// and slashes of the path stay. The error says what no target URI is.
func NormalizeTarget(uri string) (string, error) {
	var usual [512]byte
	b, err := appendTarget(usual[:0], uri)
	if err != nil {
		return "", err
	}
	return string(b), nil
}

// sameTarget reports whether htu names target, which is normalised already. It
// allocates nothing for what is usual.
func sameTarget(htu, target string) bool {
	if htu == target {
		return true
	}
	var usual [512]byte
	b, err := appendTarget(usual[:0], htu)
	return err == nil && string(b) == target
}

// appendTarget appends the normalised URI to b.
func appendTarget(b []byte, uri string) ([]byte, error) {
	if n := strings.IndexAny(uri, "?#"); n >= 0 { // [DP-10]
		uri = uri[:n]
	}
	if len(uri) > maxTarget { // [DP-10]
		return nil, errTargetLength
	}
	for _, s := range [...]struct{ before, port string }{{"https://", "443"}, {"http://", "80"}} {
		if !startsWith(uri, s.before) {
			continue
		}
		authority, path := uri[len(s.before):], ""
		if n := strings.IndexByte(authority, '/'); n >= 0 {
			authority, path = authority[:n], authority[n:]
		}
		b, err := appendAuthority(append(b, s.before...), authority, s.port)
		if err != nil {
			return nil, err
		}
		return appendPath(b, path)
	}
	return nil, errTargetScheme
}

// startsWith knows the letters of ASCII only: Unicode has more that fold to s.
func startsWith(s, lower string) bool {
	if len(s) < len(lower) {
		return false
	}
	for i := range len(lower) {
		if toLower(s[i]) != lower[i] {
			return false
		}
	}
	return true
}

// appendAuthority appends host and port. usual is the port of the scheme.
func appendAuthority(b []byte, authority, usual string) ([]byte, error) {
	if strings.IndexByte(authority, '@') >= 0 { // [DP-11]
		return nil, errTargetUser
	}
	host, port, ok := cutPort(authority)
	if !ok {
		return nil, errTargetHost
	}
	for i := range len(host) {
		b = append(b, toLower(host[i]))
	}
	if port == "" || port == usual { // [DP-11]
		return b, nil
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil || port[0] == '0' { // [DP-11]
		return nil, errTargetPort
	}
	return append(append(b, ':'), port...), nil
}

// cutPort returns the host and what follows its colon. A host is an IPv6
// address in brackets or a name of unreserved characters, which includes IPv4.
func cutPort(authority string) (host, port string, ok bool) {
	if strings.HasPrefix(authority, "[") {
		n := strings.IndexByte(authority, ']')
		if n < 0 {
			return "", "", false
		}
		addr, err := netip.ParseAddr(authority[1:n])
		if err != nil || !addr.Is6() || addr.Zone() != "" { // [DP-11]
			return "", "", false
		}
		host, port = authority[:n+1], authority[n+1:]
		if port == "" {
			return host, "", true
		}
		return host, port[1:], port[0] == ':'
	}
	host, port, _ = strings.Cut(authority, ":")
	for i := range len(host) {
		if !unreserved[host[i]] { // [DP-11]
			return "", "", false
		}
	}
	return host, port, host != ""
}

// unreserved marks the characters that mean the same escaped (RFC 3986 §2.3).
var unreserved = func() (set [256]bool) {
	for _, c := range "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~" {
		set[c] = true
	}
	return set
}()

func toLower(c byte) byte {
	if 'A' <= c && c <= 'Z' { // [DP-11]
		return c | 0x20
	}
	return c
}
