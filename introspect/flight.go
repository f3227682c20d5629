package introspect

import (
	"context"
	"errors"
	"time"

	"github.com/bearward/bearward/validate"
)

// failedToken is how long a token is left alone whose exchange failed in a way
// that says nothing about the server.
const failedToken = time.Second

// side is one use of the answers: they judge opaque tokens, or they confirm
// JWTs whose rules were applied already.
type side struct {
	answers *validate.Answers
	keys    *keyer
}

// verdict is what is known about a token. err is what its callers get; without
// answered, it is a failure and says nothing about the token.
type verdict struct {
	token    *validate.Token
	claims   string // of an active answer just judged, or in the cache
	err      *validate.Error
	answered bool

	asked time.Time
	until time.Time // kept so long; not after asked: not kept
}

// flightKey names a question. Who wants a fresher answer than others asks on
// their own.
type flightKey struct {
	digest digest
	allow  time.Duration
}

// flight is one search for an answer, shared by everybody who asks for it
// meanwhile and detached from all of them.
type flight struct {
	done    chan struct{}
	flushed bool // guarded by Verifier.mu
	verdict verdict
}

// resolve returns what is known about the token, asked for within allow. It
// waits for others until ctx ends.
func (v *Verifier) resolve(ctx context.Context, s *side, raw string, allow time.Duration) verdict {
	d, now := s.keys.of(raw), v.clock()
	if e := v.live.get(d, now, allow); e.whole() {
		return v.hit(e, now)
	}
	f, known := v.join(ctx, s, flightKey{d, allow}, raw)
	if f == nil {
		return known
	}
	select {
	case <-f.done:
		return f.verdict
	case <-ctx.Done():
		return v.impatient()
	}
}

// impatient is the verdict for a caller who went away.
func (v *Verifier) impatient() verdict {
	return verdict{err: v.unknown(validate.ErrIntrospectionUnavailable, 0, errWaiting)}
}

// hit is the verdict of an answer in the cache, whose times are judged again.
func (v *Verifier) hit(e *entry, now time.Time) verdict {
	v.hits.Add()
	if err := e.token.ValidAt(now, v.leeway); err != nil { // [IN-15 CA-02]
		return verdict{claims: e.claims, answered: true, err: v.refusal(err)}
	}
	return verdict{token: e.token, claims: e.claims, answered: true}
}

// join returns the flight for key, which it begins if there is none, or what
// became known meanwhile. A caller who went away begins none.
func (v *Verifier) join(ctx context.Context, s *side, key flightKey, raw string) (*flight, verdict) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.closed {
		return nil, verdict{err: v.unknown(validate.ErrIntrospectionUnavailable, 0, errClosed)}
	}
	now := v.clock()
	if e := v.live.latest(key.digest, now, key.allow); e.whole() {
		return nil, v.hit(e, now)
	}
	if ctx.Err() != nil {
		return nil, v.impatient()
	}
	if err := v.refused.get(key.digest, now); err != nil { // [IN-13]
		v.hits.Add()
		return nil, verdict{err: err, answered: err.Code.Class() == validate.BadToken}
	}
	v.misses.Add()
	f := v.flights[key]
	if f == nil { // [IN-16]
		f = &flight{done: make(chan struct{})}
		v.flights[key] = f
		v.flying.Add(1)
		go v.fly(s, key, raw, f)
	}
	return f, verdict{}
}

// fly finds the answer and remembers it before anybody else can ask again. A
// flight that was flushed meanwhile serves those who wait for it, no more.
func (v *Verifier) fly(s *side, key flightKey, raw string, f *flight) {
	defer v.flying.Done()
	defer close(f.done)
	roomy()
	f.verdict = v.find(s, key, raw)
	v.mu.Lock()
	flushed := f.flushed
	if !flushed { // [IN-15]
		delete(v.flights, key)
		v.remember(key.digest, f.verdict)
	}
	v.mu.Unlock()
	if flushed && v.shared != nil { // after what this flight may have stored there
		v.shared.remove(raw)
	}
}

// stackRoom is less than an exchange takes on its stack, in bytes, and more than
// a goroutine begins with.
const stackRoom = 8 << 10

// roomy lets the stack of a new goroutine grow once and while it is shallow,
// not step by step below an exchange: that costs a tenth of a call on loopback.
//
//go:noinline
func roomy() {
	var room [stackRoom]byte
	touch(&room)
}

//go:noinline
func touch(*[stackRoom]byte) {}

