package server

import (
	"testing"
	"time"

	"github.com/bearward/bearward/validate/cache"
)

// TestCacheOfFile: what the file says of the cache is what the guard gets.
func TestCacheOfFile(t *testing.T) {
	for text, want := range map[string]cache.Config{
		"":                               {Entries: 100_000, TTL: 5 * time.Minute},
		"cache: {disabled: true}\n":      {Disabled: true, Entries: 100_000, TTL: 5 * time.Minute},
		"cache: {entries: 7, ttl: 9s}\n": {Entries: 7, TTL: 9 * time.Second},
	} {
		b := &builder{file: parse(t, "https://login.example.test", "http://127.0.0.1:1", text+"rules: [{match: /}]\n")}
		if got := b.guard(nil).Cache; got.Disabled != want.Disabled || got.Entries != want.Entries || got.TTL != want.TTL {
			t.Errorf("%q: %+v, want %+v", text, got, want)
		}
	}
}
