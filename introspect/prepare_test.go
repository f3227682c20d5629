package introspect

import (
	"bytes"
	"context"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/bearward/bearward/validate"
)

// nowhere is a Store.
type nowhere struct{}

func (nowhere) Get(context.Context, [32]byte) ([]byte, error)              { return nil, nil }
func (nowhere) Set(context.Context, [32]byte, []byte, time.Duration) error { return nil }
func (nowhere) Delete(context.Context, [32]byte) error                     { return nil }

func sound() Config {
	return Config{
		Token: validate.Config{Issuer: "https://login.example.com", Audience: []string{api}},
		Auth:  Auth{Method: Basic, ClientID: "api", Secret: "secret"},
	}
}

func TestDefaults(t *testing.T) { // [IN-13]
	in := sound()
	c, err := in.prepare()
	if err != nil {
		t.Fatal(err)
	}
	if want := (CacheConfig{Positive: 30 * time.Second, Negative: 5 * time.Second, Entries: 100_000}); c.Cache != want {
		t.Errorf("cache %+v", c.Cache)
	}
	if want := (Limits{Parallel: 64, PerSecond: 500, Timeout: 3 * time.Second}); c.Limits != want {
		t.Errorf("limits %+v", c.Limits)
	}
	if c.SignedResponse != Off || c.Logger == nil || c.Token.Clock == nil {
		t.Errorf("got %+v", c)
	}
	in.Cache = CacheConfig{Positive: -1, Negative: -1, Entries: -1}
	if c, err = in.prepare(); err != nil || c.Cache.Positive >= 0 || c.Cache.Negative >= 0 {
		t.Errorf("off: %+v, %v", c.Cache, err)
	}
	in.Cache = CacheConfig{Positive: time.Minute, Entries: -1}
	if c, err = in.prepare(); err != nil || c.Cache.Positive >= 0 {
		t.Errorf("no entries: %+v, %v", c.Cache, err)
	}
	again, err := c.prepare()
	if err != nil || again.Cache != c.Cache || again.Limits != c.Limits {
		t.Errorf("prepared twice: %+v, %v", again, err)
	}
}

func TestFaults(t *testing.T) {
	tests := map[string]struct {
		change func(*Config)
		want   string
	}{
		"issuer":                  {func(c *Config) { c.Token.Issuer = "" }, "issuer is empty"},
		"template":                {func(c *Config) { c.Token.Issuer = "https://login.example.com/{tenantid}/v2.0" }, "{tenantid}"},
		"audience":                {func(c *Config) { c.Token.Audience = nil }, "audience"},
		"method":                  {func(c *Config) { c.Auth = Auth{} }, "method is required"},
		"endpoint plain":          {func(c *Config) { c.Endpoint = "http://login.example.com" }, "endpoint: https"},                                      // [IN-02]
		"endpoint private":        {func(c *Config) { c.Endpoint = "https://127.0.0.1" }, "endpoint: address"},                                           // [IN-02]
		"endpoint with user":      {func(c *Config) { c.Endpoint = "https://me:pw@login.example.com" }, "endpoint: unusable URL"},                        // [IN-02]
		"discovery plain":         {func(c *Config) { c.DiscoveryURL = "http://login.example.com" }, "discovery URL: https"},                             // [IN-02]
		"issuer plain":            {func(c *Config) { c.Token.Issuer = "http://login.example.com" }, "issuer: https"},                                    // [IN-02]
		"none in public":          {func(c *Config) { c.Auth = Auth{Method: None} }, "loopback and private"},                                             // [IN-02]
		"none by a proxy":         {func(c *Config) { c.Auth = Auth{Method: None}; c.AllowPrivate = true; c.Proxy = proxy() }, "excludes a proxy"},       // [IN-02]
		"proxy":                   {func(c *Config) { c.Proxy = &url.URL{Scheme: "socks5", Host: "a"} }, "proxy"},                                        //
		"signed, no keys":         {func(c *Config) { c.SignedResponse = Require }, "need the issuer's keys"},                                            // [IN-19]
		"signed, nobody":          {func(c *Config) { c.signedFor("") }, "need an audience"},                                                             // [IN-19]
		"signed, empty audience":  {func(c *Config) { c.signedFor("api"); c.SignedAudience = []string{""} }, "need an audience"},                         // [IN-19]
		"signed, HMAC":            {func(c *Config) { c.signedFor("api"); c.Token.Algorithms = []string{"HS256"} }, "HS256"},                             // [IN-19]
		"signed, no algorithm":    {func(c *Config) { c.signedFor("api"); c.Token.Algorithms = []string{} }, "algorithms is empty"},                      // [IN-19]
		"signed audience of none": {func(c *Config) { c.SignedAudience = []string{"api"} }, "not signed"},                                                //
		"signed, unknown":         {func(c *Config) { c.SignedResponse = "on" }, "not off, accept or require"},                                           //
		"positive":                {func(c *Config) { c.Cache.Positive = 5*time.Minute + 1 }, "positive"},                                                // [IN-13]
		"negative":                {func(c *Config) { c.Cache.Negative = 10*time.Second + 1 }, "negative"},                                               // [IN-13]
		"timeout":                 {func(c *Config) { c.Limits.Timeout = 31 * time.Second }, "timeout"},                                                  //
		"timeout without unit":    {func(c *Config) { c.Limits.Timeout = 3 }, "timeout is 3ns, at least 1ms"},                                            //
		"limit below zero":        {func(c *Config) { c.Limits.Parallel = -1 }, "must not be negative"},                                                  //
		"shared key alone":        {func(c *Config) { c.SharedKey = make([]byte, 32) }, "no shared level"},                                               //
		"shared without key":      {func(c *Config) { c.Auth = Auth{Method: Bearer, Token: "t"}; c.Shared = nowhere{} }, "no client secret"},             //
		"shared key short":        {func(c *Config) { c.Shared = nowhere{}; c.SharedKey = bytes.Repeat([]byte{1}, 31) }, "31 bytes, want at least 32"},   //
		"leeway":                  {func(c *Config) { c.Token.Leeway = time.Hour }, "leeway"},                                                            //
		"two at once":             {func(c *Config) { c.Limits.Timeout = time.Hour; c.Endpoint = "x" }, "endpoint: unusable URL\ntimeout is 1h0m0s, at"}, //
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := sound()
			tt.change(&c)
			_, err := c.prepare()
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
			if err != nil && strings.Contains(err.Error(), "pw") {
				t.Error("a password is told")
			}
		})
	}
}

func (c *Config) signedFor(client string) {
	c.SignedResponse, c.Token.Keys = Accept, &keyring{}
	c.Auth = Auth{Method: Bearer, Token: "t", ClientID: client}
}

func proxy() *url.URL { return &url.URL{Scheme: "http", Host: "127.0.0.1:3128"} }

func TestSoundOnes(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"signed":            func(c *Config) { c.signedFor("api") },
		"signed, named":     func(c *Config) { c.signedFor(""); c.SignedAudience = []string{api} },
		"none in private":   func(c *Config) { c.Auth = Auth{Method: None}; c.AllowPrivate = true },
		"endpoint and both": func(c *Config) { c.Endpoint, c.DiscoveryURL = "https://a.example/i", "https://a.example/d" },
		"shared":            func(c *Config) { c.Shared = nowhere{} },
		"shared with key":   func(c *Config) { c.Shared, c.SharedKey = nowhere{}, make([]byte, 32) },
		"server trusted":    func(c *Config) { c.Token.Audience, c.Token.TrustServer = nil, true },
	} {
		c := sound()
		change(&c)
		if _, err := c.prepare(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
