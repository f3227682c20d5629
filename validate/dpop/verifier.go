package dpop

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"time"

	"github.com/bearward/bearward/internal/recent"
	"github.com/bearward/bearward/validate"
)

// rememberedKeys is how many clients' keys are kept, so that their proofs need
// no parsing of it.
const rememberedKeys = 10_000

// Verifier judges proofs by one Config. It is safe for concurrent use.
type Verifier struct {
	config Config
	algs   string
	nonces *nonces
	replay ReplayStore
	shared bool                            // replay is used by other processes too
	keys   *recent.Map[string, *clientKey] // by the encoded header of a proof that was right

	lineage *lineage
	pasts   []past // whose used proofs are in replay
	closed  atomic.Bool
}

// New checks the configuration, reports all faults at once, and makes no call.
func New(c Config) (*Verifier, error) {
	c.Algorithms = slices.Clone(c.Algorithms)
	err := c.prepare()
	if err != nil {
		return nil, err
	}
	v := &Verifier{config: c, algs: offered(c.Algorithms), replay: c.Replay, keys: recent.New[string, *clientKey](rememberedKeys)}
	if v.nonces, err = newNonces(&v.config); err != nil {
		return nil, err
	}
	if v.replay == nil {
		if v.replay, err = NewMemory(MemoryConfig{Clock: c.Clock, Logger: c.Logger}); err != nil {
			return nil, err
		}
	}
	v.config.Replay = v.replay
	_, v.shared = v.replay.(Forgetful)
	v.lineage = &lineage{}
	v.lineage.open.Store(1)
	return v, nil
}

// Algorithms returns the accepted algorithms as challenges name them,
// space-delimited.
func (v *Verifier) Algorithms() string { return v.algs }

// Mode returns what every route demands of nonces at least.
func (v *Verifier) Mode() Nonce { return v.config.Nonce }

// RefusesStray reports that a proof beside an unbound bearer token is refused.
func (v *Verifier) RefusesStray() bool { return v.config.RefuseStray }

// Replay returns the store of used proofs, for its health.
func (v *Verifier) Replay() ReplayStore { return v.replay }

// FreshNonce returns the nonce to hand out now.
func (v *Verifier) FreshNonce() string { return v.nonces.issue(v.config.Clock()) }

// Presented is a proof as it came with a request, and what it has to prove.
type Presented struct {
	Values []string // of the header DPoP, all of them
	Method string   // of the request
	Target string   // URI of the request, by NormalizeTarget; "" fits no proof
	Token  [32]byte // SHA-256 of the access token as received
	Key    [32]byte // the thumbprint that the token is bound to, cnf.jkt
	Nonce  Nonce    // what the route demands
	Now    time.Time
}

// NonceState is what a proof says by its nonce.
type NonceState uint8

// The states.
const (
	NonceAbsent NonceState = iota
	NonceValid
	NonceBad // foreign, stale or malformed
)

// Proof is a proof that is right, and that nobody has looked up yet among the
// used ones.
type Proof struct {
	Nonce NonceState
	Renew bool // the nonce is half used up: time for a fresh one

	client, id [32]byte
	earliest   time.Time // before that it cannot have been used
	until      time.Time // the last instant at which it could be accepted
	end        time.Time // the last at which an earlier use would be known for sure; zero: at any
}

// Demand judges a proof by the nonce that a route demands, nested guards
// included. The time of proofs without one is the time window's matter.
func (p *Proof) Demand(mode Nonce) error {
	switch {
	case mode == NonceOff:
		return nil
	case p.Nonce == NonceBad: // [DP-24 DP-25]
		return refuse(validate.ErrNonceInvalid)
	case mode == NonceRequired && p.Nonce == NonceAbsent: // [DP-25]
		return refuse(validate.ErrNonceMissing)
	}
	return nil
}

// Verify runs every check of RFC 9449 §4.3 and that the token is bound to the
// proof's key, until one refuses. The error is a *validate.Error.
func (v *Verifier) Verify(in Presented) (Proof, error) {
	s := v.begin(in)
	defer s.end()
	for i := range rules {
		if err := rules[i].check(s); err != nil {
			return Proof{}, err
		}
	}
	s.remember()
	return s.proof(), nil
}

var errForgotten = errors.New("the store lost what it held since the proof was made")

// Spend puts the proof among the used ones. The error is a *validate.Error:
// ErrProofReplayed if it was there already, ErrProofExpired if it got too old
// meanwhile, else one that is answered 503.
func (v *Verifier) Spend(ctx context.Context, p *Proof) error {
	first, err := v.replay.First(ctx, p.client, p.id, p.until)
	if err != nil { // [DP-22]
		var coded *validate.Error
		if errors.As(err, &coded) && coded != nil {
			return err
		}
		return &validate.Error{Code: validate.ErrReplayUnavailable, Err: err}
	}
	if !first { // [DP-20 DP-21]
		return refuse(validate.ErrProofReplayed)
	}
	now := v.config.Clock()
	if now.After(p.until) || !p.end.IsZero() && now.After(p.end) { // whoever used it before may be forgotten by now [DP-21]
		return refuseClaim(validate.ErrProofExpired, "iat")
	}
	if f, ok := v.replay.(Forgetful); ok && p.earliest.Before(f.Since()) { // [DP-22]
		return &validate.Error{Code: validate.ErrReplayUnavailable, Err: errForgotten}
	}
	return nil
}

func refuse(code validate.Code) error { return &validate.Error{Code: code} }

func refuseFor(code validate.Code, err error) error { return &validate.Error{Code: code, Err: err} }

func refuseClaim(code validate.Code, claim string) error {
	return &validate.Error{Code: code, Claim: claim}
}
