package stand

import (
	"context"
	"errors"
	"runtime"
	"strconv"
	"sync"
	"time"

	"github.com/bearward/bearward/internal/issuer"
)

// NewIssuer starts an issuer on loopback with two keys for the algorithm, the
// second of which signs.
func NewIssuer(algorithm string) (*issuer.Server, error) {
	s, err := issuer.Start(issuer.Config{Algorithms: []string{algorithm}})
	if err != nil {
		return nil, err
	}
	if err := s.Rotate(); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Mint makes distinct tokens as authorization servers do, valid for an hour,
// on all cores. With jkt they are bound to the key with that thumbprint.
func Mint(ctx context.Context, s *issuer.Server, n int, jkt string) ([]string, error) {
	tokens := make([]string, n)
	faults := make([]error, runtime.GOMAXPROCS(0))
	var all sync.WaitGroup
	for first := range faults {
		all.Go(func() {
			for i := first; i < n && faults[first] == nil; i += len(faults) {
				tokens[i], faults[first] = s.Sign(nil, Claims(s, i, jkt))
				if ctx.Err() != nil {
					faults[first] = ctx.Err()
				}
			}
		})
	}
	all.Wait()
	return tokens, errors.Join(faults...)
}

// Claims are those of a realistic access token for one of many users.
func Claims(s *issuer.Server, user int, jkt string) map[string]any {
	now := time.Now()
	c := s.Claims("5ba552d6-3f2b-4c1e-9a57-"+strconv.Itoa(100_000_000_000+user), issuer.DefaultAudience, "https://other.example.test")
	c["exp"] = now.Add(time.Hour).Unix()
	c["nbf"] = now.Add(-time.Minute).Unix()
	c["scope"] = "openid profile orders:read orders:write customers:read invoices:read"
	c["realm_access"] = map[string]any{"roles": []string{"offline_access", "uma_authorization", "default-roles"}}
	c["resource_access"] = map[string]any{"account": map[string]any{"roles": []string{"manage-account", "view-profile"}}}
	if jkt != "" {
		c["cnf"] = issuer.Confirmation(jkt, "")
	}
	return c
}
