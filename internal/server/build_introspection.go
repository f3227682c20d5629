package server

import (
	"bytes"
	"context"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/bearward/bearward"
	"github.com/bearward/bearward/adapters/redisstore"
	"github.com/bearward/bearward/internal/server/config"
	"github.com/bearward/bearward/introspect"
)

func (b *builder) introspection(path string, in *config.Introspection, shared *redisstore.Redis) *bearward.Introspection {
	out := &bearward.Introspection{
		Endpoint: text(in.Endpoint), Auth: b.auth(path, in), NoOpaque: !in.Opaque, NoJWT: !in.JWT,
		Always: in.Always, Every: in.Every, TrustServer: in.Audience == "trust_server", NoTokenTypeHint: !in.TokenTypeHint,
		SignedResponse: introspect.SignedResponse(in.SignedResponse), SignedAudience: in.SignedAudience,
		Cache:  introspect.CacheConfig{Positive: off(in.Cache.Positive), Negative: off(in.Cache.Negative), Entries: in.Cache.Entries, IgnoreNoStore: in.Cache.IgnoreNoStore},
		Limits: introspect.Limits{Parallel: in.Limits.Parallel, PerSecond: in.Limits.PerSecond, Timeout: in.Limits.Timeout},
	}
	if shared != nil {
		out.Shared = shared.Introspection()
		if file := b.file.Redis.KeyFile; file != "" {
			out.SharedKey = b.secret("redis.key_file", file)
		}
	}
	return out
}

// off turns the file's zero, not at all, into that of the library, where zero
// is the default.
func off(d time.Duration) time.Duration {
	if d == 0 {
		return -1
	}
	return d
}

func (b *builder) auth(path string, in *config.Introspection) introspect.Auth {
	auth := introspect.Auth{
		Method: introspect.Method(in.Auth), ClientID: in.ClientID, Secret: in.ClientSecret,
		KeyID: in.KeyID, Algorithm: in.Algorithm, Audience: in.AssertionAudience,
	}
	if in.ClientSecretFile != "" {
		auth.Secret = string(b.secret(path+".client_secret_file", in.ClientSecretFile))
	}
	if in.TokenFile != "" {
		b.secret(path+".token_file", in.TokenFile)
		auth.TokenSource, _ = source(b, "token_file "+in.TokenFile, func() (tokenSource, error) { return tokenFile(in.TokenFile), nil })
	}
	switch {
	case in.CertFile != "":
		certificate, err := tls.LoadX509KeyPair(in.CertFile, in.KeyFile)
		if err != nil {
			b.fault(path+".cert_file", err)
		}
		auth.Certificate = &certificate
	case in.KeyFile != "":
		key, err := privateKey(in.KeyFile)
		if err != nil {
			b.fault(path+".key_file", err)
		}
		auth.Key = key
	}
	return auth
}

type tokenSource = func(context.Context) (string, error)

// tokenFile reads the token for each exchange: whoever renews it replaces the
// file.
func tokenFile(file string) tokenSource {
	return func(context.Context) (string, error) {
		content, err := os.ReadFile(file)
		if err != nil {
			return "", errors.New("the token file cannot be read")
		}
		return string(bytes.TrimSpace(content)), nil
	}
}

// privateKey reads the first private key of a PEM file.
func privateKey(file string) (crypto.Signer, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	for block, rest := pem.Decode(content); block != nil; block, rest = pem.Decode(rest) {
		var key any
		switch block.Type {
		case "PRIVATE KEY":
			key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
		case "RSA PRIVATE KEY":
			key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
		case "EC PRIVATE KEY":
			key, err = x509.ParseECPrivateKey(block.Bytes)
		default:
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("%s: the private key cannot be read", file)
		}
		if signer, ok := key.(crypto.Signer); ok {
			return signer, nil
		}
	}
	return nil, fmt.Errorf("%s contains no PEM private key", file)
}
