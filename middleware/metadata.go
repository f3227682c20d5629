package middleware

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/go-json-experiment/json"
)

const wellKnown = "/.well-known/oauth-protected-resource"

// metadata is the protected resource metadata document of RFC 9728, made of
// the live configuration and never of a request.
type metadata struct {
	url   string // "" if there is no document
	paths []string

	mu     sync.RWMutex
	doc    document
	body   []byte
	routes int // that were prepared and are not public
	byKey  int // of them, those that demand a token bound to a key
}

type document struct {
	Resource             string   `json:"resource"`
	AuthorizationServers []string `json:"authorization_servers"`
	ScopesSupported      []string `json:"scopes_supported,omitempty"`
	BearerMethods        []string `json:"bearer_methods_supported"`
	DetailTypes          []string `json:"authorization_details_types_supported,omitempty"`
	DPoPAlgorithms       []string `json:"dpop_signing_alg_values_supported,omitempty"`
	DPoPRequired         bool     `json:"dpop_bound_access_tokens_required,omitzero"`
	CertificateBound     bool     `json:"tls_client_certificate_bound_access_tokens,omitzero"`
}

func newMetadata(config Config) (*metadata, error) {
	m := &metadata{}
	if config.Resource == "" {
		return m, nil
	}
	u, err := url.Parse(config.Resource)
	if err != nil || strings.Contains(config.Resource, "#") { // [AZ-09 MD-02]
		return nil, fmt.Errorf("resource %q is not a URI without fragment", config.Resource)
	}
	if u.User != nil { // it is the realm as well
		return nil, errors.New("resource must not contain credentials")
	}
	if config.NoMetadata || u.Scheme != "https" || u.Host == "" { // [MD-02]
		return m, nil
	}
	path := strings.TrimSuffix(u.EscapedPath(), "/") // [MD-03]
	m.paths = []string{wellKnown + path}
	if path != "" {
		m.paths = append(m.paths, wellKnown) // [MC-03]
	}
	m.url = "https://" + u.Host + wellKnown + path
	if u.RawQuery != "" {
		m.url += "?" + u.RawQuery
	}
	if !writable(m.url) { // [ER-15]
		return nil, fmt.Errorf("resource %q: its metadata URL cannot be written into a challenge; escape it", config.Resource)
	}
	m.doc = document{Resource: config.Resource, BearerMethods: []string{"header"}} // [MD-09]
	for _, i := range config.Issuers {
		m.doc.AuthorizationServers = append(m.doc.AuthorizationServers, i.URL) // [MC-02]
	}
	if config.DPoP != nil {
		m.doc.DPoPAlgorithms = strings.Fields(config.DPoP.Algorithms()) // [MD-09]
	}
	m.doc.CertificateBound = config.ClientCertHeader.Name != "" // [MD-09]
	return m, m.write()
}

// writable reports that s is a URI in the characters of RFC 6750 §3.
func writable(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c <= ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

// add publishes the scopes, detail types and bindings of a route that was prepared,
// unless it hides.
func (m *metadata) add(c *compiled) {
	if m.url == "" || c.policy.public || c.policy.Hide { // [ER-22]
		return
	}
	var types []string
	for _, d := range c.policy.Details {
		types = append(types, d.Type)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.routes++; c.binding == DPoP {
		m.byKey++
	}
	m.doc.DPoPRequired = m.byKey == m.routes // [MD-09 DP-18]
	if c.binding == MTLS {
		m.doc.CertificateBound = true // [MT-06]
	}
	insert(&m.doc.ScopesSupported, suggestible(slices.Concat(c.policy.AllScopes, c.policy.AnyScope)))
	insert(&m.doc.DetailTypes, types) // [MD-09]
	_ = m.write()                     // strings only: cannot fail where newMetadata did not
}

// insert adds what is new and keeps the list sorted.
func insert(list *[]string, values []string) {
	for _, v := range values {
		if at, found := slices.BinarySearch(*list, v); !found {
			*list = slices.Insert(*list, at, v)
		}
	}
}

func (m *metadata) write() error {
	var b bytes.Buffer
	if err := json.MarshalWrite(&b, m.doc); err != nil {
		return fmt.Errorf("metadata: %w", err)
	}
	m.body = append(b.Bytes(), '\n')
	return nil
}

// MetadataPaths returns where the document is served: the path that RFC 9728
// §3.1 derives from the resource, and the root form that some clients ask for.
// It is empty without a document.
func (g *Guard) MetadataPaths() []string {
	if !g.made() {
		return nil
	}
	return slices.Clone(g.metadata.paths)
}

// Metadata answers a request for the protected resource metadata (RFC 9728
// §3.2). It needs no credentials and reads nothing but method and path.
func (g *Guard) Metadata(r Request) (status int, header http.Header, body []byte) {
	m := &metadata{}
	if g.made() {
		m = g.metadata
	}
	header = http.Header{"Access-Control-Allow-Origin": {"*"}} // [MD-05]
	switch {
	case !slices.Contains(m.paths, r.RawPath): // [MD-03]
		return http.StatusNotFound, header, nil
	case r.Method != http.MethodGet && r.Method != http.MethodHead: // [MD-04]
		header.Set("Allow", "GET, HEAD")
		return http.StatusMethodNotAllowed, header, nil
	}
	header.Set("Content-Type", "application/json")
	header.Set("Cache-Control", "max-age=3600") // [MD-05]
	m.mu.RLock()
	defer m.mu.RUnlock()
	return http.StatusOK, header, m.body
}
