package dpop

import (
	"crypto"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/bearward/bearward/internal/jose"
	"github.com/bearward/bearward/internal/strictjson"
	"github.com/bearward/bearward/validate"
)

const (
	maxProof      = 8 << 10   // bytes of a proof
	maxID         = 256       // bytes of jti
	maxRemembered = 1 << 10   // bytes of an encoded header that is remembered
	maxDrift      = time.Hour // of iat where a nonce tells the time
)

// clientKey is what the header of a proof says, checked.
type clientKey struct {
	algorithm  string
	public     crypto.PublicKey
	thumbprint [32]byte
}

// state is one proof on its way through the rules.
type state struct {
	verifier *Verifier
	in       Presented

	raw    string
	parts  jose.Opened
	header jose.ProofHeader
	key    *clientKey
	known  bool // key was remembered: its header was judged before
	whole  bool // nothing remembered is used
	claims claims

	nonce  NonceState
	issued time.Time // of a valid nonce
	limit  time.Time // see held

	decoded   [usualHeader]byte  // header refers to it: nothing of it outlives the state
	payload   [usualPayload]byte // as claims to this
	signature [usualSignature]byte
}

// What a proof needs of memory for its header, its claims and its signature,
// unless it is unusual.
const (
	usualHeader    = 512
	usualPayload   = 768
	usualSignature = 256 // RSA of 2048 bits
)

var states = sync.Pool{New: func() any { return new(state) }}

func (v *Verifier) begin(in Presented) *state {
	s := states.Get().(*state)
	s.verifier, s.in = v, in
	return s
}

// end forgets everything about the proof.
func (s *state) end() {
	*s = state{}
	states.Put(s)
}

type claims struct {
	id, method, target, token, nonce string
	hasNonce                         bool
	issued                           time.Time
}

// checkValue wants exactly one proof. A comma joins two fields into one.
func checkValue(s *state) error {
	switch values := s.in.Values; {
	case len(values) == 0: // [DP-01 DP-02]
		return refuse(validate.ErrProofMissing)
	case len(values) > 1: // [DP-02]
		return refuse(validate.ErrProofRepeated)
	}
	s.raw = s.in.Values[0]
	if len(s.raw) > maxProof { // [DP-28]
		return refuse(validate.ErrProofMalformed)
	}
	if strings.IndexByte(s.raw, ',') >= 0 { // [DP-02]
		return refuse(validate.ErrProofRepeated)
	}
	return nil
}

// checkForm reads the proof. What a client's earlier proofs said in the very
// same header needs no second reading.
func checkForm(s *state) (err error) {
	if s.parts, err = jose.Open(s.raw, s.payload[:], s.signature[:]); err != nil { // [DP-02]
		return refuseFor(validate.ErrProofMalformed, err)
	}
	if !s.whole {
		s.key, s.known = s.verifier.keys.Get(s.parts.Header)
	}
	if !s.known {
		if s.header, err = jose.ParseProofHeader(s.parts.Header, s.decoded[:]); err != nil { // [DP-03 DP-08]
			return refuseFor(validate.ErrProofMalformed, err)
		}
		if s.header.Critical { // [DP-08 JO-20]
			return refuseClaim(validate.ErrProofMalformed, "crit")
		}
	}
	for _, err := range [...]error{s.parts.PayloadErr, s.parts.SignatureErr} {
		if errors.Is(err, jose.ErrEncoding) {
			return refuseFor(validate.ErrProofMalformed, err)
		}
	}
	return s.readClaims(s.parts.Payload)
}

// readClaims makes one strict pass. Unknown claims are ignored.
func (s *state) readClaims(payload string) error {
	r := strictjson.Open(payload)
	c := &s.claims
	dated := false
	for name, ok := r.Next(); ok; name, ok = r.Next() {
		switch name {
		case "jti":
			c.id = r.Text()
		case "htm":
			c.method = r.Text()
		case "htu":
			c.target = r.Text()
		case "iat":
			c.issued, dated = r.Date(), true
		case "ath":
			c.token = r.Text()
		case "nonce":
			c.nonce, c.hasNonce = r.Text(), true
		} // [DP-28]
	}
	if err := r.Err(); err != nil { // [DP-03 DP-08]
		return refuseFor(validate.ErrProofMalformed, err)
	}
	for _, claim := range [...]struct {
		name   string
		absent bool
	}{{"jti", c.id == ""}, {"htm", c.method == ""}, {"htu", c.target == ""}, {"iat", !dated}, {"ath", c.token == ""}} {
		if claim.absent { // [DP-03]
			return refuseClaim(validate.ErrProofClaimMissing, claim.name)
		}
	}
	if len(c.id) > maxID { // [DP-20]
		return refuseClaim(validate.ErrProofMalformed, "jti")
	}
	return nil
}

func checkType(s *state) error {
	if !s.known && s.header.Type != "dpop+jwt" { // [DP-04]
		return refuseClaim(validate.ErrProofTypeRefused, "typ")
	}
	return nil
}

func checkAlgorithm(s *state) error {
	if !s.known && !slices.Contains(s.verifier.config.Algorithms, jose.Canonical(s.header.Algorithm)) { // [DP-05]
		return refuseClaim(validate.ErrProofAlgorithmRefused, "alg")
	}
	return nil
}

var errNoJWK = errors.New("jwk is missing or no object")

