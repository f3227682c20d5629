package redisstore_test

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"github.com/bearward/bearward/adapters/redisstore"
	"github.com/bearward/bearward/internal/redistest"
	"github.com/bearward/bearward/validate"
)

func TestMain(m *testing.M) {
	if url := os.Getenv(present); url != "" {
		presentAll(url)
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

const (
	iss = "https://a.example"

	patience = 30 * time.Second // before a test calls it a hang
)

// clock is moved by hand. It is the real time at first, because Redis' own
// clock ends entries.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Now().Truncate(time.Second)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// logged is what was logged.
type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logged) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), text)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// store is an opened Redis with what it uses.
type store struct {
	*redisstore.Redis
	clock *clock
	log   *logged
}

func open(t *testing.T, url string, change ...func(*redisstore.Config)) store {
	t.Helper()
	s := store{clock: newClock(), log: &logged{}}
	c := redisstore.Config{
		URL: url, Timeout: 5 * time.Second, Clock: s.clock.Now,
		Logger: slog.New(slog.NewTextHandler(s.log, nil)),
	}
	for _, f := range change {
		f(&c)
	}
	r, err := redisstore.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	s.Redis = r
	return s
}

func hasty(c *redisstore.Config) { c.Timeout = 50 * time.Millisecond }

// raw speaks to the server without the package.
func raw(t *testing.T, s *redistest.Server) *redis.Client {
	t.Helper()
	c := redis.NewClient(&redis.Options{Addr: s.Addr(), Protocol: 2})
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func (s store) token() *validate.Token {
	now := s.clock.Now()
	return &validate.Token{
		Issuer: iss, ID: "t1", Subject: "alice", Session: "s1", ClientID: "app",
		IssuedAt: now.Add(-time.Minute), ExpiresAt: now.Add(30 * time.Minute),
	}
}

// within fails the test if f hangs.
func within(t *testing.T, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	select {
	case <-done:
	case <-time.After(patience):
		t.Fatal("it hangs")
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// wantUnknown asserts that the token's state is unknown, not good or bad.
func wantUnknown(t *testing.T, list *redisstore.Revocations, token *validate.Token) {
	t.Helper()
	within(t, func() {
		revoked, err := list.Revoked(context.Background(), token)
		if revoked || validate.CodeOf(err) != validate.ErrRevocationUnavailable {
			t.Errorf("revoked %v, %v", revoked, err)
		}
	})
}

func wantRevoked(t *testing.T, list *redisstore.Revocations, token *validate.Token, want bool) {
	t.Helper()
	if got, err := list.Revoked(t.Context(), token); got != want || err != nil {
		t.Errorf("revoked %v, %v, want %v", got, err, want)
	}
}
