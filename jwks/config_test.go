package jwks

import (
	"errors"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bearward/bearward/internal/egress"
	"github.com/bearward/bearward/validate"
)

func TestConfigFaults(t *testing.T) {
	tests := map[string]struct {
		cfg  Config
		want string
	}{
		"no issuer":          {Config{}, "issuer"},                                                                     // [JK-01]
		"http issuer":        {Config{Issuer: "http://login.example.com"}, "https"},                                    // [JK-01]
		"http, private only": {Config{Issuer: "http://127.0.0.1", AllowPrivate: true}, "https"},                        // [JK-01]
		"http to the world":  {Config{Issuer: "http://8.8.8.8", AllowHTTP: true}, "https"},                             // [JK-01 JK-04]
		"query":              {Config{Issuer: issuer + "?a=b"}, "query"},                                               // [JK-01]
		"empty query":        {Config{Issuer: issuer + "?"}, "query"},                                                  // [JK-01]
		"fragment":           {Config{Issuer: issuer + "#a"}, "fragment"},                                              // [JK-01]
		"empty fragment":     {Config{Issuer: issuer + "#"}, "fragment"},                                               // [JK-01]
		"user":               {Config{Issuer: "https://user@login.example.com"}, "user"},                               // [JK-01]
		"other scheme":       {Config{Issuer: "urn:example", AllowHTTP: true}, "issuer"},                               // [JK-01]
		"template":           {Config{Issuer: issuer + "/{tenantid}/v2.0"}, "discovery URL or a JWKS URL is required"}, // [JK-22]
		"private literal":    {Config{Issuer: "https://10.0.0.1"}, "not allowed"},                                      // [JK-06]
		"http JWKS URL":      {Config{Issuer: issuer, JWKSURL: "http://login.example.com/k"}, "JWKS URL"},              // [JK-04]
		"private JWKS URL":   {Config{Issuer: issuer, JWKSURL: "https://169.254.169.254/"}, "JWKS URL"},                // [JK-06]
		"http discovery":     {Config{Issuer: issuer, DiscoveryURL: "http://a.example"}, "discovery URL"},              // [JK-04]
		"no algorithm":       {Config{Issuer: issuer, Algorithms: []string{}}, "empty"},                                // [JO-01]
		"none":               {Config{Issuer: issuer, Algorithms: []string{"none"}}, "none"},                           // [JO-03]
		"HS256":              {Config{Issuer: issuer, Algorithms: []string{"RS256", "HS256"}}, "HS256"},                // [JO-04]
		"case":               {Config{Issuer: issuer, Algorithms: []string{"rs256"}}, "rs256"},                         // [JO-01]
		"negative refresh":   {Config{Issuer: issuer, Refresh: -1}, "refresh"},
		"negative cooldown":  {Config{Issuer: issuer, Cooldown: -1}, "cooldown"},
		"negative max_stale": {Config{Issuer: issuer, MaxStale: -1}, "max_stale"},
		"refresh, no unit":   {Config{Issuer: issuer, Refresh: 900}, "refresh of 900ns is below"},
		"refresh too long":   {Config{Issuer: issuer, Refresh: 24*time.Hour + 1}, "refresh of 24h0m0.000000001s is above"},
		"max_stale, no unit": {Config{Issuer: issuer, MaxStale: 86400}, "max_stale of 86.4µs is below"},
		"proxy":              {Config{Issuer: issuer, Proxy: &url.URL{Scheme: "ftp", Host: "a"}}, "proxy"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			tt.cfg.Logger = slog.New(slog.DiscardHandler)
			if s, err := Remote(tt.cfg); err == nil || s != nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
	_, err := Remote(Config{
		Issuer: "http://a.example", JWKSURL: "http://b.example", DiscoveryURL: "https://10.0.0.1",
		Algorithms: []string{"none"}, Refresh: -1, Cooldown: -1, MaxStale: -1,
	})
	for _, all := range []string{"issuer", "JWKS URL", "discovery URL", "none", "refresh", "cooldown", "max_stale"} {
		if err == nil || !strings.Contains(err.Error(), all) {
			t.Errorf("%q is missing in %v", all, err)
		}
	}
}

func TestConfigDefaults(t *testing.T) {
	cfg, _, err := Config{Issuer: issuer}.prepare()
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Refresh != DefaultRefresh || cfg.Cooldown != DefaultCooldown || cfg.MaxStale != DefaultMaxStale ||
		!slices.Equal(cfg.Algorithms, []string{"RS256", "PS256", "ES256", "ES384", "Ed25519"}) { // [JO-02]
		t.Errorf("got %+v", cfg)
	}
	log := &logs{}
	s, err := Remote(Config{
		Issuer: "http://127.0.0.1:1/realms/a/", AllowHTTP: true, Algorithms: []string{"EdDSA", "Ed25519"},
		Logger: slog.New(slog.NewTextHandler(log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(s.config.Algorithms, []string{"Ed25519"}) || log.count("plain http") != 1 {
		t.Errorf("got %v", s.config.Algorithms)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func TestOutageTellsNoSecrets(t *testing.T) {
	cause := errors.New(`Get "https://user:secret@10.0.0.1/?token=secret": EOF`)
	err := unavailable(issuer, 0, cause)
	if strings.Contains(err.Error(), "secret") || !errors.Is(err, cause) || !errors.Is(err, validate.ErrKeysUnavailable) {
		t.Errorf("got %v", err)
	}
	if got := describe(errors.Join(cause, egress.ErrTooLarge)); got != egress.ErrTooLarge.Error() {
		t.Errorf("got %q", got)
	}
}
