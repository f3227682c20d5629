package dpop

import (
	"errors"
	"net/url"
	"strings"
	"testing"
)

func TestNormalizeTarget(t *testing.T) { // [DP-10 DP-11]
	long := strings.Repeat("a", maxTarget-len("https://a/"))
	for in, want := range map[string]string{
		"https://host/path": "https://host/path",
		"http://host/path":  "http://host/path",
		// scheme, host and port
		"HTTPS://HOST:443":                 "https://host/",
		"hTtP://Api.Example.COM:80/A":      "http://api.example.com/A",
		"https://host":                     "https://host/",
		"https://host:":                    "https://host/",
		"https://host:/a":                  "https://host/a",
		"https://host:80/":                 "https://host:80/",
		"http://host:443/":                 "http://host:443/",
		"https://host:1":                   "https://host:1/",
		"https://host:65535/":              "https://host:65535/",
		"https://host.:8443":               "https://host.:8443/",
		"https://x_y-z~1.xn--bcher-kva.de": "https://x_y-z~1.xn--bcher-kva.de/",
		"https://127.0.0.1:9000/a":         "https://127.0.0.1:9000/a",
		"https://[::1]:8443/":              "https://[::1]:8443/",
		"https://[2001:DB8::A]:443":        "https://[2001:db8::a]/",
		"https://[2001:db8:0:0::a]":        "https://[2001:db8:0:0::a]/",
		"https://[::FFFF:1.2.3.4]:/a":      "https://[::ffff:1.2.3.4]/a",
		// query and fragment
		"https://host?x":                    "https://host/",
		"https://host#f":                    "https://host/",
		"https://host:443?x":                "https://host/",
		"https://host/a?x=/../b#f":          "https://host/a",
		"https://host/a#f?x":                "https://host/a",
		"https://host/a?":                   "https://host/a",
		"https://host/a?b c\\\x00%zz\u00e9": "https://host/a",
		"https://host/..?@":                 "https://host/",
		"https://host/?" + long + long:      "https://host/",
		// escapes
		"https://host/%41%7a%30%2d%2E%5f%7e": "https://host/Az0-._~",
		"https://host/%2f%3a%c3%A9%20%00":    "https://host/%2F%3A%C3%A9%20%00",
		"https://host/%252e%252e/%25zz":      "https://host/%252e%252e/%25zz",
		"https://host/a%2f..%2fb":            "https://host/a%2F..%2Fb",
		"https://host/%5C%23%3F%40":          "https://host/%5C%23%3F%40",
		// dot segments
		"https://host/a/./b/../c":    "https://host/a/c",
		"https://host/..":            "https://host/",
		"https://host/.":             "https://host/",
		"https://host/../../a":       "https://host/a",
		"https://host/a/..":          "https://host/",
		"https://host/a/.":           "https://host/a/",
		"https://host/a/b/..":        "https://host/a/",
		"https://host/a/b/../":       "https://host/a/",
		"https://host/a/b/../../../": "https://host/",
		"https://host/a/%2e%2E/b":    "https://host/b",
		"https://host/a/%2e/b/.%2e":  "https://host/a/",
		"https://host/.../a./..b":    "https://host/.../a./..b",
		"https://host//../a":         "https://host/a",
		"https://host/a//../b":       "https://host/a/b",
		"https://host/a/..//b":       "https://host//b",
		// what stays
		"https://host//":               "https://host//",
		"https://host//x":              "https://host//x",
		"https://host/a//b":            "https://host/a//b",
		"https://host/A/b/":            "https://host/A/b/",
		"https://host/a;x=1,b:c@d&e=f": "https://host/a;x=1,b:c@d&e=f",
		"https://host/[x]{y}|\"<>^`":   "https://host/[x]{y}|\"<>^`",
		"https://a/" + long:            "https://a/" + long,
	} {
		got, err := NormalizeTarget(in)
		if err != nil || got != want {
			t.Errorf("%q: got %q, %v, want %q", in, got, err, want)
		}
		if !sameTarget(in, want) {
			t.Errorf("%q is not the same as %q", in, want)
		}
	}
}

