package redisstore_test

import (
	"crypto/x509"
	"strings"
	"testing"
	"time"

	"github.com/bearward/bearward/adapters/redisstore"
)

func TestOpenTakes(t *testing.T) {
	for _, c := range []redisstore.Config{
		{URL: "redis://localhost"},
		{URL: "redis://127.0.0.1:6379/0", Timeout: 5 * time.Second, Prefix: "my-api.v2:"},
		{URL: "redis://[::1]:6379/15"},
		{URL: "rediss://user:secret@redis.example.com", RootCAs: x509.NewCertPool()},
		{URL: "redis://:secret@redis.example.com/"},
		{URL: "unix:///run/redis.sock"},
		{URL: "unix://:secret@/run/redis.sock?db=3"},
	} {
		r, err := redisstore.Open(c)
		if err != nil {
			t.Errorf("%s: %v", c.URL, err)
			continue
		}
		must(t, r.Close())
		must(t, r.Close())
	}
}

func TestOpenRefuses(t *testing.T) {
	for name, c := range map[string]redisstore.Config{
		"nothing":               {},
		"no URL":                {URL: "redis://u:s3cr3t@[bad"},
		"control character":     {URL: "redis://u:s3cr3t@host\n/"},
		"no scheme":             {URL: "u:s3cr3t@localhost:6379"},
		"http":                  {URL: "http://u:s3cr3t@localhost"},
		"no host":               {URL: "redis://u:s3cr3t@:6379"},
		"port of letters":       {URL: "redis://u:s3cr3t@host:s3cr3t"},
		"user, no password":     {URL: "redis://s3cr3t@host"},
		"database of letters":   {URL: "redis://u:s3cr3t@host/s3cr3t"},
		"negative database":     {URL: "redis://u:s3cr3t@host/-1"},
		"two databases":         {URL: "redis://u:s3cr3t@host/1/2"},
		"huge database":         {URL: "redis://u:s3cr3t@host/99999999999999999999"},
		"query":                 {URL: "redis://u:s3cr3t@host/?skip_verify=true"},
		"fragment":              {URL: "redis://host/#s3cr3t"},
		"opaque":                {URL: "redis:s3cr3t"},
		"socket with host":      {URL: "unix://u:s3cr3t@run/redis.sock"},
		"socket without path":   {URL: "unix://u:s3cr3t@"},
		"socket, unknown query": {URL: "unix:///run/redis.sock?db=1&x=s3cr3t"},
		"socket, empty db":      {URL: "unix:///run/redis.sock?db="},
		"CAs without TLS":       {URL: "redis://host", RootCAs: x509.NewCertPool()},
		"prefix with a brace":   {URL: "redis://host", Prefix: "a{b}"},
		"long prefix":           {URL: "redis://host", Prefix: strings.Repeat("a", 65)},
		"negative timeout":      {URL: "redis://host", Timeout: -1},
		"long timeout":          {URL: "redis://host", Timeout: 5*time.Second + 1},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := redisstore.Open(c)
			if err == nil {
				_ = r.Close()
				t.Fatal("it is taken")
			}
			if strings.Contains(err.Error(), "s3cr3t") {
				t.Errorf("the error tells the password: %v", err)
			}
		})
	}
}

func TestOpenTellsAllFaults(t *testing.T) {
	_, err := redisstore.Open(redisstore.Config{URL: "ftp://host", Prefix: "{}", Timeout: time.Hour})
	if err == nil || strings.Count(err.Error(), "\n") != 2 {
		t.Errorf("%v", err)
	}
}
