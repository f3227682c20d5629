package issuer

import (
	"errors"
	"mime"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/bearward/bearward/internal/forge"
)

const (
	introspectionPath = "/introspect"
	revocationPath    = "/revoke"
	tokenInfoPath     = "/tokeninfo"

	jsonType   = "application/json"
	signedType = "application/token-introspection+jwt"
	jwtType    = "application/jwt"
	formType   = "application/x-www-form-urlencoded"
	maxForm    = 64 << 10
)

// IntrospectionEndpoint is the URL of the endpoint, "" without Clients.
func (s *Server) IntrospectionEndpoint() string {
	if len(s.config.Clients) == 0 {
		return ""
	}
	return strings.TrimSuffix(s.url, s.config.Path) + introspectionPath
}

// form reads the form, so that a connection that ends is noticed, and answers
// with the current fault or with next.
func (s *Server) form(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		err := r.ParseForm()
		fault := liveFaults[s.broken(live)]
		kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
		switch {
		case fault.replace != nil:
			fault.replace(s, w, r)
		case err != nil || kind != formType || repeats(r):
			refuse(w, http.StatusBadRequest, "invalid_request")
		default:
			next(w, r)
		}
	}
}

func repeats(r *http.Request) bool {
	for _, values := range r.PostForm {
		if len(values) > 1 {
			return true
		}
	}
	return false
}

// refuse is RFC 6749 §5.2.
func refuse(w http.ResponseWriter, status int, code string) {
	fixed(w, status, jsonType, `{"error":"`+code+`"}`)
}

// admit authenticates the client and notes its call, or answers.
func (s *Server) admit(w http.ResponseWriter, r *http.Request) (Call, bool) {
	call, err := s.authenticate(r)
	switch {
	case errors.Is(err, errSeveral):
		refuse(w, http.StatusBadRequest, "invalid_request")
	case err != nil:
		challenge := `Basic realm="issuer"`
		if strings.HasPrefix(strings.ToLower(r.Header.Get("Authorization")), "bearer ") {
			challenge = `Bearer error="invalid_token"`
		}
		w.Header().Set("WWW-Authenticate", challenge)
		refuse(w, http.StatusUnauthorized, "invalid_client")
	case r.PostForm.Get("token") == "":
		refuse(w, http.StatusBadRequest, "invalid_request")
	default:
		call.Hint, call.Accept = r.PostForm.Get("token_type_hint"), r.Header.Get("Accept")
		s.mu.Lock()
		defer s.mu.Unlock()
		s.book.last = call
		return call, true
	}
	return Call{}, false
}

// introspect is RFC 7662 §2.
func (s *Server) introspect(w http.ResponseWriter, r *http.Request) {
	call, ok := s.admit(w, r)
	if !ok {
		return
	}
	claims := s.lookup(r.PostForm.Get("token"))
	switch signed := s.signing(); {
	case accepts(r, signedType) && signed.Name != plainAnswer:
		s.answerSigned(w, &signed, call.ClientID, about(claims))
	case accepts(r, jwtType) && s.config.Phantom:
		s.answerPhantom(w, claims)
	default:
		s.answer(w, about(claims))
	}
}

// introspectMoved is where Redirect leads. It answers everybody that each
// token is active: nobody must ask it.
func (s *Server) introspectMoved(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	_ = r.ParseForm()
	if r.Header.Get("Authorization") != "" || len(r.PostForm) > 0 {
		s.mu.Lock()
		s.book.leaks++
		s.mu.Unlock()
	}
	s.answer(w, about(s.Claims("")))
}

// Leaks returns how many requests brought credentials or a token to where
// Redirect leads.
func (s *Server) Leaks() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.book.leaks
}

func accepts(r *http.Request, kind string) bool {
	for _, header := range r.Header.Values("Accept") {
		for entry := range strings.SplitSeq(header, ",") {
			if name, _, err := mime.ParseMediaType(entry); err == nil && name == kind {
				return true
			}
		}
	}
	return false
}

// about is the answer about a token (RFC 7662 §2.2) with these claims, nil for
// one that is not active.
func about(claims members) members {
	if claims == nil {
		return members{"active": false}
	}
	for name, value := range (members{"active": true, "token_type": tokenType(claims)}) {
		if _, set := claims[name]; !set {
			claims[name] = value
		}
	}
	return claims
}

// tokenType is RFC 9449 §6.2.
func tokenType(claims members) string {
	if cnf, ok := claims["cnf"].(members); ok && cnf["jkt"] != nil {
		return "DPoP"
	}
	return "Bearer"
}

// answer writes a document, changed by the current fault.
func (s *Server) answer(w http.ResponseWriter, doc members) {
	fault := liveFaults[s.broken(live)]
	forge.Merge(doc, fault.members, s.config.Now())
	body, err := json.Marshal(doc, json.Deterministic(true))
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	if fault.body != nil {
		body = fault.body(body)
	}
	s.write(w, jsonType, body)
}

func (s *Server) write(w http.ResponseWriter, kind string, body []byte) {
	w.Header().Set("Content-Type", kind)
	for name, value := range liveFaults[s.broken(live)].header {
		w.Header().Set(name, value)
	}
	_, _ = w.Write(body)
}

// answerPhantom answers with the claims as an access token that the caller can
// verify itself, or with nothing.
func (s *Server) answerPhantom(w http.ResponseWriter, claims members) {
	if claims == nil {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	delete(claims, "active")
	token, err := s.Sign(nil, claims)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	s.write(w, jwtType, []byte(token))
}

// revoke is RFC 7009 §2: a token that is not active is no error.
func (s *Server) revoke(w http.ResponseWriter, r *http.Request) {
	if _, ok := s.admit(w, r); !ok {
		return
	}
	token := r.PostForm.Get("token")
	if s.lookup(token) != nil && s.Revoke(token) != nil {
		refuse(w, http.StatusServiceUnavailable, "temporarily_unavailable")
	}
}
