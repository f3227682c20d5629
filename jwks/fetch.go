package jwks

import (
	"context"
	"errors"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/bearward/bearward/internal/egress"
	"github.com/bearward/bearward/internal/jose"
	"github.com/bearward/bearward/internal/strictjson"
)

// rediscover is how long a metadata document is remembered.
const rediscover = 24 * time.Hour

// getter is egress.Client.Get.
type getter func(ctx context.Context, url string) (egress.Response, error)

// fetcher fetches one issuer's key set. Calls never overlap.
type fetcher struct {
	config  Config
	get     getter
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
		return fetched{}, statusError(resp.Status)
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
	found, err := f.discover(ctx)
	if err != nil && f.jwksURL == "" {
		return "", err
	}
	if err == nil {
		f.jwksURL, f.found = found, now
	}
	return f.jwksURL, nil
}

// discover asks the well-known places in turn and returns jwks_uri. Where the
// server does not answer at all, the other places of it are not tried.
func (f *fetcher) discover(ctx context.Context) (string, error) {
	var fault error
	for _, place := range places(f.config.Issuer, f.config.DiscoveryURL) {
		resp, err := f.get(ctx, place)
		if err != nil && resp.Status == 0 {
			return "", err
		}
		found := ""
		if err == nil {
			found, err = metadata(resp, f.config.Issuer)
		}
		if err == nil {
			return found, nil
		}
		if fault == nil || errors.Is(fault, statusError(http.StatusNotFound)) {
			fault = err
		}
	}
	return "", fault
}

// places lists where the metadata of an issuer may be (RFC 8414 §3.1, §5,
// OpenID Connect Discovery §4).
func places(issuer, configured string) []string {
	if configured != "" {
		return []string{configured}
	}
	u, err := url.Parse(issuer)
	if err != nil {
		return nil
	}
	origin, path := u.Scheme+"://"+u.Host, strings.TrimSuffix(u.EscapedPath(), "/")
	const oauth, oidc = "/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"
	if path == "" {
		return []string{origin + oauth, origin + oidc}
	}
	return []string{
		origin + oauth + path, // [JK-03]
		origin + oidc + path,  // [JK-03]
		origin + path + oidc,  // [JK-03]
	}
}

// metadata reads jwks_uri of a document that is this issuer's. Algorithm lists
// and signed_metadata are not read: neither names the algorithms of access
// tokens, nor is there an anchor to trust.
func metadata(resp egress.Response, issuer string) (string, error) {
	if resp.Status != http.StatusOK { // [JK-05]
		return "", statusError(resp.Status)
	}
	kind, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" && !strings.HasSuffix(kind, "+json") { // [JK-05]
		return "", errMetadata
	}
	r := strictjson.Open(resp.Body)
	defer r.Close()
	var named, jwksURL string
	for name, ok := r.Next(); ok; name, ok = r.Next() {
		switch string(name) {
		case "issuer":
			named = r.Text()
		case "jwks_uri":
			jwksURL = r.Text()
		default:
			r.Skip()
		}
	}
	if r.Err() != nil { // [JK-05]
		return "", errMetadata
	}
	if named != issuer { // [JK-02]
		return "", errIssuer
	}
	if jwksURL == "" { // [JK-05]
		return "", errMetadata
	}
	return jwksURL, nil
}