// checkJWK reads the public key, the only one that the proof is verified with.
func checkJWK(s *state) error {
	if s.known {
		return nil
	}
	if s.header.JWK == "" { // [DP-03]
		return refuseFor(validate.ErrProofKeyRefused, errNoJWK)
	}
	jwk, err := jose.ParseKey(s.header.JWK)
	if err != nil { // [DP-07 DP-08]
		return refuseFor(validate.ErrProofKeyRefused, err)
	}
	alg := jose.Canonical(s.header.Algorithm)
	if jwk.Algorithm != "" && jwk.Algorithm != alg { // [DP-08]
		return refuseFor(validate.ErrProofKeyRefused, jose.ErrKeyAlgorithm)
	}
	if err := jose.Fits(alg, jwk.Public); err != nil { // [DP-08]
		return refuseFor(validate.ErrProofKeyRefused, err)
	}
	s.key = &clientKey{strings.Clone(alg), jwk.Public, jwk.Thumbprint} // it outlives the proof
	return nil
}

func checkSignature(s *state) error {
	if jose.Verify(s.key.algorithm, s.key.public, jose.View(s.parts.Input), s.parts.Signature) != nil { // [DP-06]
		return refuse(validate.ErrProofSignatureInvalid)
	}
	return nil
}

func checkMethod(s *state) error {
	if s.claims.method != s.in.Method { // [DP-09]
		return refuseClaim(validate.ErrProofMethodMismatch, "htm")
	}
	return nil
}

func checkTarget(s *state) error {
	if s.in.Target == "" || !sameTarget(s.claims.target, s.in.Target) { // [DP-10]
		return refuseClaim(validate.ErrProofTargetMismatch, "htu")
	}
	return nil
}

// checkToken compares ath with the digest of the token as it was received.
func checkToken(s *state) error {
	var want [43]byte
	jose.AppendEncode(want[:0], s.in.Token[:])
	if subtle.ConstantTimeCompare(want[:], []byte(s.claims.token)) != 1 { // [DP-14]
		return refuseClaim(validate.ErrProofTokenMismatch, "ath")
	}
	return nil
}

// checkNonce looks at a nonce also where none is demanded: a nested guard may
// demand one, and the proof lives as long as its nonce does.
func checkNonce(s *state) error {
	s.nonce = NonceAbsent
	if s.claims.hasNonce {
		s.nonce = NonceBad
		if issued, ok := s.verifier.nonces.check(s.claims.nonce, s.in.Now); ok {
			s.nonce, s.issued = NonceValid, issued
		}
	}
	return (&Proof{Nonce: s.nonce}).Demand(s.in.Nonce)
}

// checkTime holds iat to the window, or, where a valid nonce tells when the
// proof was made, to the same hour (RFC 9449 §11.1).
func checkTime(s *state) error {
	oldest, newest := s.window()
	code := validate.ErrProofExpired
	switch issued := s.claims.issued; {
	case issued.Before(oldest): // [DP-13]
	case issued.After(newest): // [DP-13]
		code = validate.ErrProofInFuture
	default:
		return checkHeld(s)
	}
	if s.in.Nonce == NonceAdaptive && s.nonce == NonceAbsent { // [DP-23 DP-30]
		return refuse(validate.ErrNonceMissing)
	}
	return refuseClaim(code, "iat")
}

func (s *state) window() (oldest, newest time.Time) {
	now := s.in.Now
	if s.in.Nonce != NonceOff && s.nonce == NonceValid { // [DP-27]
		return now.Add(-maxDrift), now.Add(maxDrift)
	}
	return now.Add(-s.verifier.config.Window), now.Add(s.verifier.config.Future)
}

func checkKey(s *state) error {
	if subtle.ConstantTimeCompare(s.key.thumbprint[:], s.in.Key[:]) != 1 { // [DP-15]
		return refuseClaim(validate.ErrProofKeyMismatch, "cnf")
	}
	return nil
}

// remember keeps the key of a proof that was right in all, so that only holders
// of bound tokens fill the memory.
func (s *state) remember() {
	if !s.known && len(s.parts.Header) <= maxRemembered {
		s.verifier.keys.Put(strings.Clone(s.parts.Header), s.key)
	}
}

// proof is what the store needs to know: for how long the proof could be accepted,
// and since when it could have been used. A nonce that is valid here decides both
// on routes that look at nonces; elsewhere iat does.
//
// A store that several share, processes or the configurations before and after a
// reload, is told the most that any of theirs could accept: they change one after
// the other, and nonces that are foreign here may be good there. Future has to be
// the same in all processes.
func (s *state) proof() Proof {
	c, issued := &s.verifier.config, s.claims.issued
	p := Proof{Nonce: s.nonce, client: s.key.thumbprint, until: issued.Add(c.Window), earliest: issued.Add(-c.Future), end: s.limit}
	lasting := s.verifier.lasting()
	if lasting {
		p.until = issued.Add(maxWindow)
	}
	switch {
	case s.nonce == NonceValid:
		end := s.issued.Add(nonceLife)
		if s.in.Nonce != NonceOff && !lasting || end.After(p.until) { // [DP-21]
			p.until = end
		}
		p.earliest = s.issued.Add(-nonceFuture)        // another instance's clock may have issued it
		p.Renew = s.in.Now.Sub(s.issued) > nonceLife/2 // [DP-26]
	case s.nonce == NonceBad && lasting:
		if end := s.in.Now.Add(nonceLife + nonceFuture); end.After(p.until) { // [DP-21]
			p.until = end
		}
		p.earliest = issued.Add(-maxDrift)
	}
	p.id = identify(s.key.thumbprint[:], s.claims.id, s.claims.method, s.in.Target)
	return p
}

// identify is the digest over what makes a proof another one: key, jti, method
// and target, each with its length.
func identify(client []byte, id, method, target string) [32]byte {
	var usual [512]byte
	b := append(usual[:0], client...) // of fixed length
	for _, part := range [...]string{id, method, target} {
		b = binary.BigEndian.AppendUint64(b, uint64(len(part)))
		b = append(b, part...)
	}
	return sha256.Sum256(b)
}
