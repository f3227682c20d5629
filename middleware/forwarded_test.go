package middleware

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/bearward/bearward/validate"
	"github.com/bearward/bearward/validate/dpop"
)

// TestNearest reads Forwarded (RFC 7239 §4). [DP-12]
func TestNearest(t *testing.T) {
	for in, want := range map[string][2]string{
		``:                                          {},
		`proto=https;host=a.example`:                {"https", "a.example"},
		`for=1;by=2;proto=https;host=a`:             {"https", "a"},
		`host="a.example:8443";proto=https`:         {"https", "a.example:8443"},
		`host="a\"b";proto=https`:                   {"https", `a"b`},
		`proto=https;host=a, for=1`:                 {},
		`proto=http;host=a, proto=https`:            {"https", ""},
		`for=1, proto=https ; host=b`:               {"https", "b"},
		`proto=https;;host=b;`:                      {"https", "b"},
		`,,proto=https;host=b`:                      {"https", "b"},
		`proto=https;host=b,`:                       {},
		`proto=https;host=b;host=c`:                 {},
		`proto=https;proto=https;host=b`:            {},
		`proto = https;host=b`:                      {},
		`proto=;host=b`:                             {},
		`proto=https host=b`:                        {},
		`proto`:                                     {},
		`=https`:                                    {},
		`host="b`:                                   {},
		`host="b\`:                                  {},
		`host="b"x;proto=https`:                     {},
		`for="x, proto=https;host=a`:                {},
		`proto=https;host=a/b`:                      {},
		"proto=https;host=a\tb":                     {},
		`for="[2001:db8::1]:80";host=a;PROTO=HTTPS`: {"HTTPS", "a"},
	} {
		if proto, host := nearest([]string{"proto=http;host=earlier", in}); [2]string{proto, host} != want {
			t.Errorf("%q: %q %q, want %q", in, proto, host, want)
		}
	}
}

