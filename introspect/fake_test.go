package introspect

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bearward/bearward/validate"
)

const (
	fakeIssuer = "https://login.example.com"
	fakeAPI    = "https://api.example.com"
)

// fake is an authorization server without a network. Tokens are active for an
// hour unless something else is said about them.
type fake struct {
	mu     sync.Mutex
	asks   []string
	says   func(raw string) (reply, *failure)
	block  chan struct{} // if set, answers wait for it or for their context
	delay  time.Duration
	panics bool
	closed int
	loads  *failure
}

func (s *fake) ask(ctx context.Context, raw string) (reply, *failure) {
	s.mu.Lock()
	s.asks = append(s.asks, raw)
	block, says, panics, delay := s.block, s.says, s.panics, s.delay
	s.mu.Unlock()
	time.Sleep(delay) // in a bubble
	if block != nil {
		select {
		case <-block:
		case <-ctx.Done():
			return reply{}, outOfOrder(ctx.Err())
		}
	}
	if panics {
		panic("on purpose")
	}
	if says == nil {
		return active(""), nil
	}
	return says(raw)
}

func (s *fake) load(context.Context) *failure {
	if s.panics {
		panic("on purpose")
	}
	return s.loads
}

func (s *fake) known() bool { return true }
func (s *fake) close()      { s.closed++ }

func (s *fake) set(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

func (s *fake) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.asks)
}

func (s *fake) answers(r reply) {
	s.set(func() { s.says = func(string) (reply, *failure) { return r, nil } })
}

func (s *fake) failing(f *failure) {
	s.set(func() { s.says = func(string) (reply, *failure) { return reply{}, f } })
}
func (s *fake) working()              { s.set(func() { s.says = nil }) }
func (s *fake) holds(c chan struct{}) { s.set(func() { s.block = c }) }

func (s *fake) answersAfter(d time.Duration) { s.set(func() { s.delay = d }) }

var errDown = errors.New("connection refused")

// outOfOrder is a failure of the server, odd is one of the token.
func outOfOrder(err error) *failure {
	return &failure{code: validate.ErrIntrospectionUnavailable, err: err, counts: true}
}

func odd() *failure { return &failure{code: validate.ErrIntrospectionInvalid, err: errDown} }

// active is an answer that is good for an hour, with more members or others.
func active(more string) reply {
	if !strings.Contains(more, `"exp"`) {
		more += fmt.Sprintf(`,"exp":%d`, time.Now().Add(time.Hour).Unix())
	}
	if !strings.Contains(more, `"aud"`) {
		more += `,"aud":"` + fakeAPI + `"`
	}
	return reply{active: true, claims: `{"active":true,"sub":"alice"` + more + `}`}
}

// fronting returns a Verifier that asks s, and what it logs.
func fronting(t testing.TB, s asker, change func(*Config)) (*Verifier, *lines) {
	t.Helper()
	log := &lines{}
	cfg := Config{
		Token:    validate.Config{Issuer: fakeIssuer, Audience: []string{fakeAPI}},
		Endpoint: fakeIssuer + "/introspect",
		Auth:     Auth{Method: Basic, ClientID: "api", Secret: "0123456789abcdef"},
		Cache:    CacheConfig{Entries: 1000},
		Logger:   slog.New(slog.NewTextHandler(log, nil)),
	}
	if change != nil {
		change(&cfg)
	}
	cfg, err := cfg.prepare()
	if err != nil {
		t.Fatal(err)
	}
	answers, err := validate.NewAnswers(cfg.Token)
	if err != nil {
		t.Fatal(err)
	}
	v, err := newVerifier(cfg, answers, s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = v.Close() })
	return v, log
}

// lines is a log that is kept.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *lines) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.buf.String(), text)
}

// passes demands that the token is accepted.
func passes(t *testing.T, v *Verifier, raw string) {
	t.Helper()
	if token, err := v.Verify(t.Context(), raw); err != nil || token.Subject != "alice" {
		t.Errorf("%q: got %v, %v", raw, token, err)
	}
}

// refuses demands a refusal with code and returns it. One that is Unavailable
// has to say when to come back.
func refuses(t *testing.T, v *Verifier, raw string, code validate.Code) *validate.Error {
	t.Helper()
	token, err := v.Verify(t.Context(), raw)
	return isRefusal(t, token, err, code)
}

func isRefusal(t *testing.T, token *validate.Token, err error, code validate.Code) *validate.Error {
	t.Helper()
	var refusal *validate.Error
	if token != nil || !errors.As(err, &refusal) || refusal.Code != code {
		t.Errorf("got %v, %v, want %s", token, err, code)
		return &validate.Error{}
	}
	if code.Class() == validate.Unavailable && comeBack(err) < time.Second {
		t.Errorf("%v: no Retry-After", err)
	}
	return refusal
}

func comeBack(err error) time.Duration {
	var outage *Outage
	if !errors.As(err, &outage) {
		return 0
	}
	return outage.RetryAfter()
}

func asks(t *testing.T, s *fake, want int) {
	t.Helper()
	if got := s.count(); got != want {
		t.Errorf("%d calls, want %d", got, want)
	}
}
