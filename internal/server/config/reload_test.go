package config

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Only the keys that say so need a restart, each is named, and what is built of
// them comes and goes only with one.
func TestFrozen(t *testing.T) {
	parse := func(text string) *File {
		t.Helper()
		f, err := Parse("a", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	const more = "admin: 127.0.0.1:9001\ntls: {cert_file: a, key_file: b}\nredis: {url: redis://a}\n" +
		"revocation: {list: redis}\ndpop: {window: 30s}\nlog: {level: info}\n"
	for change, want := range map[string]string{
		"|":                                             "",
		"127.0.0.1:9000|127.0.0.1:9009":                 "a:1:9: listen",
		"127.0.0.1:9001|127.0.0.1:9009":                 "a:9:8: admin",
		"admin: 127.0.0.1:9001\n|":                      "a:1:1: admin",
		"mode: proxy|mode: ext-authz":                   "a:2:7: mode",
		"tls: {cert_file: a, key_file: b}\n|":           "a:1:1: tls",
		"cert_file: a|cert_file: c, client_certs: none": "a:10:35: tls.client_certs",
		"cert_file: a|cert_file: c":                     "",
		"url: redis://a|url: redis://b":                 "a:11:14: redis.url",
		"list: redis|list: redis, retention: 2h":        "a:12:13: revocation",
		"window: 30s|window: 40s":                       "",
		"window: 30s|entries: 5":                        "a:13:17: dpop.entries",
		"window: 30s|replay: redis":                     "a:13:16: dpop.replay",
		"dpop: {window: 30s}\n|":                        "",
		"level: info|level: debug":                      "",
		"level: info|format: json":                      "a:14:15: log.format",
		"scopes: [read]|scopes: [write]":                "",
		"https://login.example.com|https://b.example":   "",
		"127.0.0.1:9100|127.0.0.1:9101":                 "",
	} {
		from, to, _ := strings.Cut(change, "|")
		text := strings.Replace(smallest+more, from, to, 1)
		if from == "mode: proxy" { // which has no upstream
			text = strings.Replace(text, "upstream: http://127.0.0.1:9100", "public_url: https://api.example.com\ntrusted_proxies: [127.0.0.1]", 1)
		}
		got := ""
		if err := parse(smallest + more).Faults(parse(smallest + more).Frozen(parse(text))...); err != nil {
			got = err.Error()
		}
		if want != "" {
			want += " cannot change without a restart"
		}
		if got != want {
			t.Errorf("%q: got %q, want %q", change, got, want)
		}
	}
}

// Every file that is read when the configuration is used, and no other.
func TestFiles(t *testing.T) {
	f, err := Parse("a.yaml", []byte(everything))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"api.yaml", "ca.pem", "key.pem", "secret", "shared.key"}
	if diff := cmp.Diff(want, f.Files()); diff != "" {
		t.Error(diff)
	}
	if f.Path() != "a.yaml" || slices.Contains(f.Files(), "nonces") {
		t.Errorf("got %s %q", f.Path(), f.Files())
	}
	f, err = Parse("a.yaml", []byte(smallest+"tls: {cert_file: c, key_file: k}\n"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"c", "k"}, f.Files()); diff != "" {
		t.Error(diff)
	}
}
