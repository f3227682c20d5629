package issuer

// opaqueVariants are the kinds of opaque tokens that the token endpoint hands
// out beside JWTs.
var opaqueVariants = []Variant{
	{Name: "opaque", What: "says nothing by itself: the issuer is asked about it"},
	{Name: "opaque-kept", What: "the same opaque token each time, while it is active"},
	{Name: "opaque-revoked", What: "an opaque token that the issuer has revoked", Code: "token_inactive"},
}

// OpaqueVariants returns every kind of opaque token.
func OpaqueVariants() []Variant { return append([]Variant(nil), opaqueVariants...) }

// opaqueKinds makes them; query is what was asked for.
var opaqueKinds = map[string]func(s *Server, claims members, query string) (string, error){
	"opaque":      func(s *Server, claims members, _ string) (string, error) { return s.Opaque(claims) },
	"opaque-kept": (*Server).keptOpaque,
	"opaque-revoked": func(s *Server, claims members, _ string) (string, error) {
		token, err := s.Opaque(claims)
		if err != nil {
			return "", err
		}
		return token, s.Revoke(token)
	},
}

func (s *Server) keptOpaque(claims members, query string) (string, error) {
	s.mu.Lock()
	token := s.book.kept[query]
	s.mu.Unlock()
	if token != "" && s.lookup(token) != nil {
		return token, nil
	}
	token, err := s.Opaque(claims)
	if err != nil {
		return "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.book.kept[query] = token
	return token, nil
}
