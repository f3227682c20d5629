package jwks

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bearward/bearward/internal/egress"
	"github.com/bearward/bearward/internal/jose"
	"github.com/bearward/bearward/validate"
)

const (
	issuer  = "https://login.example.com"
	keysURL = "https://login.example.com/keys"
)

// upstream is an authorization server without a network.
type upstream struct {
	mu     sync.Mutex
	calls  []string
	times  []time.Time
	status int
	body   string
	header http.Header
	err    error
	panics bool
	block  chan struct{} // if set, answers wait for it or for their context
}

func (u *upstream) get(ctx context.Context, url string) (egress.Response, error) {
	u.mu.Lock()
	u.calls, u.times = append(u.calls, url), append(u.times, time.Now())
	block := u.block
	u.mu.Unlock()
	if block != nil {
		ctx, cancel := context.WithTimeout(ctx, egress.DefaultTimeout)
		defer cancel()
		select {
		case <-block:
		case <-ctx.Done():
			return egress.Response{}, ctx.Err()
		}
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.panics {
		panic("on purpose")
	}
	if u.err != nil {
		return egress.Response{}, u.err
	}
	status := u.status
	if status == 0 {
		status = http.StatusOK
	}
	return egress.Response{Status: status, Header: u.header, Body: u.body}, nil
}

func (u *upstream) set(change func(*upstream)) {
	u.mu.Lock()
	defer u.mu.Unlock()
	change(u)
}

func (u *upstream) publish(kids ...string) { u.set(func(u *upstream) { u.body = setOf(kids...) }) }
func (u *upstream) fail(err error)         { u.set(func(u *upstream) { u.err = err }) }

func (u *upstream) count() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return len(u.calls)
}

var errDown = errors.New("connection refused")

// private is a key that depends on its name only.
func private(name string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte(name))
	return ed25519.NewKeyFromSeed(seed[:])
}

func jwkOf(kid, key, more string) string {
	return `{"kty":"OKP","crv":"Ed25519","kid":"` + kid + `","x":"` + jose.Encode(private(key).Public().(ed25519.PublicKey)) + `"` + more + `}`
}

func setOf(kids ...string) string {
	var keys []string
	for _, kid := range kids {
		keys = append(keys, jwkOf(kid, kid, ""))
	}
	return `{"keys":[` + strings.Join(keys, ",") + `]}`
}

// remote is a Source on u with jitter at its least and a log that is kept.
func remote(t *testing.T, u *upstream, cfg Config) (*Source, *logs) {
	t.Helper()
	log := &logs{}
	if cfg.Issuer == "" {
		cfg.Issuer = issuer
	}
	if cfg.DiscoveryURL == "" && cfg.JWKSURL == "" {
		cfg.JWKSURL = keysURL
	}
	cfg.Logger = slog.New(slog.NewTextHandler(log, nil))
	cfg, _, err := cfg.prepare()
	if err != nil {
		t.Fatal(err)
	}
	s := newSource(cfg, u.get)
	s.random = func() float64 { return 0 }
	t.Cleanup(func() { _ = s.Close() })
	return s, log
}

type logs struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logs) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.buf.String(), text)
}

// has demands that the kids, and only they of all asked ones, have a key.
func has(t *testing.T, s validate.KeySource, kids ...string) {
	t.Helper()
	for _, kid := range kids {
		keys, err := s.Keys(t.Context(), kid, "EdDSA")
		if err != nil || len(keys) != 1 || keys[0].ID != kid || keys[0].Algorithm != "Ed25519" ||
			!private(kid).Public().(ed25519.PublicKey).Equal(keys[0].Public) {
			t.Errorf("kid %q: got %v, %v", kid, keys, err)
		}
	}
}

func hasNot(t *testing.T, s validate.KeySource, kids ...string) {
	t.Helper()
	for _, kid := range kids {
		if keys, err := s.Keys(t.Context(), kid, "EdDSA"); err != nil || len(keys) != 0 {
			t.Errorf("kid %q: got %v, %v", kid, keys, err)
		}
	}
}

// nobodyKnows demands Unavailable and returns when to retry.
func nobodyKnows(t *testing.T, s validate.KeySource, kid string) time.Duration {
	t.Helper()
	keys, err := s.Keys(t.Context(), kid, "EdDSA")
	if !errors.Is(err, validate.ErrKeysUnavailable) || validate.CodeOf(err).Class() != validate.Unavailable || keys != nil {
		t.Errorf("kid %q: got %v, %v", kid, keys, err)
	}
	var retry interface{ RetryAfter() time.Duration }
	if !errors.As(err, &retry) {
		t.Errorf("no RetryAfter in %v", err)
		return 0
	}
	return retry.RetryAfter()
}

func calls(t *testing.T, u *upstream, want int) {
	t.Helper()
	if got := u.count(); got != want {
		t.Errorf("%d upstream calls, want %d: %v", got, want, slices.Clone(u.calls))
	}
}