func TestNoTarget(t *testing.T) { // [DP-10 DP-11]
	long := strings.Repeat("a", maxTarget)
	for want, list := range map[error][]string{
		errTargetLength: {"https://a/" + long, "https://" + long, long + long},
		errTargetScheme: {
			"", "/", "//host/path", "host", "host/path", "https", "https:", "https:/", "https:/host", "https:host", "://host",
			"ftp://host/", "wss://host/", "httpss://host/", " https://host/", "https ://host/", "\thttps://host/",
			"http\u017f://host/", "https?://host/", "#https://host/", "%68ttps://host/",
		},
		errTargetUser: {
			"https://user@host/", "https://user:password@host/", "https://@host/", "https://host@/", "https://a@b@host/", "https://[::1]@host/", "https://host:1@2/",
		},
		errTargetHost: {
			"https://", "https:///", "https:///path", "https://?x", "https://#f", "https://:443/", "https://:/",
			"https://ho st/", "https://h\u00f6st/", "https://host\\path", "https://host\\.evil/", "https://ho%73t/", "https://%", "https://host%00/",
			"https://host,other/", "https://ho*t/", "https://host;a/", "https://\"host\"/", "https://host\x00/", "https://host\n/", "https://host\x7f/", "https://<host>/",
			"https://[::1", "https://[]/", "https://[::1/", "https://[::1]a/", "https://[::1]443/", "https://[::1][::1]/", "https://[1.2.3.4]/", "https://[host]/",
			"https://[fe80::1%25eth0]/", "https://[fe80::1%eth0]/", "https://[v1.a]/", "https://[::1]]/", "https://::1/", "https://a[::1]/", "https://[:::]/", "https://[[::1]]/",
		},
		errTargetPort: {
			"https://host:0/", "https://host:0443/", "https://host:00/", "https://host:65536/", "https://host:18446744073709551617/", "https://host:+443/", "https://host:-1/",
			"https://host: 443/", "https://host:443 ", "https://host:443x/", "https://host:x/", "https://host:4_43/", "https://host:443:443/", "https://[::1]:0/", "https://[::1]:x/",
			"https://host::/", "https://host:\u0664/", "https://host:0x50/", "https://host:443\\",
		},
		errTargetCharacter: {
			"https://host/%", "https://host/%4", "https://host/%zz", "https://host/%4g", "https://host/%g4", "https://host/%%41", "https://host/a%?41", "https://host/%4/1", "https://host/%-1",
			"https://host/a b", "https://host/ ", "https://host/a\\b", "https://host/\\..\\b", "https://host/\u00e9", "https://host/\xff",
			"https://host/\x00", "https://host/\x1f", "https://host/\x7f", "https://host/a\r\n", "https://host/a\t", "https://host/\u2024\u2024/", "https://host/a\n/..",
		},
	} {
		for _, in := range list {
			if got, err := NormalizeTarget(in); got != "" || !errors.Is(err, want) {
				t.Errorf("%q: got %q, %v, want %v", in, got, err, want)
			}
			if sameTarget(in, "https://host/") {
				t.Errorf("%q names a target", in)
			}
		}
	}
}

func TestOtherTargets(t *testing.T) { // [DP-10 DP-11]
	const target = "https://api.example.com/a/b%2Fc"
	for _, htu := range []string{
		"http://api.example.com/a/b%2Fc", "https://api.example.com:444/a/b%2Fc", "https://api.example.org/a/b%2Fc", "https://api.example.com./a/b%2Fc",
		"https://example.com/a/b%2Fc", "https://api.example.com/A/b%2Fc", "https://api.example.com/a/b%2Fc/", "https://api.example.com//a/b%2Fc", "https://api.example.com/a//b%2Fc",
		"https://api.example.com/a/b/c", "https://api.example.com/a/b%252Fc", "https://api.example.com/a/b%2Fc/.", "https://api.example.com/a/b%2F", "https://api.example.com/a/b%2Fcc",
		"https://api.example.com@api.example.org/a/b%2Fc", "https://api.example.org@api.example.com/a/b%2Fc", "https://api.example.com:443@api.example.org/a/b%2Fc",
		"https://api.example.org/https://api.example.com/a/b%2Fc", "https://api.example.com/https://api.example.com/a/b%2Fc", "https://https://api.example.com/a/b%2Fc",
		"https://api.example.com.example.org/a/b%2Fc", "https://api.example.com%2Eexample.org/a/b%2Fc", "https://api.example.com%2Fa/b%2Fc", "https://api.example.com\\@api.example.org/a/b%2Fc",
		"https://api.example.com", "https://api.example.com/", "", "/a/b%2Fc", "https://user@api.example.com/a/b%2Fc", "https://api.example.com/a/b%2Fc%3Fx", "https://api.example.com/a/b%2Fc;x",
	} {
		if sameTarget(htu, target) {
			t.Errorf("%q is taken for %q", htu, target)
		}
	}
	for _, htu := range []string{
		target, target + "?q", "HTTPS://API.EXAMPLE.COM:443/x/../%61/b%2fc#f",
	} {
		if !sameTarget(htu, target) {
			t.Errorf("%q is not taken for %q", htu, target)
		}
	}
}

