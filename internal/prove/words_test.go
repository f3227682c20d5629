package prove

import (
	"net/url"
	"testing"
)

func TestPaths(t *testing.T) {
	for path, want := range map[string][3]string{ // case, escape, slash
		"/":        {"/A", "/%2E/", "/%2F"},
		"/orders":  {"/Orders", "/%6Frders", "/%2Forders"},
		"/a/B":     {"/A/B", "/%61/B", "/a%2FB"},
		"/%7e/1":   {"/%7e/1A", "/%2E/%7e/1", "/%7e%2F1"},
		"/%7e/x/":  {"/%7e/X/", "/%7e/%78/", "/%7e/x%2F"},
		"/1%":      {"/1%A", "/%2E/1%", "/%2F1%"},
		"/%41%42c": {"/%41%42C", "/%41%42%63", "/%2F%41%42c"},
	} {
		if got := [3]string{otherCase(path), encoded(path), encodedSlash(path)}; got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}

func TestHosts(t *testing.T) {
	for text, want := range map[string][2]string{ // name, with port
		"https://a.test":      {"a.test", "a.test:443"},
		"http://a.test":       {"a.test", "a.test:80"},
		"https://a.test:8443": {"a.test", "a.test:8443"},
		"http://[::1]":        {"[::1]", "[::1]:80"},
		"http://[::1]:8080":   {"[::1]", "[::1]:8080"},
	} {
		u, err := url.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := [2]string{hostname(u), hostPort(u)}; got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}
