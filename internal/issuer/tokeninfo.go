package issuer

import (
	"net/http"
	"strconv"
)

// tokenInfo answers POST access_token=… in Google's manner: no client
// authentication, numbers and booleans as text, an error for a token that is
// not active. aud and azp are the claim client_id, unless there is a claim
// azp: then they are those claims.
func (s *Server) tokenInfo(w http.ResponseWriter, r *http.Request) {
	claims := s.lookup(r.PostForm.Get("access_token"))
	if claims == nil {
		refuse(w, http.StatusBadRequest, "invalid_token")
		return
	}
	if _, own := claims["azp"]; !own {
		claims["aud"], claims["azp"] = claims["client_id"], claims["client_id"]
	}
	doc := members{}
	for _, name := range []string{"aud", "azp", "sub", "scope", "exp", "email", "email_verified"} {
		if value, ok := claims[name]; ok {
			doc[name] = asText(value)
		}
	}
	if exp, ok := number(claims["exp"]); ok {
		doc["expires_in"] = asText(exp - float64(s.config.Now().Unix()))
	}
	s.answer(w, doc)
}

func asText(v any) any {
	if b, ok := v.(bool); ok {
		return strconv.FormatBool(b)
	}
	if n, ok := number(v); ok {
		return strconv.FormatFloat(n, 'f', -1, 64)
	}
	return v
}
