package validate

import (
	"strings"

	"github.com/bearward/bearward/internal/jose"
	"github.com/bearward/bearward/internal/recent"
)

const (
	rememberedHeaders = 4096
	maxRemembered     = 512 // bytes of an encoded header
)

// headers holds what the headers of good tokens say, by their encoded form, which
// an issuer's tokens have in common. It saves reading them, and nothing else:
// what they say is judged by every rule each time. Clients cannot put anything
// into it, for only headers under a good signature get in.
var headers = recent.New[string, jose.Header](rememberedHeaders)

// recallHeader reads the header as it was read before.
func (s *state) recallHeader() (ok bool) {
	s.header, ok = headers.Get(s.parts.Header)
	s.recalled = ok
	return ok
}

// rememberHeader is called once the signature is good.
func (s *state) rememberHeader() {
	if !s.recalled && len(s.parts.Header) <= maxRemembered {
		headers.Put(strings.Clone(s.parts.Header), s.header)
	}
}
