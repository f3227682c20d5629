// Package discovery finds what an authorization server says about itself: RFC
// 8414 and OpenID Connect Discovery.
package discovery

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/bearward/bearward/internal/egress"
)

var (
	// ErrDocument says that an answer is not a metadata document.
	ErrDocument = errors.New("metadata is not a JSON document with strings where they belong")
	// ErrIssuer says that a document is another issuer's.
	ErrIssuer = errors.New("metadata names another issuer")
)

// MissingError says that a document lacks a member that its reader needs.
type MissingError Member

// Error names the member.
func (e MissingError) Error() string { return "metadata has no " + string(e) }

// Get is egress.Client.Get.
type Get func(ctx context.Context, url string) (egress.Response, error)

// Fetch returns the metadata of issuer, which names exactly this issuer. It is
// looked for at configured, or at the well-known places if that is "". A
// document without one of needs is passed over, as is every unusable one.
//
// Where the server does not answer at all, its other places are not tried and
// the error is that of get. Otherwise it is what was wrong at the first place
// that had something: ErrDocument, ErrIssuer, a MissingError, an
// egress.StatusError or an error of get.
func Fetch(ctx context.Context, get Get, issuer, configured string, needs ...Member) (Document, error) {
	var fault error
	for _, place := range places(issuer, configured) {
		resp, err := get(ctx, place)
		if err != nil && resp.Status == 0 {
			return Document{}, err
		}
		var doc Document
		if err == nil {
			doc, err = parse(resp, issuer, needs)
		}
		if err == nil {
			return doc, nil
		}
		if fault == nil || errors.Is(fault, egress.StatusError(http.StatusNotFound)) {
			fault = err
		}
	}
	if fault == nil {
		fault = egress.ErrURL
	}
	return Document{}, fault
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
