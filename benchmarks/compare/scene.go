package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/bearward/bearward/internal/issuer"
)

// subject is whom the tokens are about.
const subject = "5ba552d67-3f2b-4c1e-9a57-0c7c1b1f5e1d"

// keysPath is where the issuer has its key set.
const keysPath = "/jwks"

// target is what a library is told: whose tokens to accept, and for whom.
type target struct {
	issuer, audience, algorithm string
	keysURL                     string
	keys                        []byte // what is at keysURL
}

// scene is an issuer on loopback with two keys, the second of which signs, and a
// realistic token.
type scene struct {
	target

	server *issuer.Server
	good   string
}

func newScene(ctx context.Context, algorithm string) (*scene, error) {
	// No set grows old while anything is measured.
	server, err := issuer.Start(issuer.Config{Algorithms: []string{algorithm}, CacheControl: "max-age=3600"})
	if err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	if err := server.Rotate(); err != nil {
		return nil, err
	}
	s := &scene{server: server, target: target{
		issuer: server.URL(), audience: issuer.DefaultAudience, algorithm: algorithm, keysURL: server.URL() + keysPath,
	}}
	if s.keys, err = json.Marshal(map[string]any{"keys": server.JWKS()}); err != nil {
		return nil, err
	}
	s.good, err = s.sign(nil, nil)
	return s, err
}

// sign makes a token as authorization servers do, other than in these members.
func (s *scene) sign(header, other map[string]any) (string, error) {
	now := time.Now()
	claims := s.server.Claims(subject, s.audience, "https://other.example.test")
	claims["exp"] = now.Add(time.Hour).Unix()
	claims["nbf"] = now.Add(-time.Minute).Unix()
	claims["scope"] = "openid profile orders:read orders:write customers:read invoices:read"
	claims["realm_access"] = map[string]any{"roles": []string{"offline_access", "uma_authorization", "default-roles"}}
	claims["resource_access"] = map[string]any{"account": map[string]any{"roles": []string{"manage-account", "view-profile"}}}
	for name, value := range other {
		claims[name] = value
	}
	return s.server.Sign(header, claims)
}

// unknown is a token that names a key that nobody has.
func (s *scene) unknown(n int) (string, error) {
	return s.sign(map[string]any{"kid": fmt.Sprintf("unknown-%d", n)}, nil)
}

// forged is the good token with another signature.
func (s *scene) forged() string {
	i := strings.LastIndexByte(s.good, '.') + 20
	other := "A"
	if s.good[i] == 'A' {
		other = "B"
	}
	return s.good[:i] + other + s.good[i+1:]
}
