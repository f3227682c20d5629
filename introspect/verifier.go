package introspect

import (
	"context"
	"sync"
	"time"

	"github.com/bearward/bearward/internal/same"
	"github.com/bearward/bearward/internal/tally"
	"github.com/bearward/bearward/validate"
)

// Verifier judges the tokens of one issuer by asking it. It is a
// validate.Verifier, safe for concurrent use. It has no goroutine of its own
// but those of calls, each bounded, and of its cache.
type Verifier struct {
	config Config
	issuer string
	clock  func() time.Time
	leeway time.Duration

	opaque, jwt side
	asker       asker
	live        *lane
	gate        *gate
	shared      *shared // nil: none

	hits, misses tally.Counter // of live

	ctx    context.Context // of all calls; ends with Close
	cancel context.CancelFunc
	flying sync.WaitGroup

	mu      sync.Mutex // never held over I/O; guards what follows
	closed  bool
	refused refusals
	flights map[flightKey]*flight
}

// New checks cfg, all of it at once, and makes no call.
func New(cfg Config) (*Verifier, error) {
	cfg, err := cfg.prepare()
	if err != nil {
		return nil, err
	}
	answers, err := validate.NewAnswers(cfg.Token)
	if err != nil {
		return nil, err
	}
	client, err := newClient(cfg, answers)
	if err != nil {
		return nil, err
	}
	v, err := newVerifier(cfg, answers, client)
	if err != nil {
		client.close()
	}
	return v, err
}

// newVerifier takes a prepared configuration.
func newVerifier(cfg Config, answers *validate.Answers, client asker) (*Verifier, error) {
	trusting := cfg.Token
	trusting.TrustServer = true // the JWT's own aud was checked
	confirming, err := validate.NewAnswers(trusting)
	if err != nil {
		return nil, err
	}
	second, err := newShared(cfg, answers.Leeway())
	if err != nil {
		return nil, err
	}
	live, err := newLane(cfg.Cache.Entries)
	if err != nil {
		return nil, err
	}
	keys := func(use string) *keyer {
		return newKeyer(processSecret(), use, cfg.Token.Issuer, cfg.caller(), cfg.Endpoint) // [IN-14]
	}
	v := &Verifier{
		config: cfg, issuer: cfg.Token.Issuer, clock: cfg.Token.Clock, leeway: answers.Leeway(),
		opaque: side{answers, keys("opaque")}, jwt: side{confirming, keys("jwt")},
		asker: client, live: live, gate: newGate(cfg.Limits), shared: second,
		refused: newRefusals(), flights: make(map[flightKey]*flight),
	}
	v.ctx, v.cancel = context.WithCancel(context.Background())
	return v, nil
}

// caller is who we are to the server: answers to one are not answers to
// another.
func (c *Config) caller() string {
	return string(c.Auth.Method) + "\x00" + c.Auth.ClientID
}

// Verify judges an opaque token: from the cache, or by asking the server. A
// refusal is a *validate.Error; one of class Unavailable has an *Outage inside
// and says nothing about the token. Callers with the same token share one
// call, which goes on when they leave.
func (v *Verifier) Verify(ctx context.Context, raw string) (*validate.Token, error) {
	known := v.resolve(ctx, &v.opaque, raw, v.config.Cache.Positive)
	if known.err != nil {
		return nil, known.err
	}
	return known.token, nil
}

// NoAudience reports that answers without aud are accepted: no route can ask
// for an audience then.
func (v *Verifier) NoAudience() bool { return v.opaque.answers.NoAudience() }

// Leeway returns the clock difference that the issuer is granted.
func (v *Verifier) Leeway() time.Duration { return v.leeway }

// Flush forgets what is known about a token, here and in the shared level, as
// after its revocation. Whoever comes next asks anew; an answer that was asked
// for before serves those who wait for it and is not kept. Other processes use
// theirs until its time is over.
func (v *Verifier) Flush(raw string) {
	if v.shared != nil {
		v.shared.distrust(raw) // [IN-15] before anybody looks there anew
	}
	v.flush(raw)
	if v.shared != nil {
		v.shared.remove(raw)
	}
}

func (v *Verifier) flush(raw string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, s := range []*side{&v.opaque, &v.jwt} {
		v.forget(s.keys.of(raw))
	}
}

// forget is Flush for one side. The caller locks.
func (v *Verifier) forget(d digest) {
	v.live.remove(d)
	v.refused.remove(d)
	for key, f := range v.flights {
		if key.digest == d {
			f.flushed = true
			delete(v.flights, key)
		}
	}
}

// Serves reports that a Verifier made from cfg would do the same as v: it says the
// same where nothing is said too, and differs in Token.Clock and Logger at most.
// Keys, Shared and TokenSource are the same if they are the same object.
func (v *Verifier) Serves(cfg Config) bool {
	other, err := cfg.prepare()
	return err == nil && same.Settings(&v.config, &other)
}

// Load finds the endpoint, for a start-up that prefers to fail.
func (v *Verifier) Load(ctx context.Context) (err error) {
	v.mu.Lock()
	if v.closed {
		v.mu.Unlock()
		return v.unknown(validate.ErrIntrospectionUnavailable, 0, errClosed)
	}
	v.flying.Add(1)
	v.mu.Unlock()
	defer v.flying.Done()
	defer func() {
		if recover() != nil { // [PV-07]
			err = v.unknown(validate.ErrInternal, 0, errPanic)
		}
	}()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(v.ctx, cancel)()
	if f := v.asker.load(ctx); f != nil {
		return v.unknown(f.code, f.pause, f)
	}
	return nil
}

// Health tells the state without starting anything.
func (v *Verifier) Health() Health {
	h := Health{Issuer: v.issuer, Endpoint: v.asker.known(), Entries: v.live.size(), Hits: v.hits.Total(), Misses: v.misses.Total()}
	v.gate.health(&h, v.clock())
	if v.shared != nil {
		h.SharedError = v.shared.health()
	}
	return h
}

// Close ends the calls in flight, waits for them and frees the cache. Later
// verifications are Unavailable. It is idempotent.
func (v *Verifier) Close() error {
	v.mu.Lock()
	first := !v.closed
	v.closed = true
	v.mu.Unlock()
	v.cancel()
	v.flying.Wait()
	v.live.close()
	if first {
		v.asker.close()
	}
	return nil
}

func (v *Verifier) unknown(code validate.Code, wait time.Duration, err error) *validate.Error {
	return unknown(v.issuer, code, wait, err)
}

// log writes what changed, once. Nothing of a token is in it.
func (v *Verifier) log(c change, f *failure) {
	if c == (change{}) {
		return
	}
	defer func() { _ = recover() }() // a logger that panics must not end the process
	l := v.config.Logger.With("issuer", v.issuer)
	if c.refused { // [IN-05]
		l.Error("the introspection endpoint refuses our own credentials", "error", explained(f))
	}
	if c.opened {
		l.Error("introspection fails: only cached tokens are accepted until the server answers again", "error", explained(f))
	}
	if c.closed {
		l.Info("the introspection endpoint answers again")
	}
}

var _ interface {
	validate.Verifier
	validate.Explainer
} = (*Verifier)(nil)
