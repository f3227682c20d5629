package redisstore_test

import (
	"crypto/x509"
	"encoding/pem"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bearward/bearward/adapters/redisstore"
	"github.com/bearward/bearward/internal/redistest"
)

type configOf = redisstore.Config

// use starts a server and says how to reach it.
type use = func(*testing.T) (*redistest.Server, func(*configOf), string)

func servers(t *testing.T) map[string]use {
	t.Helper()
	return map[string]use{
		"tcp": func(t *testing.T) (*redistest.Server, func(*configOf), string) {
			s := redistest.Start(t)
			return s, func(*configOf) {}, s.URL()
		},
		"password": func(t *testing.T) (*redistest.Server, func(*configOf), string) {
			s := redistest.Start(t, "--requirepass", "p/w%")
			return s, func(*configOf) {}, "redis://:p%2Fw%25@" + s.Addr() + "/3"
		},
		"user": func(t *testing.T) (*redistest.Server, func(*configOf), string) {
			s := redistest.Start(t, "--user", "api", "on", ">secret", "~*", "+@all")
			return s, func(*configOf) {}, "redis://api:secret@" + s.Addr()
		},
		"socket": func(t *testing.T) (*redistest.Server, func(*configOf), string) {
			dir, err := os.MkdirTemp("", "bw") //nolint:usetesting // the path of a socket is short
			must(t, err)
			t.Cleanup(func() { _ = os.RemoveAll(dir) })
			path := filepath.Join(dir, "s")
			s := redistest.Start(t, "--unixsocket", path)
			return s, func(*configOf) {}, "unix://" + path + "?db=2"
		},
		"tls": secured,
	}
}

// secured is a server that speaks TLS with a certificate of its own.
func secured(t *testing.T) (*redistest.Server, func(*configOf), string) {
	web := httptest.NewTLSServer(nil)
	defer web.Close()
	pair := web.TLS.Certificates[0]
	key, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	must(t, err)
	dir := t.TempDir()
	write := func(name, kind string, der []byte) string {
		path := filepath.Join(dir, name)
		must(t, os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600))
		return path
	}
	cert := write("cert.pem", "CERTIFICATE", pair.Certificate[0])
	s := redistest.Start(t, "--tls-cert-file", cert, "--tls-key-file", write("key.pem", "PRIVATE KEY", key),
		"--tls-ca-cert-file", cert, "--tls-auth-clients", "no", "--tls-replication", "no", "--port", "0", "--tls-port", redistest.SamePort)
	roots := x509.NewCertPool()
	roots.AddCert(web.Certificate())
	return s, func(c *configOf) { c.RootCAs = roots }, "rediss://" + s.Addr()
}

func TestPlaces(t *testing.T) {
	for name, use := range servers(t) {
		t.Run(name, func(t *testing.T) {
			_, change, url := use(t)
			s := open(t, url, change)
			list := s.Revocations(0)
			must(t, s.Ping(t.Context()))
			wantRevoked(t, list, s.token(), false)
			for _, e := range s.entries() {
				must(t, list.Revoke(t.Context(), e))
			}
			wantRevoked(t, list, s.token(), true)
		})
	}
}

// A Redis that may drop entries is no place for them. [RV-03]
func TestEviction(t *testing.T) {
	server := redistest.Start(t, "--maxmemory-policy", "allkeys-lru")
	s := open(t, server.URL())
	must(t, s.Ping(t.Context())) // it will do for answers
	list := s.Revocations(0)
	if err := s.Ping(t.Context()); err == nil || !strings.Contains(err.Error(), "noeviction") {
		t.Errorf("%v", err)
	}
	wantRevoked(t, list, s.token(), false)
	wantRevoked(t, list, s.token(), false)
	if n := s.log.count("may drop entries"); n != 1 {
		t.Errorf("logged %d times:\n%s", n, s.log)
	}
	must(t, raw(t, server).ConfigSet(t.Context(), "maxmemory-policy", "noeviction").Err())
	must(t, s.Ping(t.Context()))
}

// The first use finds it out, too.
func TestEvictionAtFirstUse(t *testing.T) { // [RV-03]
	server := redistest.Start(t, "--maxmemory-policy", "volatile-ttl")
	s := open(t, server.URL())
	wantRevoked(t, s.Revocations(0), s.token(), false)
	if n := s.log.count("may drop entries"); n != 1 {
		t.Errorf("logged %d times:\n%s", n, s.log)
	}
}

func TestUnreadablePolicy(t *testing.T) {
	server := redistest.Start(t, "--rename-command", "CONFIG", "")
	s := open(t, server.URL())
	list := s.Revocations(0)
	must(t, s.Ping(t.Context()))
	must(t, s.Ping(t.Context()))
	wantRevoked(t, list, s.token(), false)
	if n := s.log.count("does not tell its maxmemory-policy"); n != 1 {
		t.Errorf("logged %d times:\n%s", n, s.log)
	}
}

// A Redis that lost its data is noticed, by every process, once.
func TestLostData(t *testing.T) {
	server := redistest.Start(t)
	here, there := open(t, server.URL()), open(t, server.URL())
	for _, s := range []store{here, there} {
		s.Revocations(0)
		must(t, s.Ping(t.Context()))
	}
	if here.log.count("holds no revocations yet") != 1 || there.log.count("holds no revocations yet") != 0 {
		t.Errorf("log:\n%s\n%s", here.log, there.log)
	}
	server.Restart()
	for _, s := range []store{here, there} {
		wantRevoked(t, s.Revocations(0), s.token(), false)
		must(t, s.Ping(t.Context()))
		if n := s.log.count("redis has lost its data"); n != 1 {
			t.Errorf("logged %d times:\n%s", n, s.log)
		}
	}
}

// A full Redis refuses new entries, keeps the old ones and is no outage.
func TestFull(t *testing.T) { // [RV-03]
	server := redistest.Start(t)
	s := open(t, server.URL())
	list := s.Revocations(0)
	must(t, list.Revoke(t.Context(), s.entries()[0]))
	must(t, raw(t, server).ConfigSet(t.Context(), "maxmemory", "1").Err())
	for range 5 {
		if err := list.Revoke(t.Context(), s.entries()[1]); err == nil {
			t.Error("an entry is taken that Redis does not have")
		}
	}
	wantRevoked(t, list, s.token(), true)
	if h := s.Health(); !h.Up || s.log.count("out of memory") != 1 {
		t.Errorf("%+v\n%s", h, s.log)
	}
}
