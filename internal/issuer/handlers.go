package issuer

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/bearward/bearward/internal/forge"
)

const (
	jwksPath    = "/jwks"
	tokenPath   = "/token"
	movedPrefix = "/moved"
	maxPaths    = 256 // counted one by one
)

// route is what stands at a path.
type route struct {
	methods string // as in Allow
	answer  http.HandlerFunc
	part    part
}

const (
	reads  = "GET, HEAD"
	posts  = "POST"
	either = "GET, HEAD, POST" // a redirect may turn POST into GET
)

// table maps exact paths, so that nothing is cleaned or redirected. Documents
// that a redirect leads to stand beside the ones that can break.
func (s *Server) table() map[string]route {
	routes := map[string]route{}
	path := strings.TrimSuffix(s.config.Path, "/")
	for _, p := range []string{
		"/.well-known/oauth-authorization-server" + path,
		"/.well-known/openid-configuration" + path,
		path + "/.well-known/openid-configuration",
	} {
		routes[p] = route{reads, s.breakable(s.discovery), documents}
		routes[movedPrefix+p] = route{reads, s.discovery, documents}
	}
	routes[jwksPath] = route{reads, s.breakable(s.jwks), documents}
	routes[movedPrefix+jwksPath] = route{reads, s.jwks, documents}
	if s.config.TokenEndpoint {
		routes[tokenPath] = route{reads, s.token, documents}
	}
	if len(s.config.Clients) > 0 {
		routes[introspectionPath] = route{posts, s.form(s.introspect), live}
		routes[movedPrefix+introspectionPath] = route{either, s.introspectMoved, live}
		routes[revocationPath] = route{posts, s.form(s.revoke), live}
	}
	if s.config.TokenInfo {
		routes[tokenInfoPath] = route{posts, s.form(s.tokenInfo), live}
	}
	return routes
}

// ServeHTTP counts the request and answers it.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !s.begin(r.URL.Path) {
		hangUp(w)
		return
	}
	defer s.active.Done()
	// The virtual clock also dates the answers.
	w.Header().Set("Date", s.config.Now().UTC().Format(http.TimeFormat))
	route, ok := s.routes[r.URL.Path]
	switch {
	case !ok:
		http.Error(w, "not found", http.StatusNotFound)
	case !slices.Contains(strings.Split(route.methods, ", "), r.Method):
		w.Header().Set("Allow", route.methods)
		http.Error(w, route.methods+" only", http.StatusMethodNotAllowed)
	default:
		route.answer(w, r)
	}
}

func (s *Server) begin(path string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.active.Add(1)
	s.total++
	if _, known := s.counts[path]; known || len(s.counts) < maxPaths {
		s.counts[path]++
	}
	close(s.arrived)
	s.arrived = make(chan struct{})
	return true
}

// metadata is what RFC 8414 §2 and OpenID Connect Discovery §3 require, as far
// as a resource server and its clients read it.
type metadata struct {
	Issuer        string   `json:"issuer"`
	JWKSURI       string   `json:"jwks_uri"`
	TokenEndpoint string   `json:"token_endpoint,omitempty"`
	ResponseTypes []string `json:"response_types_supported"`
	SubjectTypes  []string `json:"subject_types_supported"`
	Algorithms    []string `json:"id_token_signing_alg_values_supported"`
	Proofs        []string `json:"dpop_signing_alg_values_supported"` // RFC 9449 §5.1
	Introspection string   `json:"introspection_endpoint,omitempty"`
	Revocation    string   `json:"revocation_endpoint,omitempty"`
	Padding       string   `json:"padding,omitempty"`
}

func (s *Server) discovery(w http.ResponseWriter, _ *http.Request) {
	origin := strings.TrimSuffix(s.url, s.config.Path)
	doc := metadata{
		Issuer:        s.url,
		JWKSURI:       origin + jwksPath,
		ResponseTypes: []string{"code"},
		SubjectTypes:  []string{"public"},
		Algorithms:    s.config.Algorithms,
		Proofs:        forge.Algorithms(),
	}
	if s.config.TokenEndpoint {
		doc.TokenEndpoint = origin + tokenPath
	}
	if len(s.config.Clients) > 0 {
		doc.Introspection, doc.Revocation = origin+introspectionPath, origin+revocationPath
	}
	switch s.broken(documents) {
	case WrongIssuer:
		doc.Issuer += "/other"
	case Huge:
		doc.Padding = strings.Repeat("x", hugeSize)
	}
	s.document(w, doc)
}

type keySet struct {
	Keys    []JWK  `json:"keys"`
	Padding string `json:"padding,omitempty"`
}

func (s *Server) jwks(w http.ResponseWriter, _ *http.Request) {
	set := keySet{Keys: s.JWKS()}
	switch s.broken(documents) {
	case EmptySet:
		set.Keys = []JWK{}
	case Huge:
		set.Padding = strings.Repeat("x", hugeSize)
	}
	s.document(w, set)
}

func (s *Server) document(w http.ResponseWriter, doc any) {
	body, err := json.Marshal(doc)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", s.config.CacheControl)
	_, _ = w.Write(body)
}

// token answers GET /token?kind=NAME&scope=a+b&sub=S&aud=A with the bare token.
// kind is the name of one of Variants or OpaqueVariants, "valid" if absent; aud
// can be repeated. client_id and roles are claims, too, the latter with names
// that are separated by spaces. jkt and x5t bind the token to a key and to a
// certificate: they are the thumbprints of RFC 9449 §6.1 and RFC 8705 §3.1.
func (s *Server) token(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	token, err := s.mintFor(r.URL.RawQuery)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte(token))
}

// parameters are those of the token endpoint.
var parameters = []string{"kind", "scope", "sub", "aud", "client_id", "roles", "jkt", "x5t"}

func (s *Server) mintFor(query string) (string, error) {
	q, err := url.ParseQuery(query)
	if err != nil {
		return "", err
	}
	for name, values := range q {
		if !slices.Contains(parameters, name) {
			return "", fmt.Errorf("unknown parameter %q, there are: %s", name, strings.Join(parameters, " "))
		}
		if len(values) > 1 && name != "aud" {
			return "", fmt.Errorf("parameter %q is repeated", name)
		}
	}
	claims := s.Claims(q.Get("sub"), q["aud"]...)
	for _, name := range []string{"scope", "client_id"} {
		if value := q.Get(name); value != "" {
			claims[name] = value
		}
	}
	if roles := strings.Fields(q.Get("roles")); len(roles) > 0 {
		claims["roles"] = roles
	}
	if cnf := Confirmation(q.Get("jkt"), q.Get("x5t")); len(cnf) > 0 {
		claims["cnf"] = cnf
	}
	if mint, ok := opaqueKinds[q.Get("kind")]; ok {
		return mint(s, claims, q.Encode())
	}
	return s.Mint(q.Get("kind"), claims)
}
