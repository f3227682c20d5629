package validate

import (
	"errors"
	"time"
)

// RevocationEntry names what is revoked: exactly one of a token, a user, a
// session or a client of one issuer.
type RevocationEntry struct {
	Issuer string // Token.Issuer: iss, or what it is another spelling of; of one tenant where the issuer is a template; always required

	ID       string // jti: this token
	Subject  string // sub: every token of this user issued before Before, or in the same second
	Session  string // sid: every token of this session
	ClientID string // client_id: every token of this client

	Before time.Time // with Subject: required. A token without iat counts as issued before
	Until  time.Time // kept at least so long; zero: as long as the list keeps everything
}

// Check returns what is missing or too much.
func (e RevocationEntry) Check() error {
	named := 0
	for _, s := range []string{e.ID, e.Subject, e.Session, e.ClientID} {
		if s != "" {
			named++
		}
	}
	switch {
	case e.Issuer == "":
		return errors.New("a revocation names the issuer")
	case named != 1:
		return errors.New("a revocation names exactly one of token (jti), user (sub), session (sid) or client (client_id)")
	case (e.Subject != "") == e.Before.IsZero():
		return errors.New("a revocation of a user, and only that, says before which instant the tokens were issued")
	}
	return nil
}
