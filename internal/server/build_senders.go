package server

import (
	"crypto/tls"
	"errors"
	"strings"
	"time"

	"github.com/bearward/bearward"
	"github.com/bearward/bearward/adapters/redisstore"
	"github.com/bearward/bearward/internal/server/config"
	"github.com/bearward/bearward/middleware"
	"github.com/bearward/bearward/validate/dpop"
	"github.com/bearward/bearward/validate/mtls"
)

// Words of the file.
var (
	families = map[string]middleware.Forwarded{
		"none": middleware.NotForwarded, "x-forwarded": middleware.XForwarded, "x-original": middleware.XOriginal, "rfc7239": middleware.RFC7239,
	}
	nonces      = map[string]dpop.Nonce{"off": dpop.NonceOff, "adaptive": dpop.NonceAdaptive, "required": dpop.NonceRequired}
	bindings    = map[string]middleware.Binding{"if-bound": middleware.IfBound, "bound": middleware.Bound, "dpop": middleware.DPoP, "mtls": middleware.MTLS}
	clientCerts = map[string]tls.ClientAuthType{"request": tls.RequestClientCert, "require": tls.RequireAnyClientCert, "none": tls.NoClientCert} // [MT-03]
)

// senders adds what tells who sends a token.
func (b *builder) senders(cfg *bearward.Config, shared *redisstore.Redis) {
	f := b.file
	cfg.PublicURLs, cfg.TrustedProxies, cfg.Forwarded, cfg.FAPI = f.PublicURL, f.TrustedProxies, families[f.Forwarded], f.FAPI
	if f.ForwardAuth != nil {
		cfg.Forwarded = families[f.ForwardAuth.Headers]
	}
	if cfg.Forwarded == middleware.NotForwarded && f.ClientCertHeader == nil {
		cfg.TrustedProxies = nil // in mode ext-authz they are believed what they ask, and nothing else
	}
	if h := f.ClientCertHeader; h != nil {
		cfg.ClientCertHeader = mtls.Header{Name: h.Name, Format: mtls.Format(h.Format)}
	}
	if f.DPoP != nil {
		if cfg.DPoP = b.dpop(f.DPoP, shared); len(b.failed) > 0 && strings.HasPrefix(b.failed[len(b.failed)-1], "dpop.") {
			cfg.DPoP.NonceKeysFile = "" // said already
		}
	}
}

func (b *builder) dpop(d *config.DPoP, shared *redisstore.Redis) *dpop.Config {
	out := &dpop.Config{
		Algorithms: d.Algorithms, Window: d.Window, Future: d.Future, Nonce: nonces[d.Nonce], NonceKeysFile: d.NonceKeysFile,
		RefuseStray: d.StrayProof == "refuse", Logger: b.logger, Clock: b.clock,
	}
	if d.Future == 0 {
		out.Future = -time.Nanosecond // none; zero would be the default
	}
	out.Replay = b.replay(d, shared)
	if _, err := dpop.New(*out); err != nil { // what only shows when its file is read
		b.fault("dpop.nonce_keys_file", err)
	}
	return out
}

var errSized = errors.New("used proofs are remembered already, and how many can change with a restart only")

// replay is where used proofs are remembered. It has nothing to close of its
// own.
func (b *builder) replay(d *config.DPoP, shared *redisstore.Redis) dpop.ReplayStore {
	if d.Replay == "redis" {
		if shared == nil {
			return nil // said already
		}
		return shared.Replay()
	}
	if kept := b.kept.proofs; kept != nil {
		if d.Entries != kept.Health().Capacity { // dpop was off meanwhile
			b.fault("dpop.entries", errSized)
		}
		return kept
	}
	memory, err := dpop.NewMemory(dpop.MemoryConfig{Entries: d.Entries, Logger: b.logger, Clock: b.clock})
	if err != nil {
		b.fault("dpop.entries", err)
		return nil
	}
	b.kept.proofs = memory
	return memory
}

// clientAuth is whether clients are asked for a certificate; proxies that ask
// are no clients.
func (s *Service) clientAuth() tls.ClientAuthType {
	if s.file.Mode != "proxy" {
		return tls.NoClientCert
	}
	return clientCerts[s.file.TLS.ClientCerts]
}
