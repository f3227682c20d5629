package server

import (
	"crypto/x509"
	"net/http"
	"strings"
	"testing"

	"github.com/bearward/bearward/middleware"
)

// What a proxy says has to be said once and be one thing. [DP-12]
func TestFamily(t *testing.T) {
	for headers, f := range questions {
		sound := http.Header{f.method: {"GET"}, f.uri: {"/a?b=c,d"}, f.proto: {"HTTPS"}, f.host: {"api.example.com:8443"}}
		in, ok := f.of(middleware.Request{Scheme: "http", Host: "x", RawPath: "/y", Certificate: new(x509.Certificate)}, sound)
		if !ok || in.Certificate != nil || in.Method != "GET" || in.RawPath != "/a" || in.RawQuery != "b=c,d" || in.Scheme+in.Host != "" {
			t.Errorf("%s: %+v, %v", headers, in, ok)
		}
		for _, c := range []struct {
			name   string
			values []string
			want   bool
		}{
			{f.method, nil, false},
			{f.method, []string{""}, false},
			{f.method, []string{"GET", "GET"}, false},
			{f.method, []string{"GET,POST"}, false},
			{f.method, []string{"GET, POST"}, false},
			{f.method, []string{"GE T"}, false},
			{f.method, []string{"M-SEARCH"}, true},
			{f.uri, nil, false},
			{f.uri, []string{""}, false},
			{f.uri, []string{"/a", "/a"}, false},
			{f.uri, []string{"/a,/b"}, false},
			{f.uri, []string{"/a, /b"}, false},
			{f.uri, []string{"/a?x=,/b"}, false},
			{f.uri, []string{"/a#b"}, false},
			{f.uri, []string{"/a b"}, false},
			{f.uri, []string{"/a\x7f"}, false},
			{f.uri, []string{"a"}, false},
			{f.uri, []string{"*"}, false},
			{f.uri, []string{"http://h/a"}, false},
			{f.uri, []string{"/a,b/%zz?\\"}, true}, // the rules have their own say
			{f.uri, []string{"//a/../b;c"}, true},
			{f.proto, nil, true},
			{f.proto, []string{""}, false},
			{f.proto, []string{"https", "https"}, false},
			{f.proto, []string{"https,http"}, false},
			{f.proto, []string{"https, http"}, false},
			{f.proto, []string{"ftp"}, false},
			{f.proto, []string{"wss"}, true},
			{f.proto, []string{"http"}, true},
			{f.host, nil, true},
			{f.host, []string{""}, false},
			{f.host, []string{"a", "a"}, false},
			{f.host, []string{"a,b"}, false},
			{f.host, []string{"a, b"}, false},
			{f.host, []string{"a/b"}, false},
			{f.host, []string{"u@a"}, false},
			{f.host, []string{"a?b"}, false},
			{f.host, []string{"[2001:db8::1]:80"}, true},
		} {
			h := sound.Clone()
			if h[c.name] = c.values; c.values == nil {
				delete(h, c.name)
			}
			if _, ok := f.of(middleware.Request{}, h); ok != c.want {
				t.Errorf("%s: %q: got %v", c.name, c.values, ok)
			}
		}
	}
}

// FuzzFamily: what is read is what was said, in one piece, and can stand in a
// request line.
func FuzzFamily(f *testing.F) {
	f.Add("GET", "/a?b", "https", "api.example.com")
	f.Add("GET,POST", "/a,/b", "http,https", "a,b")
	f.Add("", "//%2e%2e/\x00", "wss", "[::1]:1")
	f.Fuzz(func(t *testing.T, method, uri, proto, host string) {
		names := questions["x-original"]
		h := http.Header{names.method: {method}, names.uri: {uri}, names.proto: {proto}, names.host: {host}}
		in, ok := names.of(middleware.Request{}, h)
		if !ok {
			return
		}
		said := in.RawPath
		if in.RawQuery != "" || strings.HasSuffix(uri, "?") {
			said += "?" + in.RawQuery
		}
		if in.Method != method || said != uri || !strings.HasPrefix(in.RawPath, "/") || strings.ContainsAny(in.RawPath, "?# ") {
			t.Errorf("%q %q: got %q %q %q", method, uri, in.Method, in.RawPath, in.RawQuery)
		}
		for _, name := range []string{names.method, names.uri, names.proto, names.host} {
			twice := h.Clone()
			twice.Add(name, h.Get(name))
			if _, ok := names.of(middleware.Request{}, twice); ok {
				t.Errorf("%s is believed twice", name)
			}
		}
	})
}
