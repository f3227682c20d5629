package introspect

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"
)

const (
	storeTimeout  = 250 * time.Millisecond // of one use of the store
	storePause    = time.Second            // after it failed
	complainEvery = time.Minute            // about values that cannot be used
)

const errStorePanic notice = "the shared level panicked"

// The texts for health and log: what a store says may show its URL.
const (
	storeFailed   = "the shared level fails"
	storeTimeouts = "the shared level does not answer in time"
)

// shared is the second level of the cache. Nothing that happens to the store
// refuses a token: without it, the server is asked.
type shared struct {
	store  Store
	sealer *sealer
	clock  func() time.Time
	leeway time.Duration
	logger *slog.Logger
	slots  chan struct{} // uses at once

	mu         sync.Mutex
	trouble    string    // fixed text; "" if the last use was good
	next       time.Time // not used before, after a failure
	floor      time.Time // answers asked for before are not used: some could not be removed
	complained time.Time
	distrusted generations[time.Time] // by name: the floor of one token
}

// newShared returns nil if cfg has no store.
func newShared(cfg Config, leeway time.Duration) (*shared, error) {
	secret, err := sharedSecret(cfg)
	if err != nil || secret == nil {
		return nil, err
	}
	sealer, err := newSealer(secret, cfg.sharers()...)
	return &shared{
		store: cfg.Shared, sealer: sealer, clock: cfg.Token.Clock, leeway: leeway,
		logger: cfg.Logger.With("issuer", cfg.Token.Issuer),
		slots:  make(chan struct{}, cfg.Limits.Parallel),

		distrusted: newGenerations[time.Time](refusalsSize),
	}, err
}

// get returns the answer that any process has stored about the token. It is
// as good as authenticated, not as judged.
func (s *shared) get(raw string) (answer sealed, ok bool) {
	name := s.sealer.names.of(raw)
	var value []byte
	if !s.use(func(ctx context.Context) (err error) {
		value, err = s.store.Get(ctx, name)
		return err
	}) || value == nil {
		return sealed{}, false
	}
	answer, ok = s.sealer.open(raw, name, value)
	now := s.clock()
	if !ok || answer.asked.After(now.Add(s.leeway)) {
		s.complain(now)
		return sealed{}, false
	}
	if answer.asked.After(now) { // the clocks differ
		answer.asked = now
	}
	return answer, now.Before(answer.until) && s.current(name, answer)
}

// current says that the answer was asked for after its token was flushed, and
// after everything that could not be removed.
func (s *shared) current(name digest, answer sealed) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if floor, ok := s.distrusted.get(name); ok && !answer.asked.After(floor) { // [IN-15]
		return false
	}
	return s.floor.IsZero() || answer.asked.After(s.floor)
}

// distrust lets no answer about the token be used that was asked for until
// now, whoever still stores one.
func (s *shared) distrust(raw string) {
	name, until := s.sealer.names.of(raw), s.clock().Add(s.leeway)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.distrusted.put(name, until, 1)
}

// put stores an answer for as long as it is good.
func (s *shared) put(raw string, answer sealed, now time.Time) {
	name := s.sealer.names.of(raw)
	value, err := s.sealer.seal(raw, name, answer)
	if err != nil {
		return
	}
	s.use(func(ctx context.Context) error { return s.store.Set(ctx, name, value, answer.until.Sub(now)) })
}

// remove deletes the answer about the token. If that fails, no answer that was
// asked for until now is used any more.
func (s *shared) remove(raw string) {
	name := s.sealer.names.of(raw)
	err := s.try(func(ctx context.Context) error { return s.store.Delete(ctx, name) })
	s.note(err)
	if err != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.floor = s.clock().Add(s.leeway)
	}
}

// use calls the store, unless it failed just now or is busy, and reports
// whether that succeeded.
func (s *shared) use(call func(context.Context) error) bool {
	s.mu.Lock()
	paused := s.clock().Before(s.next)
	s.mu.Unlock()
	if paused {
		return false
	}
	select {
	case s.slots <- struct{}{}:
	default:
		return false
	}
	defer func() { <-s.slots }()
	err := s.try(call)
	s.note(err)
	return err == nil
}

// try bounds one call. A panic in it becomes an error.
func (s *shared) try(call func(context.Context) error) (err error) {
	defer func() {
		if recover() != nil {
			err = errStorePanic
		}
	}()
	ctx, cancel := context.WithTimeout(context.Background(), storeTimeout)
	defer cancel()
	return call(ctx)
}

// note remembers how a use ended, and logs when that changes.
func (s *shared) note(err error) {
	trouble := ""
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		trouble = storeTimeouts
	case err != nil:
		trouble = storeFailed
	}
	s.mu.Lock()
	before := s.trouble
	s.trouble = trouble
	if err != nil {
		s.next = s.clock().Add(storePause)
	}
	s.mu.Unlock()
	defer func() { _ = recover() }() // a logger that panics must not end the process
	switch {
	case before == "" && trouble != "":
		s.logger.Error("the shared level of the introspection cache is not used", "error", trouble)
	case before != "" && trouble == "":
		s.logger.Info("the shared level of the introspection cache is used again")
	}
}

// complain logs, now and then, that a value is not what we store.
func (s *shared) complain(now time.Time) {
	s.mu.Lock()
	quiet := !s.complained.IsZero() && now.Sub(s.complained) < complainEvery
	if !quiet {
		s.complained = now
	}
	s.mu.Unlock()
	if quiet {
		return
	}
	defer func() { _ = recover() }()
	s.logger.Error("values in the shared level of the introspection cache cannot be used: do all processes have the same key and clock?")
}

func (s *shared) health() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.trouble
}

// fromShared judges what the shared level has about the token. Its life counts
// from when it was asked for, wherever that was.
func (v *Verifier) fromShared(s *side, allow time.Duration, raw string) (verdict, bool) {
	answer, ok := v.shared.get(raw)
	now := v.clock()
	if !ok || now.Sub(answer.asked) >= allow {
		return verdict{}, false
	}
	token, err := s.answers.Judge(answer.claims)
	if err != nil { // other rules than ours may have let it pass
		return verdict{}, false
	}
	known := verdict{answered: true, token: token, claims: answer.claims, asked: answer.asked}
	known.until = earlier(answer.until, answer.asked.Add(v.bounded(token, answer.asked, allow)))
	return known, known.until.After(now)
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