// withoutDots is RFC 3986 §5.2.4 word by word.
func withoutDots(in string) string {
	out := ""
	for in != "" {
		switch {
		case strings.HasPrefix(in, "/./"):
			in = in[2:]
		case in == "/.":
			in = "/"
		case strings.HasPrefix(in, "/../"), in == "/..":
			in = "/" + strings.TrimPrefix(in[3:], "/")
			out = out[:max(0, strings.LastIndexByte(out, '/'))]
		default:
			n := strings.IndexByte(in[1:], '/') + 1
			if n == 0 {
				n = len(in)
			}
			out, in = out+in[:n], in[n:]
		}
	}
	return out
}

// otherCase changes the case of the digits of escapes.
func otherCase(s string) string {
	b := []byte(s)
	for i := 0; i+2 < len(b); i++ {
		if b[i] != '%' {
			continue
		}
		for _, n := range []int{i + 1, i + 2} {
			if c := b[n] | 0x20; 'a' <= c && c <= 'f' {
				b[n] ^= 0x20
			}
		}
		i += 2
	}
	return string(b)
}

func FuzzTarget(f *testing.F) {
	for _, seed := range []string{
		"", "https://", "https:///path", "HTTPS://HOST:443", "https://host:", "https://host?x#f", "https://u@host/", "https://[::1]:8443/a/../b", "https://host:0443",
		"https://host/%2e%2E/%2f%c3%A9/%zz", "https://host//x/./..//y/..", "http://host/a/%2e", "https://host/%252e%252e/b", "https://host/\\..\\\x00 \xff", "http\u017f://host/",
		"https://a/.././../b/c/../..//../d/.", "http://1.2.3.4:80/;a=b/..;/c",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		got, err := NormalizeTarget(in)
		if err != nil {
			if got != "" || sameTarget(in, "https://host/") {
				t.Fatalf("%q: %q beside %v", in, got, err)
			}
			return
		}
		if again, err := NormalizeTarget(got); err != nil || again != got {
			t.Fatalf("%q: %q became %q, %v", in, got, again, err)
		}
		if other, err := NormalizeTarget(otherCase(in)); err != nil || other != got {
			t.Fatalf("%q: %q, and in the other case %q, %v", in, got, other, err)
		}
		if !sameTarget(in, got) || !sameTarget(got+"?q", got) {
			t.Fatalf("%q is not the same as %q", in, got)
		}
		u, err := url.Parse(got)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
			t.Fatalf("%q: %q, %+v, %v", in, got, u, err)
		}
		if before, _, _ := strings.Cut(got[len(u.Scheme)+3:], "/"); before != u.Host || before != strings.ToLower(before) {
			t.Fatalf("%q: %q has the host %q", in, got, u.Host)
		}
		path := got[len(u.Scheme)+3+len(u.Host):]
		if path[0] != '/' || withoutDots(path) != path {
			t.Fatalf("%q: path %q", in, path)
		}
		whole, _, _ := strings.Cut(strings.NewReplacer("?", "#").Replace(in), "#")
		dots := strings.NewReplacer("%2e", ".", "%2E", ".")
		if _, raw, ok := strings.Cut(whole[len(u.Scheme)+3:], "/"); ok {
			if want, _ := NormalizeTarget("http://h" + withoutDots("/"+dots.Replace(raw))); want != "http://h"+path {
				t.Fatalf("%q: path %q, want %q", in, path, want)
			}
		}
	})
}
