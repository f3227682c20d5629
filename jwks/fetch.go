package jwks

import (
	"context"
	"net/http"
	"time"

	"github.com/bearward/bearward/internal/discovery"
	"github.com/bearward/bearward/internal/egress"
	"github.com/bearward/bearward/internal/jose"
)

// rediscover is how long a metadata document is remembered.
const rediscover = 24 * time.Hour

// fetcher fetches one issuer's key set. Calls never overlap.
type fetcher struct {
	config  Config
	get     discovery.Get
	jwksURL string    // of the remembered metadata, "" if there is none
	found   time.Time // when it was found; zero: ask anew
}

// fetched is a key set as it came.
type fetched struct {
	keys    []jose.JWK
	skipped []jose.Skipped
	header  http.Header
}

// fetch finds and reads the key set. After a failure the next fetch asks for
// the metadata anew.
func (f *fetcher) fetch(ctx context.Context) (fetched, error) {
	target, err := f.target(ctx)
	if err != nil {
		return fetched{}, err
	}
	doc, err := f.read(ctx, target)
	if err != nil {
		f.found = time.Time{}
	}
	return doc, err
}

func (f *fetcher) read(ctx context.Context, target string) (fetched, error) {
	resp, err := f.get(ctx, target)
	if err != nil {
		return fetched{}, err
	}
	if resp.Status != http.StatusOK { // [JK-05]
		return fetched{}, egress.StatusError(resp.Status)
	}
	keys, skipped, err := jose.ParseSet(resp.Body, maxKeys)
	return fetched{keys: keys, skipped: skipped, header: resp.Header}, err
}

// target returns where the key set is. A metadata document that cannot be
// renewed does not take away the address that still works.
func (f *fetcher) target(ctx context.Context) (string, error) {
	if f.config.JWKSURL != "" {
		return f.config.JWKSURL, nil
	}
	now := f.config.Now()
	if f.jwksURL != "" && now.Sub(f.found) < rediscover {
		return f.jwksURL, nil
	}
	doc, err := discovery.Fetch(ctx, f.get, f.config.Issuer, f.config.DiscoveryURL, discovery.JWKSURI)
	if err != nil && f.jwksURL == "" {
		return "", err
	}
	if err == nil {
		f.jwksURL, f.found = doc.JWKSURI, now
	}
	return f.jwksURL, nil
}
