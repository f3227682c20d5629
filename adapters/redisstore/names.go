package redisstore

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"

	"github.com/bearward/bearward/internal/facts"
	"github.com/bearward/bearward/validate"
)

// kind is what an entry is about. It keeps a jti from being a sid.
type kind string

const (
	byToken   kind = "jti"
	bySession kind = "sid"
	byClient  kind = "client_id"
	bySubject kind = "sub"
)

// subject is what is or was revoked: one of an issuer's tokens, sessions,
// clients or users.
type subject struct {
	kind  kind
	value string
}

// about returns everything by which the token could have been revoked.
func about(f *facts.Facts) []subject {
	all := [...]subject{
		{byToken, f.ID()},        // [RV-03]
		{bySession, f.Session()}, // [RV-03]
		{byClient, f.ClientID()}, // [RV-03]
		{bySubject, f.Subject()}, // [RV-03]
	}
	known := make([]subject, 0, len(all))
	for _, s := range all {
		if s.value != "" {
			known = append(known, s)
		}
	}
	return known
}

// named returns what the entry, which was checked, is about.
func named(e validate.RevocationEntry) subject {
	switch {
	case e.ID != "":
		return subject{byToken, e.ID}
	case e.Session != "":
		return subject{bySession, e.Session}
	case e.ClientID != "":
		return subject{byClient, e.ClientID}
	}
	return subject{bySubject, e.Subject}
}

// key is where the entry is: one hash slot per issuer, and no name of anything.
func (s subject) key(prefix, issuer string) string {
	return prefix + "r:{" + digest(issuer) + "}:" + string(s.kind) + ":" + digest(string(s.kind), issuer, s.value)
}

// digest hashes the parts, each with its length, so that no two lists of parts
// are one.
func digest(parts ...string) string {
	h := sha256.New()
	for _, part := range parts {
		_, _ = h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(part))))
		_, _ = h.Write([]byte(part))
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}
