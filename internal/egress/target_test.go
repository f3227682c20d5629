package egress

import (
	"errors"
	"net/url"
	"testing"
)

func TestCheck(t *testing.T) { // [JK-04 JK-06]
	proxy := &url.URL{Scheme: "http", Host: "127.0.0.1:3128"}
	tests := map[string]struct {
		cfg  Config
		url  string
		want error
	}{
		"https":              {Config{}, "https://login.example.com/a?b=c", nil},
		"upper case":         {Config{}, "HTTPS://LOGIN.example.com", nil},
		"http":               {Config{}, "http://login.example.com", ErrScheme},
		"http, private only": {Config{AllowPrivate: true}, "http://127.0.0.1", ErrScheme},
		"http allowed":       {Config{AllowHTTP: true}, "http://127.0.0.1", nil},
		"http to the world":  {Config{AllowHTTP: true}, "http://8.8.8.8", ErrScheme},
		"http by name":       {Config{AllowHTTP: true}, "http://idp.internal", nil}, // judged when dialled
		"ftp":                {Config{AllowHTTP: true}, "ftp://127.0.0.1", ErrScheme},
		"file":               {Config{AllowHTTP: true}, "file:///etc/passwd", ErrURL},
		"no host":            {Config{}, "https:///a", ErrURL},
		"opaque":             {Config{}, "https:login.example.com", ErrURL},
		"relative":           {Config{}, "/a", ErrURL},
		"empty":              {Config{}, "", ErrURL},
		"unparsable":         {Config{}, "https://a\x00b", ErrURL},
		"user":               {Config{}, "https://user:pass@login.example.com", ErrURL},
		"fragment":           {Config{}, "https://login.example.com/#a", ErrURL},

		"literal":             {Config{}, "https://10.0.0.1", ErrAddress},
		"literal v6":          {Config{}, "https://[::1]:8443/a", ErrAddress},
		"literal with zone":   {Config{}, "https://[fe80::1%25eth0]", ErrAddress},
		"literal mapped":      {Config{}, "https://[::ffff:127.0.0.1]", ErrAddress},
		"literal allowed":     {Config{AllowPrivate: true}, "https://10.0.0.1", nil},
		"http allows private": {Config{AllowHTTP: true}, "https://10.0.0.1", nil},
		"public literal":      {Config{}, "https://8.8.8.8", nil},
		"short spelling":      {Config{}, "https://127.1", ErrAddress},
		"one number":          {Config{}, "https://2130706433", ErrAddress},
		"hexadecimal":         {Config{}, "https://0x7f000001", ErrAddress},
		"hexadecimal part":    {Config{}, "https://127.0.0.0x1", ErrAddress},
		"octal":               {Config{}, "https://0177.0.0.1", ErrAddress},
		"with final dot":      {Config{}, "https://127.0.0.1.", ErrAddress},
		"dot only":            {Config{}, "https://.", ErrAddress},

		"private only":         {Config{AllowPrivate: true, OnlyPrivate: true}, "https://8.8.8.8", ErrPublic},                    // [IN-02]
		"private only literal": {Config{AllowPrivate: true, OnlyPrivate: true}, "https://10.0.0.1", nil},                         // [IN-02]
		"private only by name": {Config{AllowPrivate: true, OnlyPrivate: true}, "https://idp.internal", nil},                     // judged when dialled
		"private only proxied": {Config{Proxy: proxy, AllowPrivate: true, OnlyPrivate: true}, "https://idp.internal", ErrPublic}, // [IN-02]

		"proxied":                  {Config{Proxy: proxy}, "https://login.example.com", nil},
		"proxied literal":          {Config{Proxy: proxy}, "https://169.254.169.254", ErrAddress},
		"proxied localhost":        {Config{Proxy: proxy}, "https://LOCALHOST.", ErrAddress},
		"proxied sub of localhost": {Config{Proxy: proxy}, "https://a.localhost", ErrAddress},
		"proxied private":          {Config{Proxy: proxy, AllowPrivate: true}, "https://localhost", nil},
		"proxied http by name":     {Config{Proxy: proxy, AllowHTTP: true}, "http://idp.internal", ErrScheme},
		"proxied http literal":     {Config{Proxy: proxy, AllowHTTP: true}, "http://10.0.0.1", nil},
		"proxied http to world":    {Config{Proxy: proxy, AllowHTTP: true}, "http://8.8.8.8", ErrScheme},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c, err := New(tt.cfg)
			if err != nil {
				t.Fatal(err)
			}
			if err := c.Check(tt.url); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

func TestNewRefuses(t *testing.T) {
	for name, cfg := range map[string]Config{
		"proxy scheme":     {Proxy: &url.URL{Scheme: "socks5", Host: "127.0.0.1:1"}},
		"proxy host":       {Proxy: &url.URL{Scheme: "http"}},
		"negative timeout": {Timeout: -1},
		"negative size":    {MaxBytes: -1},
		"negative idle":    {MaxIdlePerHost: -1},
	} {
		if _, err := New(cfg); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// The Host header has no colon without a port.
func TestEmptyPort(t *testing.T) {
	c, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	for raw, want := range map[string]string{
		"https://a.example:/x": "a.example", "https://a.example:8443/x": "a.example:8443", "https://[2001:4860:4860::8888]:": "[2001:4860:4860::8888]",
	} {
		if u, err := c.target(raw); err != nil || u.Host != want {
			t.Errorf("%s: got %v, %v", raw, u, err)
		}
	}
}
