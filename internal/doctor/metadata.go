package doctor

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/bearward/bearward/internal/discovery"
	"github.com/bearward/bearward/internal/egress"
	"github.com/bearward/bearward/internal/strictjson"
	"github.com/bearward/bearward/validate"
)

var (
	metadataFine    = define("metadata", OK, "its metadata names it", "")
	metadataUnused  = define("metadata_unused", Info, "its metadata is not read: the file says where everything is", "")
	metadataStatus  = define("metadata_status", Error, "there is no metadata at {url}: status {status}", "{path}discovery_url: where the metadata is, or {path}jwks_uri: where the keys are")
	metadataClosed  = define("metadata_closed", Error, "the metadata at {url} is for callers with credentials only: status {status}", "{path}jwks_file: its keys, fetched with credentials (Kubernetes: kubectl get --raw /openid/v1/jwks), or let the server publish both")
	metadataInvalid = define("metadata_invalid", Error, "what is at {url} is no metadata document: {error}", "{path}discovery_url: where the metadata is; this looks like a page for people or a gateway")
	metadataMember  = define("metadata_member", Error, "its metadata has no {member}", "{path}{key}: where that is")

	issuerSlash    = define("issuer_slash", Error, "its metadata names {theirs}, the file {ours}: they differ by the final slash", "{path}issuer: {theirs}")
	issuerTemplate = define("issuer_template", Error, "its metadata names {theirs}, one document for all tenants", "{path}issuer: the same URL with your tenant's identifier; or {theirs} with discovery_url: {url} and tenants: [TENANT]")
	issuerHost     = define("issuer_host", Error, "at {url} the metadata names {theirs}, the file {ours}: the server calls itself by another name than this machine uses", "{path}issuer: {theirs} with discovery_url: {url}")
	issuerOther    = define("issuer_differs", Error, "its metadata names {theirs}, the file {ours}", "{path}issuer: {theirs}, if that is who issues the tokens (compare with iss of one)")

	presetMissing = define("preset_missing", Warning, "this looks like an issuer of {title}, and the preset is generic", "{path}preset: {preset}")
)

// metadata fetches the document where the server would, and compares the issuer.
func metadata(ctx context.Context, v *visit) {
	v.guessPreset()
	keys := v.verifies() && v.issuer.JWKSURI == nil
	if !keys && !v.asks() {
		v.say(metadataUnused)
		return
	}
	var needs []discovery.Member
	if keys {
		needs = append(needs, discovery.JWKSURI)
	}
	doc, err := discovery.Fetch(ctx, v.get, v.issuer.Issuer, text(v.issuer.DiscoveryURL), needs...)
	if err == nil {
		v.doc = doc
		v.say(metadataFine)
		return
	}
	at := v.where(err)
	var status egress.StatusError
	var missing discovery.MissingError
	switch {
	case errors.Is(err, discovery.ErrIssuer):
		v.differs(at)
	case errors.As(err, &missing):
		v.without(string(missing))
	case errors.As(err, &status) && (status == http.StatusUnauthorized || status == http.StatusForbidden):
		v.say(metadataClosed, "url", at.url, "status", strconv.Itoa(int(status)), "path", v.path)
	case errors.As(err, &status):
		v.say(metadataStatus, "url", at.url, "status", strconv.Itoa(int(status)), "path", v.path)
	case errors.Is(err, discovery.ErrDocument):
		v.say(metadataInvalid, "url", at.url, "error", err.Error(), "path", v.path)
	default:
		p := place{what: "its metadata", url: at.url, key: v.path + "discovery_url", moved: v.path + "discovery_url", path: v.path, ca: v.path + "ca_file"}
		if v.issuer.DiscoveryURL == nil {
			p.key = v.path + "issuer, or discovery_url"
		}
		v.failed(p, at.resp, err)
	}
}

// where returns the page that an error of discovery is about.
func (v *visit) where(err error) page {
	if errors.Is(err, discovery.ErrIssuer) {
		for _, p := range v.fetched {
			if theirs := member(p.resp.Body, "issuer"); p.resp.Status == http.StatusOK && theirs != "" && theirs != v.issuer.Issuer {
				return p
			}
		}
	}
	for _, p := range v.fetched {
		if p.resp.Status != http.StatusNotFound {
			return p
		}
	}
	if len(v.fetched) > 0 {
		return v.fetched[0]
	}
	return page{url: v.issuer.Issuer}
}

// differs says how the issuer of a document and that of the file differ.
func (v *visit) differs(at page) {
	ours, theirs := v.issuer.Issuer, member(at.resp.Body, "issuer")
	words := []string{"ours", ours, "theirs", theirs, "url", at.url, "path", v.path}
	a, errA := url.Parse(ours)
	b, errB := url.Parse(theirs)
	switch {
	case strings.TrimSuffix(ours, "/") == strings.TrimSuffix(theirs, "/"):
		v.say(issuerSlash, words...)
	case validate.IsTemplate(theirs):
		v.say(issuerTemplate, words...)
	case errA == nil && errB == nil && a.Host+a.Scheme != b.Host+b.Scheme && a.EscapedPath() == b.EscapedPath():
		v.say(issuerHost, words...)
	default:
		v.say(issuerOther, words...)
	}
}

// without is about a document that lacks what is needed of it.
func (v *visit) without(name string) {
	if name == string(discovery.JWKSURI) && v.symmetric() {
		v.say(keysSymmetric)
		return
	}
	key := "jwks_uri"
	if name == string(discovery.IntrospectionEndpoint) {
		key = "introspection.endpoint"
	}
	v.say(metadataMember, "member", name, "path", v.path, "key", key)
}

// habits are signs in an issuer's URL of a provider that has a preset.
var habits = []struct{ sign, preset string }{
	{"/realms/", "keycloak"},
	{"https://login.microsoftonline.com/", "entra"},
	{"https://sts.windows.net/", "entra"},
	{".auth0.com/", "auth0"},
	{"https://cognito-idp.", "cognito"},
	{".okta.com/oauth2/", "okta"},
	{".frontegg.com", "frontegg"},
	{"https://token.actions.githubusercontent.com", "github-actions"},
	{"https://accounts.google.com", "google"},
	{"https://auth.pingone.", "pingone"},
}

func (v *visit) guessPreset() {
	if v.issuer.Preset != "generic" || v.issuer.Profile != "" {
		return
	}
	for _, h := range habits {
		if p, ok := validate.PresetNamed(h.preset); ok && strings.Contains(v.issuer.Issuer, h.sign) {
			v.say(presetMissing, "title", p.Title, "preset", h.preset, "path", v.path)
			return
		}
	}
}

// member returns a member of an object that is a string, "" if there is none.
func member(body, name string) (found string) {
	r := strictjson.Open(body)
	for n, ok := r.Next(); ok; n, ok = r.Next() {
		if n == name {
			found = r.Text()
		}
	}
	if r.Err() != nil {
		return ""
	}
	return found
}

// members returns a member of an object that is a list of strings.
func members(body, name string) (found []string) {
	r := strictjson.Open(body)
	for n, ok := r.Next(); ok; n, ok = r.Next() {
		if n == name {
			found = r.Texts()
		}
	}
	if r.Err() != nil {
		return nil
	}
	return found
}
