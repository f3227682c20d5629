package jwks

import (
	"context"
	"math"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/bearward/bearward/internal/discovery"
	"github.com/bearward/bearward/internal/jose"
	"github.com/bearward/bearward/internal/same"
	"github.com/bearward/bearward/validate"
)

// Source is the key set of one issuer, fetched and kept fresh. It is a
// validate.KeySource, safe for concurrent use. It has no goroutine of its own:
// a fetch begins when a use finds that it is time.
type Source struct {
	config  Config
	fetcher *fetcher
	idle    func()
	random  func() float64 // in [0,1), for jitter

	state atomic.Pointer[state]
	due   atomic.Int64 // when the next background fetch may begin, see clock
	epoch time.Time

	group  singleflight.Group
	ctx    context.Context // of all fetches; ends with Close
	cancel context.CancelFunc
	flying sync.WaitGroup

	mu sync.Mutex // never held over I/O; guards what follows
	control
}

// control is what decides about the next fetch.
type control struct {
	closed   bool
	busy     bool      // a fetch is in flight
	begun    uint64    // how many fetches have begun
	forced   time.Time // when the last fetch for an unknown kid began
	failures int       // in a row

	failed, suppressed uint64 // since start, see Health

	nextTry  time.Time // after a failure
	lastErr  error     // nil after a success
	staleLog bool      // stale use was logged
}

// state is one good set. It is never written after it was stored.
type state struct {
	set              *keySet
	seq              uint64 // number of the fetch that brought it
	skipped, private int
	fetched          time.Time
	refreshAt        time.Time // background fetch from here on
	freshUntil       time.Time
	usableUntil      time.Time // max_stale
}

// Remote returns the source for cfg. It makes no network call and reports all
// faults of cfg at once.
func Remote(cfg Config) (*Source, error) {
	cfg, client, err := cfg.prepare()
	if err != nil {
		return nil, err
	}
	if cfg.AllowHTTP {
		cfg.Logger.Warn("plain http to private addresses is allowed for this issuer", "issuer", cfg.Issuer)
	}
	s := newSource(cfg, client.Get)
	s.idle = client.CloseIdle
	return s, nil
}

func newSource(cfg Config, get discovery.Get) *Source {
	s := &Source{
		config:  cfg,
		fetcher: &fetcher{config: cfg, get: get},
		idle:    func() {},
		random:  rand.Float64,
		epoch:   cfg.Now(),
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.due.Store(math.MaxInt64)
	return s
}

// clock is now as a number that can be compared without a lock.
func (s *Source) clock(now time.Time) int64 { return int64(now.Sub(s.epoch)) }

// Keys returns the keys for a token's kid and alg; see validate.KeySource. The
// slice is for reading. It waits for the network only if there is no usable
// set at all (until ctx ends, at most the time of one fetch), or if kid is
// unknown (at most 3 s). Errors are *validate.Error with code
// ErrKeysUnavailable and an *Outage inside.
func (s *Source) Keys(ctx context.Context, kid, alg string) ([]*validate.Key, error) {
	alg = jose.Canonical(alg)
	now, st, arrived := s.config.Now(), s.state.Load(), justNow
	if st == nil || !now.Before(st.usableUntil) { // [JK-17]
		var err error
		if st, arrived, err = s.load(ctx); err != nil {
			return nil, err
		}
	} else if s.clock(now) >= s.due.Load() { // [JK-15]
		s.refresh()
	}
	if keys := st.set.find(kid, alg); len(keys) > 0 {
		return keys, nil
	}
	if !st.set.worthAsking(kid, alg) { // [JK-13]
		return nil, nil
	}
	return s.miss(ctx, kid, alg, arrived)
}

// Live reports without locking whether key is in the current set and the set
// is not older than MaxStale. It counts as a use: it may start a refresh.
func (s *Source) Live(key *validate.Key) bool {
	now, st := s.config.Now(), s.state.Load()
	if st == nil || !now.Before(st.usableUntil) { // [JK-16]
		return false
	}
	if s.clock(now) >= s.due.Load() { // [JK-15]
		s.refresh()
	}
	return st.set.live[key] // [JK-18]
}

// Load makes sure that there is a usable set, for a start-up that prefers to
// fail. It returns the error that Keys would.
func (s *Source) Load(ctx context.Context) error {
	if st := s.state.Load(); st != nil && s.config.Now().Before(st.usableUntil) {
		return nil
	}
	_, _, err := s.load(ctx)
	return err // [JK-24]
}

// Serves reports that a source made from cfg would do the same as s: it says the
// same where nothing is said too, and differs in Now and Logger at most.
func (s *Source) Serves(cfg Config) bool {
	other, _, err := cfg.prepare()
	return err == nil && same.Settings(&s.config, &other)
}

// Close ends a fetch in flight, waits for it and closes idle connections.
// Later calls of Keys are Unavailable. It is idempotent.
func (s *Source) Close() error {
	s.mu.Lock()
	s.closed = true
	s.state.Store(nil)
	s.mu.Unlock()
	s.cancel()
	s.flying.Wait()
	s.idle()
	return nil
}
