package jose

import (
	"crypto"
	"errors"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bearward/bearward/internal/strictjson"
)

// Why a JWK is not used. Every error of ParseKey is one of these, or one of
// package strictjson, or wraps one.
var (
	// ErrPrivateKey says that a JWK carries private or symmetric material.
	ErrPrivateKey = errors.New("private or symmetric key material")
	// ErrKeyUse says that use or key_ops keep the key from verifying.
	ErrKeyUse = errors.New("key is not for verifying signatures")
	// ErrKeyType says that kty or crv is not supported.
	ErrKeyType = errors.New("unsupported key type or curve")
	// ErrKeyMember says that a member is missing or malformed.
	ErrKeyMember = errors.New("missing or malformed member")
	// ErrKeyStrength says that an RSA key is too small, too large or odd.
	ErrKeyStrength = errors.New("unacceptable RSA key")
	// ErrOffCurve says that an EC point is not on its curve.
	ErrOffCurve = errors.New("point is not on the curve")
	// ErrKeyAlgorithm says that alg is not supported or does not fit the key.
	ErrKeyAlgorithm = errors.New("alg is unsupported or does not fit the key")
	// ErrCertificate says that x5c does not hold the same key.
	ErrCertificate = errors.New("x5c does not hold the same key")
)

// JWK is a public key that can verify signatures.
type JWK struct {
	ID         string // kid, "" if absent
	Algorithm  string // alg in its canonical form, "" if absent
	Public     crypto.PublicKey
	Thumbprint [32]byte // RFC 7638
	Issuer     string   // issuer, a member of vendors who share one set among tenants; "" if absent
}

// members is what is read of a JWK; everything else is ignored (RFC 7517 §4).
type members struct {
	kty, crv, x, y, n, e string
	kid, alg, use        string
	issuer               string
	ops, chain           []string
	hasUse, hasAlg       bool
	hasOps, hasChain     bool
	private              bool
}

// ParseKey reads one JWK, strictly: a repeated member, a member of a wrong
// type, private material, a value that is not canonical base64url or a key
// that no supported algorithm verifies with is refused. Unknown members are
// ignored.
func ParseKey(raw string) (JWK, error) {
	m, err := readMembers(raw)
	if m.private { // [JK-09]
		return JWK{}, ErrPrivateKey
	}
	if err != nil { // [JK-10 JK-08]
		return JWK{}, err
	}
	if err := m.purpose(); err != nil { // [JO-07]
		return JWK{}, err
	}
	if len(m.kid) > MaxKeyID { // [JO-23]
		return JWK{}, ErrKeyID
	}
	pub, err := m.public()
	if err != nil {
		return JWK{}, err
	}
	key := JWK{ID: m.kid, Public: pub, Issuer: m.issuer}
	if m.hasAlg {
		key.Algorithm = Canonical(m.alg)
		if err := Fits(key.Algorithm, pub); err != nil { // [JO-06]
			return JWK{}, fmt.Errorf("%w: %w", ErrKeyAlgorithm, err)
		}
	}
	if m.hasChain {
		if err := checkChain(m.chain, pub); err != nil { // [JK-19]
			return JWK{}, err
		}
	}
	key.Thumbprint = m.thumbprint()
	return key, nil
}

// readMembers walks over the members. It tells private material even where
// another member ends the walk early.
func readMembers(raw string) (m members, err error) {
	r := strictjson.Open(raw)
	for name, ok := r.Next(); ok; name, ok = r.Next() {
		m.read(name, &r)
	}
	if r.Err() != nil && !m.private {
		m.private = namesPrivate(raw)
	}
	return m, r.Err()
}

func (m *members) read(name string, r *strictjson.Reader) {
	if isPrivate(name) {
		m.private = true
	}
	switch name {
	case "kty":
		m.kty = r.Text()
	case "crv":
		m.crv = r.Text()
	case "x":
		m.x = r.Text()
	case "y":
		m.y = r.Text()
	case "n":
		m.n = r.Text()
	case "e":
		m.e = r.Text()
	case "kid":
		m.kid = r.Text()
	case "alg":
		m.alg, m.hasAlg = r.Text(), true
	case "issuer":
		m.issuer = r.Text() // [JK-22]
	case "use":
		m.use, m.hasUse = r.Text(), true
	case "key_ops":
		m.ops, m.hasOps = r.Texts(), true
	case "x5c":
		m.chain, m.hasChain = r.Texts(), true
	}
}

// isPrivate tells the members of private and symmetric keys: RFC 7518 §6.2.2,
// §6.3.2, §6.4, RFC 8037 §2, RFC 9964 §3.
func isPrivate(name string) bool {
	switch name {
	case "d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv": // [JK-09]
		return true
	}
	return false
}

// namesPrivate looks for private material in what ParseKey refuses: a set may
// hold a key with repeated members.
func namesPrivate(raw string) bool {
	dec := jsontext.NewDecoder(strings.NewReader(raw), jsontext.AllowDuplicateNames(true))
	if _, err := dec.ReadToken(); err != nil {
		return false
	}
	for dec.PeekKind() == '"' {
		name, err := dec.ReadToken()
		if err != nil {
			return false
		}
		if isPrivate(name.String()) {
			return true
		}
		if dec.SkipValue() != nil {
			return false
		}
	}
	return false
}
