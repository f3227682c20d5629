package server

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/bearward/bearward"
	"github.com/bearward/bearward/adapters/redisstore"
	"github.com/bearward/bearward/internal/server/config"
	"github.com/bearward/bearward/jwks"
	"github.com/bearward/bearward/validate"
	"github.com/bearward/bearward/validate/cache"
)

// builder turns the file into a configuration and collects faults.
type builder struct {
	file   *config.File
	logger *slog.Logger
	clock  func() time.Time
	kept   kept    // what is there already, and what comes to it
	before sources // those of the file before
	faults []config.Fault
	failed []string // their paths
}

func (b *builder) fault(path string, err error) {
	b.failed = append(b.failed, path)
	b.faults = append(b.faults, b.file.Fault(path, err))
}

func (b *builder) guard(shared *redisstore.Redis) bearward.Config {
	cfg := bearward.Config{
		Resource: b.file.Resource, Realm: b.file.Realm, NoMetadata: !b.file.Metadata, ReportOnly: b.file.ReportOnly, Logger: b.logger, Clock: b.clock,
		Cache: cache.Config{Disabled: b.file.Cache.Disabled, Entries: b.file.Cache.Entries, TTL: b.file.Cache.TTL},
	}
	for n, i := range b.file.Issuers {
		cfg.Issuers = append(cfg.Issuers, b.issuer(fmt.Sprintf("issuers[%d]", n), i, shared))
	}
	b.senders(&cfg, shared)
	cfg.Observer = b.observer()
	return cfg
}

func (b *builder) issuer(path string, i config.Issuer, shared *redisstore.Redis) bearward.Issuer {
	issuer := bearward.Issuer{
		URL: i.Issuer, Name: i.Name, Audience: i.Audience, Profile: validate.Profile(i.Profile), Algorithms: i.Algorithms,
		Leeway: i.Leeway, MaxLifetime: i.MaxLifetime,
		Preset: i.Preset, RolesClaim: i.RolesClaim, ClientIDs: i.ClientIDs, Tenants: i.Tenants, Require: i.Require, OpaquePrefix: i.OpaquePrefix,
		DiscoveryURL: text(i.DiscoveryURL), JWKSURL: text(i.JWKSURI), AllowPrivate: i.AllowPrivate, AllowHTTP: i.AllowHTTP,
		Refresh: bearward.Refresh{Interval: i.JWKS.Refresh, Cooldown: i.JWKS.Cooldown, MaxStale: i.JWKS.MaxStale},
	}
	if i.ScopeClaim != nil {
		issuer.ScopeClaim = validate.ScopeClaim{Name: i.ScopeClaim.Name, Array: i.ScopeClaim.Type == "array"}
	}
	if i.Leeway == 0 {
		issuer.Leeway = -time.Nanosecond // none; zero would be the default
	}
	if i.JWKSFile != "" {
		keys, err := source(b, "jwks_file "+i.JWKSFile+" "+strings.Join(i.Algorithms, " "), func() (validate.KeySource, error) {
			return jwks.FileWith(jwks.FileConfig{Path: i.JWKSFile, Algorithms: i.Algorithms, Logger: b.logger})
		})
		if err != nil {
			b.fault(path+".jwks_file", err)
		} else {
			issuer.Keys = keys
		}
	}
	if i.CAFile != "" {
		issuer.RootCAs = b.roots(path+".ca_file", i.CAFile)
	}
	if i.Introspection != nil {
		issuer.Introspection = b.introspection(path+".introspection", i.Introspection, shared)
	}
	return issuer
}

// redis opens what instances share; it makes no call.
func (b *builder) redis() *redisstore.Redis {
	r := b.file.Redis
	if r == nil || b.kept.redis != nil {
		return b.kept.redis
	}
	cfg := redisstore.Config{URL: r.URL, Prefix: r.Prefix, Timeout: r.Timeout, Logger: b.logger, Clock: b.clock}
	if r.CAFile != "" {
		cfg.RootCAs = b.roots("redis.ca_file", r.CAFile)
	}
	opened, err := redisstore.Open(cfg)
	if err != nil {
		b.fault("redis.url", err)
		return nil
	}
	b.kept.redis = opened
	return opened
}

// revocation returns the list that is asked.
func (b *builder) revocation() validate.Revocation {
	r := b.file.Revocation
	switch {
	case r == nil:
		return nil
	case r.List == "redis" && b.kept.redis == nil:
		return nil // said already
	case r.List == "redis":
		return b.kept.redis.Revocations(r.Retention)
	case b.kept.revocations != nil:
		return b.kept.revocations
	}
	list, err := validate.NewRevocationList(validate.RevocationListConfig{Retention: r.Retention, Clock: b.clock})
	if err != nil {
		b.fault("revocation", err)
		return nil
	}
	b.kept.revocations = list
	return list
}

func text(u *url.URL) string {
	if u == nil {
		return ""
	}
	return u.String()
}

func (b *builder) roots(path, file string) *x509.CertPool {
	pool, err := Roots(file)
	if err != nil {
		b.fault(path, err)
	}
	return pool
}

// Roots reads the authorities of a ca_file. The pool is empty, and trusts nobody,
// if there is an error.
func Roots(file string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(file)
	pool := x509.NewCertPool()
	if err == nil && !pool.AppendCertsFromPEM(pem) {
		err = fmt.Errorf("%s contains no PEM certificate", file)
	}
	return pool, err
}

func (b *builder) tls() *tls.Certificate {
	if b.file.TLS == nil {
		return nil
	}
	certificate, err := tls.LoadX509KeyPair(b.file.TLS.CertFile, b.file.TLS.KeyFile)
	if err != nil {
		b.fault("tls", err)
	}
	return &certificate
}

var errEmptySecret = errors.New("the file is empty")

// secret reads a file with one secret; the line end of an editor is no part of
// it.
func (b *builder) secret(path, file string) []byte {
	content, err := os.ReadFile(file)
	content = bytes.TrimRight(content, "\r\n")
	if err == nil && len(content) == 0 {
		err = errEmptySecret
	}
	if err != nil {
		b.fault(path, err)
	}
	return content
}