// FuzzNearest: nothing panics or hangs, and what is returned stood in the last
// field.
func FuzzNearest(f *testing.F) {
	for _, seed := range []string{`proto=https;host=a`, `host="a\"";;,proto=http`, `for="x`, `,`, `a=b,c="d";host=e`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, v string) {
		proto, host := nearest([]string{v})
		if !strings.Contains(v, proto) || !strings.Contains(strings.ReplaceAll(v, `\`, ""), strings.ReplaceAll(host, `\`, "")) {
			t.Errorf("%q: %q %q", v, proto, host)
		}
	})
}

// TestTrusted: an address is a proxy's in each of its spellings. [MT-07]
func TestTrusted(t *testing.T) {
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fe80::/10"), netip.MustParsePrefix("2001:db8::7/128")}
	for addr, want := range map[string]bool{
		"10.1.2.3": true, "::ffff:10.1.2.3": true, "::ffff:a01:203": true, "::ffff:11.0.0.1": false, "::10.1.2.3": false, "64:ff9b::10.1.2.3": false, "11.0.0.1": false, "fe80::1%eth0": true, "2001:db8::7": true, "2001:db8::8": false, "127.0.0.1": false,
	} {
		if got := Trusted(proxies, netip.MustParseAddr(addr)); got != want {
			t.Errorf("%s: %t", addr, got)
		}
	}
	if Trusted(proxies, netip.Addr{}) || Trusted(nil, netip.MustParseAddr("10.0.0.1")) || Trusted([]netip.Prefix{{}}, netip.Addr{}) {
		t.Error("an unknown address is trusted")
	}
}

// TestSeen: each family has headers of its own, and what the nearest hop says
// counts. [DP-12]
func TestSeen(t *testing.T) {
	proxy := netip.MustParseAddr("10.0.0.1")
	both := http.Header{
		"X-Forwarded-Proto": {"http", "HTTPS"}, "X-Forwarded-Host": {"earlier, a.example"},
		"X-Original-Proto": {"wss"}, "X-Original-Host": {"b.example"}, "Forwarded": {"proto=ws;host=c.example"},
	}
	for family, want := range map[Forwarded]string{
		XForwarded: "https://a.example", XOriginal: "https://b.example", RFC7239: "http://c.example", NotForwarded: "http://d.example",
	} {
		g := &Guard{config: Config{Forwarded: family, TrustedProxies: []netip.Prefix{netip.PrefixFrom(proxy, 32)}}}
		r := Request{Scheme: "http", Host: "d.example", Header: both, Peer: proxy}
		if scheme, host, _, err := g.seen(&r); err != nil || scheme+"://"+host != want {
			t.Errorf("%s: %s://%s, %v", family, scheme, host, err)
		}
		r.Peer = netip.MustParseAddr("10.0.0.2")
		if scheme, host, forwarded, err := g.seen(&r); err != nil || forwarded || scheme+"://"+host != "http://d.example" {
			t.Errorf("%s, of a stranger: %s://%s, %v", family, scheme, host, err)
		}
		r.Peer = proxy
		for _, name := range forwardedFields[family] {
			r.Header = http.Header{}
			for other := range both {
				if other != name {
					r.Header.(http.Header)[other] = both[other]
				}
			}
			if _, _, _, err := g.seen(&r); validate.CodeOf(err) != validate.ErrTargetUnknown {
				t.Errorf("%s without %s: %v", family, name, err)
			}
		}
	}
}

// TestTarget: the URI of the request, however it was received. [DP-11 DP-12]
func TestTarget(t *testing.T) {
	local, far := netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("192.0.2.1")
	single, several := []string{"https://api.example/v1"}, []string{"https://a.example", "http://a.example/plain", "https://b.example:8443/x/"}
	for _, c := range []struct {
		name   string
		public []string
		r      Request
		want   string
		code   validate.Code
	}{
		{"loopback", nil, Request{Scheme: "http", Host: "localhost:8080", RawPath: "/a", Local: local}, "http://localhost:8080/a", ""},
		{"loopback in IPv6", nil, Request{Scheme: "http", Host: "[::1]:8080", RawPath: "/a", Local: netip.MustParseAddr("::1")}, "http://[::1]:8080/a", ""},
		{"loopback, mapped", nil, Request{Scheme: "http", Host: "LOCALHOST", RawPath: "/a", Local: netip.MustParseAddr("::ffff:127.0.0.1")}, "http://localhost/a", ""},
		{"not loopback", nil, Request{Scheme: "https", Host: "api.example", RawPath: "/a", Local: far}, "", validate.ErrTargetUnknown},
		{"nobody knows where", nil, Request{Scheme: "https", Host: "api.example", RawPath: "/a"}, "", validate.ErrTargetUnknown},
		{"no host", nil, Request{Scheme: "http", RawPath: "/a", Local: local}, "", ""},
		{"a host that is none", nil, Request{Scheme: "http", Host: "a@b", RawPath: "/a", Local: local}, "", ""},
		{"a host with a path", nil, Request{Scheme: "http", Host: "a/b", RawPath: "/a", Local: local}, "", ""},
		{"a host with a query", nil, Request{Scheme: "http", Host: "a?b", RawPath: "/a", Local: local}, "", ""},
		{"single", single, Request{Scheme: "http", Host: "whatever", RawPath: "/a", Local: far}, "https://api.example/v1/a", ""},
		{"single, without Host", single, Request{RawPath: "/a"}, "https://api.example/v1/a", ""},
		{"final slash", single, Request{RawPath: "/"}, "https://api.example/v1/", ""},
		{"no path", single, Request{RawPath: ""}, "https://api.example/v1", ""},
		{"asterisk", single, Request{Method: "OPTIONS", RawPath: "*"}, "https://api.example/v1", ""},
		{"no path at all", []string{"https://api.example"}, Request{RawPath: "*"}, "https://api.example/", ""},
		{"relative", single, Request{RawPath: "a"}, "", ""},
		{"escapes", single, Request{RawPath: "/%7ea%2fb%2Fc"}, "https://api.example/v1/~a%2Fb%2Fc", ""},
		{"bad escapes", single, Request{RawPath: "/%zz"}, "", ""},
		{"dots", single, Request{RawPath: "/a/../b/./c"}, "https://api.example/v1/b/c", ""},
		{"dots, to its root", single, Request{RawPath: "/a/.."}, "https://api.example/v1/", ""},
		{"dots, out of the prefix", single, Request{RawPath: "/../a"}, "", ""},
		{"dots, escaped, out of the prefix", single, Request{RawPath: "/%2e%2E/a"}, "", ""},
		{"dots, out of the prefix and back", single, Request{RawPath: "/../v1/a"}, "https://api.example/v1/a", ""},
		{"dots, out of the prefix to its root", single, Request{RawPath: "/.."}, "", ""},
		{"dots, to a prefix that begins alike", single, Request{RawPath: "/../v12"}, "", ""},
		{"dots, to one below it that begins alike", single, Request{RawPath: "/a/../../v1.evil/a"}, "", ""},
		{"dots, of one of several", several, Request{Scheme: "http", Host: "a.example", RawPath: "/../a"}, "", ""},
		{"dots, of one without a prefix", several, Request{Scheme: "https", Host: "a.example", RawPath: "/../a"}, "https://a.example/a", ""},
		{"a query in the path", single, Request{RawPath: "/a?b"}, "", ""},
		{"a fragment in the path", single, Request{RawPath: "/a#b"}, "", ""},
		{"a fragment in place of a path", []string{"https://api.example"}, Request{RawPath: "#b"}, "", ""},
		{"a fragment in the path on loopback", nil, Request{Scheme: "http", Host: "localhost", RawPath: "/a#b", Local: local}, "", ""},
		{"a host with a URI", nil, Request{Scheme: "https", Host: "a/https://b", RawPath: "/a", Local: local}, "", ""},
		{"a host with a user", nil, Request{Scheme: "https", Host: "a@b", RawPath: "/a", Local: local}, "", ""},
		{"a user of one of several", several, Request{Scheme: "https", Host: "u@a.example", RawPath: "/a"}, "", ""},
		{"a host that begins as one of several", several, Request{Scheme: "https", Host: "a.example.evil", RawPath: "/a"}, "", ""},
		{"two slashes", single, Request{RawPath: "//a//b"}, "https://api.example/v1//a//b", ""},
		{"case", single, Request{RawPath: "/A"}, "https://api.example/v1/A", ""},
		{"no ASCII", single, Request{RawPath: "/\xc3\xa4"}, "", ""},
		{"by host", several, Request{Scheme: "https", Host: "A.example", RawPath: "/a"}, "https://a.example/a", ""},
		{"by host and port", several, Request{Scheme: "https", Host: "a.example:443", RawPath: "/a"}, "https://a.example/a", ""},
		{"by host and scheme", several, Request{Scheme: "http", Host: "a.example", RawPath: "/a"}, "http://a.example/plain/a", ""},
		{"by port", several, Request{Scheme: "http", Host: "b.example:8443", RawPath: "/a"}, "https://b.example:8443/x/a", ""},
		{"another port", several, Request{Scheme: "https", Host: "b.example", RawPath: "/a"}, "", ""},
		{"another host", several, Request{Scheme: "https", Host: "c.example", RawPath: "/a", Local: local}, "", ""},
	} {
		o, err := newOrigins(c.public)
		if err != nil {
			t.Fatal(err)
		}
		got, err := (&Guard{origins: o}).target(&c.r)
		if got != c.want || (err != nil) != (c.code != "") || err != nil && validate.CodeOf(err) != c.code {
			t.Errorf("%s: %q, %v; want %q %s", c.name, got, err, c.want, c.code)
		}
	}
}

// TestPlainPath: what needs no normalisation is what normalisation leaves as it
// is. [DP-11]
func TestPlainPath(t *testing.T) {
	const before = "https://api.example/v1"
	paths := []string{"/"}
	for range 5 {
		var longer []string
		for _, path := range paths {
			if plainPath(path) {
				if got, err := dpop.NormalizeTarget(before + path); err != nil || got != before+path {
					t.Errorf("%q is said to be plain, and becomes %q, %v", path, got, err)
				}
			}
			for _, c := range []byte("/.a%2eF;:\\?# \x80") {
				longer = append(longer, path+string([]byte{c}))
			}
		}
		paths = longer
	}
}

// TestOrigins: public URLs that could never be meant.
func TestOrigins(t *testing.T) {
	for _, u := range []string{"", "api.example", "ftp://api.example", "https://", "https://u:p@api.example", "https://api.example?x", "https://api.example#x", "https://api.example:0x1", "/path"} {
		if _, err := newOrigins([]string{u}); err == nil {
			t.Errorf("%q is accepted", u)
		}
	}
	for _, twice := range [][]string{{"https://a.example/x", "https://A.example:443/y"}, {"http://a.example", "http://a.example:80"}} {
		if _, err := newOrigins(twice); err == nil {
			t.Errorf("%q are accepted", twice)
		}
	}
}