// remember keeps a verdict for its time. An answer replaces the one before.
// The caller locks.
func (v *Verifier) remember(d digest, known verdict) {
	if known.err != nil && known.answered {
		v.live.remove(d)
	}
	switch now := v.clock(); {
	case !known.until.After(now):
	case known.err != nil:
		v.refused.put(d, refusal{err: known.err, until: known.until})
	default:
		v.live.put(&entry{digest: d, token: known.token, claims: known.claims, asked: known.asked, until: known.until}, now)
	}
}

// find asks the shared level, then the server. A panic becomes an error.
func (v *Verifier) find(s *side, key flightKey, raw string) (found verdict) {
	defer func() {
		if recover() != nil { // [PV-07]
			found = verdict{err: v.unknown(validate.ErrInternal, 0, errPanic)}
		}
	}()
	allow := key.allow
	if v.shared != nil {
		if found, ok := v.fromShared(s, allow, raw); ok {
			return found
		}
	}
	asked := v.clock()
	familiar := s == &v.jwt || v.live.familiar(key.digest, asked) // JWTs are signed
	t, refused := v.gate.enter(v.issuer, familiar, asked)
	if refused != nil {
		return verdict{err: refused}
	}
	r, failed := v.exchange(raw)
	now := v.clock()
	v.log(v.gate.leave(t, now, failed), failed)
	if failed != nil {
		return v.failed(failed, now)
	}
	v.gate.answered(r.active)
	found = v.judge(s, r)
	found.asked = asked
	found.until = asked.Add(v.life(r, found, asked, allow))
	if v.shared != nil && found.claims != "" && found.err == nil && found.until.After(now) {
		v.shared.put(raw, sealed{asked: found.asked, until: found.until, claims: found.claims}, now)
	}
	return found
}

// exchange makes one call, detached from every caller. A panic in it becomes a
// failure.
func (v *Verifier) exchange(raw string) (r reply, f *failure) {
	defer func() {
		if recover() != nil { // [PV-07]
			r, f = reply{}, &failure{code: validate.ErrInternal, err: errPanic}
		}
	}()
	ctx, cancel := context.WithTimeout(v.ctx, v.config.Limits.Timeout)
	defer cancel()
	r, f = v.asker.ask(ctx, raw)
	if f != nil && v.ctx.Err() != nil {
		return reply{}, &failure{code: validate.ErrIntrospectionUnavailable, err: errClosed}
	}
	return r, f
}

// failed is a failure's verdict. It is remembered, for a moment, only if it
// may lie in this token.
func (v *Verifier) failed(f *failure, now time.Time) verdict {
	known := verdict{err: v.unknown(f.code, v.gate.retry(now), f)}
	if !f.counts && f.pause == 0 {
		known.until = now.Add(failedToken) // [IN-16]
	}
	return known
}

// judge holds an answer to the rules.
func (v *Verifier) judge(s *side, r reply) verdict {
	switch {
	case !r.active: // [IN-04]
		return verdict{answered: true, err: &validate.Error{Code: validate.ErrInactive, Issuer: v.issuer}}
	case r.refusal != nil:
		return verdict{answered: true, err: r.refusal}
	case r.token != nil:
		return verdict{answered: true, token: r.token}
	}
	known := verdict{answered: true, claims: r.claims}
	token, err := s.answers.Judge(r.claims)
	if err != nil {
		known.err = v.refusal(err)
		return known
	}
	known.token = token
	return known
}

// refusal is err as a *validate.Error of this issuer.
func (v *Verifier) refusal(err error) *validate.Error {
	var known *validate.Error
	if !errors.As(err, &known) {
		return &validate.Error{Code: validate.ErrInternal, Issuer: v.issuer, Err: err}
	}
	return &validate.Error{Code: known.Code, Claim: known.Claim, Issuer: v.issuer, Err: known.Err}
}

// life is how long an answer is used: no longer than its kind may, than the
// server says and than the token is valid.
func (v *Verifier) life(r reply, known verdict, asked time.Time, allow time.Duration) time.Duration {
	if r.noStore && !v.config.Cache.IgnoreNoStore { // [IN-13]
		return 0
	}
	life := min(v.config.Cache.Negative, maxNegative) // [IN-13]
	if known.err == nil {
		life = v.bounded(known.token, asked, allow)
	}
	if r.hasMaxAge && !r.noStore { // [IN-13]
		life = min(life, r.maxAge)
	}
	return life
}

// bounded is how long an active answer is used at most.
func (v *Verifier) bounded(t *validate.Token, asked time.Time, allow time.Duration) time.Duration {
	life := min(max(v.config.Cache.Positive, allow), maxPositive) // [IN-13]
	return min(life, t.ExpiresAt.Sub(asked))                      // [IN-13]
}
