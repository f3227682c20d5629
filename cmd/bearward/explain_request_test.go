package main

import (
	"strings"
	"testing"

	"github.com/bearward/bearward/internal/jose"
	"github.com/bearward/bearward/internal/prove"
	"github.com/bearward/bearward/internal/server/config"
)

func TestAsked(t *testing.T) {
	for line, want := range map[string]asked{
		"":                               {},
		"GET /read":                      {method: "GET", path: "/read"},
		"POST /a?b=/c?d":                 {method: "POST", path: "/a", query: "b=/c?d"},
		"GET https://api.example.com":    {method: "GET", origin: "https://api.example.com", path: "/"},
		"GET http://[::1]:80/a%2Fb?c":    {method: "GET", origin: "http://[::1]:80", path: "/a%2Fb", query: "c"},
		"GET /redirect?to=https://b/c/d": {method: "GET", path: "/redirect", query: "to=https://b/c/d"},
	} {
		if got, err := (&explainCmd{Request: line}).asked(); err != nil || got != want {
			t.Errorf("%q: %+v %v", line, got, err)
		}
	}
	for _, line := range []string{
		"/read", "GET", "GET read", " /read", "GET /a b", "GET ftp://a/b", "GET https:///b", "GET https://a?b", "GET https://a@b/c", "GET https://a b/c",
	} {
		if got, err := (&explainCmd{Request: line}).asked(); err == nil {
			t.Errorf("%q: %+v", line, got)
		}
	}
}

func TestSplit(t *testing.T) {
	by := judge{origins: []string{"https://a.example.com/v1", "https://a.example.com:8443", "http://127.0.0.1:0"}}
	for target, want := range map[string][2]string{
		"https://a.example.com/v1/read":         {"https://a.example.com/v1", "/read"},
		"HTTPS://A.example.com:443/v1/%72ead?q": {"https://a.example.com/v1", "/read"},
		"https://a.example.com:8443/v1/read":    {"https://a.example.com:8443", "/v1/read"},
		"https://a.example.com/v10/read":        {"https://a.example.com/v1", "/v10/read"},
		"https://a.example.com.evil.test/read":  {"https://a.example.com/v1", "/read"},
		"nonsense":                              {"https://a.example.com/v1", "/"},
		"":                                      {"https://a.example.com/v1", "/"},
	} {
		if origin, path := by.split(target); origin != want[0] || path != want[1] {
			t.Errorf("%s: %s %s", target, origin, path)
		}
	}
	if origin, path := new(judge).split("https://a.example.com/b"); origin != "" || path != "/b" {
		t.Errorf("%q %q", origin, path)
	}
}

func TestAt(t *testing.T) {
	for _, c := range []struct {
		file     config.File
		origin   string
		believed bool
	}{
		{config.File{Listen: "127.0.0.1:1", Forwarded: "none"}, "http://127.0.0.1:1", true},
		{config.File{Listen: "127.0.0.1:1", Forwarded: "none", TLS: new(config.TLS)}, "https://127.0.0.1:1", true},
		{config.File{Listen: "192.0.2.1:1", Forwarded: "none"}, "http://192.0.2.1:1", false},
		{config.File{Listen: "192.0.2.1:1", Forwarded: "rfc7239"}, "http://192.0.2.1:1", true},
		{config.File{Listen: "127.0.0.1:1", PublicURL: []string{"https://a.example.com"}}, "https://a.example.com", false},
	} {
		var by judge
		if by.at(&c.file); len(by.origins) != 1 || by.origins[0] != c.origin || by.believed != c.believed {
			t.Errorf("%+v", by)
		}
	}
}

// FuzzAim: whatever a proof says, it is read without a panic, and only what one
// strict object says counts.
func FuzzAim(f *testing.F) {
	key, err := prove.NewKey("")
	if err != nil {
		f.Fatal(err)
	}
	for _, v := range prove.Variants() {
		values, err := key.Wrong(v.Name, prove.Claims{Method: "PUT", URL: "https://api.example.com/a", Token: "token"})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(strings.Join(values, ","))
	}
	f.Add("e30." + jose.Encode([]byte(`{"htm":"PUT","htm":"GET","htu":"https://a/b"}`)) + ".")
	by := judge{origins: []string{"https://api.example.com"}}
	f.Fuzz(func(t *testing.T, proof string) {
		method, target := aim(proof)
		if method == "" || strings.Count(proof, ".") != 2 && target != "" {
			t.Errorf("%q %q", method, target)
		}
		r := by.request(asked{}, presented{scheme: "DPoP", token: "t", proof: proof})
		if r.Host != "api.example.com" || r.Scheme != "https" || !strings.HasPrefix(r.RawPath, "/") {
			t.Errorf("%+v", r)
		}
	})
}
