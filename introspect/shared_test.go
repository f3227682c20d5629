package introspect

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bearward/bearward/validate"
)

// shelf is a Store in memory.
type shelf struct {
	mu     sync.Mutex
	values map[[32]byte][]byte
	ttl    time.Duration // of the last value
	gets   int
	err    error
	hangs  bool
	panics bool
}

func (s *shelf) enter(ctx context.Context) error {
	if s.hangs {
		<-ctx.Done()
		return ctx.Err()
	}
	if s.panics {
		panic("on purpose")
	}
	return s.err
}

func (s *shelf) Get(ctx context.Context, key [32]byte) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gets++
	return s.values[key], s.enter(ctx)
}

func (s *shelf) Set(ctx context.Context, key [32]byte, value []byte, ttl time.Duration) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.enter(ctx); err != nil {
		return err
	}
	if s.values == nil {
		s.values = make(map[[32]byte][]byte)
	}
	s.values[key], s.ttl = value, ttl
	return nil
}

func (s *shelf) Delete(ctx context.Context, key [32]byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.enter(ctx); err != nil {
		return err
	}
	delete(s.values, key)
	return nil
}

func on(s *shelf) func(*Config) { return func(c *Config) { c.Shared = s } }

// A second process uses what the first one stored, no longer than it would.
func TestSharedLevel(t *testing.T) { // [IN-13]
	synctest.Test(t, func(t *testing.T) {
		s, store := &fake{}, &shelf{}
		one, _ := fronting(t, s, on(store))
		two, _ := fronting(t, s, on(store))
		passes(t, one, "a")
		if store.ttl != defaultPositive {
			t.Errorf("kept for %v", store.ttl)
		}
		time.Sleep(20 * time.Second)
		passes(t, two, "a")
		asks(t, s, 1)
		time.Sleep(10*time.Second - time.Nanosecond)
		passes(t, two, "a") // from its own level now
		asks(t, s, 1)
		if store.gets != 2 {
			t.Errorf("the store was read %d times", store.gets)
		}
		time.Sleep(time.Nanosecond)
		passes(t, two, "a")
		asks(t, s, 2)
		if err := two.Confirm(t.Context(), "a", jwtToken(nil), time.Minute); err != nil {
			t.Error(err)
		}
		asks(t, s, 2)
	})
}

// What is in the store does not show tokens, claims or identities.
func TestSharedLevelTellsNothing(t *testing.T) { // [IN-14]
	synctest.Test(t, func(t *testing.T) {
		s, store := &fake{}, &shelf{}
		v, _ := fronting(t, s, on(store))
		passes(t, v, "secret-token")
		s.answers(reply{})
		refuses(t, v, "inactive", validate.ErrInactive) // [IN-13]
		if len(store.values) != 1 {
			t.Errorf("%d values", len(store.values))
		}
		for key, value := range store.values {
			for _, text := range []string{"secret-token", "alice", "active", fakeAPI, fakeIssuer} {
				if bytes.Contains(key[:], []byte(text)) || bytes.Contains(value, []byte(text)) {
					t.Errorf("the store shows %q", text)
				}
			}
		}
	})
}

// Whatever was changed in the store counts as nothing, and never as an error.
func TestSharedLevelIsNotTrusted(t *testing.T) { // [IN-14 IN-15]
	good := func(v *Verifier, raw string, s sealed) ([32]byte, []byte) {
		name := v.shared.sealer.names.of(raw)
		value, err := v.shared.sealer.seal(raw, name, s)
		if err != nil {
			panic(err)
		}
		return name, value
	}
	fresh := func(claims string) sealed {
		return sealed{asked: time.Now(), until: time.Now().Add(30 * time.Second), claims: claims}
	}
	tests := []struct {
		name  string
		value func(v *Verifier) []byte
		used  bool
		logs  int
	}{
		{"as it should be", func(v *Verifier) []byte { _, x := good(v, "a", fresh(active("").claims)); return x }, true, 0},
		{"empty", func(*Verifier) []byte { return []byte{} }, false, 1},
		{"short", func(*Verifier) []byte { return []byte{1, 2, 3} }, false, 1},
		{"too long", func(*Verifier) []byte { return make([]byte, sealedMost+1) }, false, 1},
		{"a bit changed", func(v *Verifier) []byte { _, x := good(v, "a", fresh(active("").claims)); x[len(x)/2] ^= 1; return x }, false, 1},
		{"cut", func(v *Verifier) []byte { _, x := good(v, "a", fresh(active("").claims)); return x[:len(x)-1] }, false, 1},
		{"of another token", func(v *Verifier) []byte { _, x := good(v, "b", fresh(active("").claims)); return x }, false, 1},
		{"for another place", func(v *Verifier) []byte {
			x, _ := v.shared.sealer.seal("a", digest{}, fresh(active("").claims))
			return x
		}, false, 1},
		{"by another secret", func(v *Verifier) []byte {
			other, _ := newSealer([]byte("another secret"), v.config.sharers()...)
			x, _ := other.seal("a", v.shared.sealer.names.of("a"), fresh(active("").claims))
			return x
		}, false, 1},
		{"from the future", func(v *Verifier) []byte {
			s := fresh(active("").claims)
			s.asked = s.asked.Add(61 * time.Second)
			_, x := good(v, "a", s)
			return x
		}, false, 1},
		{"by a clock that is ahead", func(v *Verifier) []byte {
			s := fresh(active("").claims)
			s.asked = s.asked.Add(59 * time.Second)
			_, x := good(v, "a", s)
			return x
		}, true, 0},
		{"too old", func(v *Verifier) []byte {
			_, x := good(v, "a", sealed{asked: time.Now().Add(-30 * time.Second), until: time.Now().Add(time.Hour), claims: active("").claims})
			return x
		}, false, 0},
		{"over", func(v *Verifier) []byte {
			_, x := good(v, "a", sealed{asked: time.Now(), until: time.Now(), claims: active("").claims})
			return x
		}, false, 0},
		{"for another audience", func(v *Verifier) []byte { _, x := good(v, "a", fresh(active(`,"aud":"x"`).claims)); return x }, false, 0},
		{"no claims", func(v *Verifier) []byte { _, x := good(v, "a", fresh("")); return x }, false, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, store := &fake{}, &shelf{}
				v, log := fronting(t, s, on(store))
				name := v.shared.sealer.names.of("a")
				if err := store.Set(t.Context(), name, test.value(v), 0); err != nil {
					t.Fatal(err)
				}
				passes(t, v, "a")
				if used := s.count() == 0; used != test.used {
					t.Errorf("used: %t", used)
				}
				if log.count("level=") != test.logs {
					t.Errorf("log: %s", log.buf.String())
				}
				if v.Health().SharedError != "" {
					t.Error("a bad value is no outage")
				}
			})
		})
	}
}

// A store that is down or slow refuses nobody and delays nobody twice.
func TestStoreDown(t *testing.T) {
	tests := []struct {
		name  string
		spoil func(*shelf)
		takes time.Duration
	}{
		{"errors", func(s *shelf) { s.err = errors.New("redis://user:password@host: refused") }, 0},
		{"hangs", func(s *shelf) { s.hangs = true }, storeTimeout},
		{"panics", func(s *shelf) { s.panics = true }, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, store, next := &fake{}, &shelf{}, tokens("t")
				v, log := fronting(t, s, on(store))
				passes(t, v, next())
				test.spoil(store)
				start := time.Now()
				for range 10 {
					passes(t, v, next())
				}
				if got := time.Since(start); got != test.takes {
					t.Errorf("it took %v", got)
				}
				time.Sleep(storePause)
				passes(t, v, next())
				if log.count("level=ERROR") != 1 || log.count("password") != 0 || v.Health().SharedError == "" || strings.Contains(v.Health().SharedError, "password") {
					t.Errorf("health %q, log: %s", v.Health().SharedError, log.buf.String())
				}
				store.err, store.hangs, store.panics = nil, false, false
				time.Sleep(storePause)
				passes(t, v, next())
				if log.count("level=INFO") != 1 || v.Health().SharedError != "" {
					t.Errorf("health %q, log: %s", v.Health().SharedError, log.buf.String())
				}
			})
		})
	}
}

func TestFlushShared(t *testing.T) { // [IN-15 RV-02]
	synctest.Test(t, func(t *testing.T) {
		s, store := &fake{}, &shelf{}
		v, _ := fronting(t, s, on(store))
		passes(t, v, "a")
		s.answers(reply{})
		v.Flush("a")
		if len(store.values) != 0 {
			t.Error("the store still has it")
		}
		refuses(t, v, "a", validate.ErrInactive)
	})
}

// If the store cannot forget, what it has is not used.
func TestFlushSharedFails(t *testing.T) { // [IN-15 RV-02]
	synctest.Test(t, func(t *testing.T) {
		s, store := &fake{}, &shelf{}
		v, _ := fronting(t, s, on(store))
		passes(t, v, "a")
		s.answers(reply{})
		store.err = errDown
		v.Flush("a")
		store.err = nil
		time.Sleep(storePause)
		refuses(t, v, "a", validate.ErrInactive)
		time.Sleep(2 * time.Minute)
		s.answers(active(""))
		other, _ := fronting(t, s, on(store))
		passes(t, other, "b")
		before := s.count()
		passes(t, v, "b") // newer answers are
		asks(t, s, before)
	})
}

// What a flight stores after a Flush is removed as well.
func TestFlushSharedInFlight(t *testing.T) { // [IN-15]
	synctest.Test(t, func(t *testing.T) {
		s, store, answer := &fake{}, &shelf{}, make(chan struct{})
		s.holds(answer)
		v, _ := fronting(t, s, on(store))
		go passes(t, v, "a")
		synctest.Wait()
		v.Flush("a")
		close(answer)
		synctest.Wait()
		if len(store.values) != 0 {
			t.Error("the answer from before is in the store")
		}
	})
}

// While the server is down, fresh answers of other processes are used.
func TestSharedLevelInAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, store, next := &fake{}, &shelf{}, tokens("t")
		one, _ := fronting(t, s, on(store))
		two, _ := fronting(t, s, on(store))
		passes(t, one, "a")
		s.failing(outOfOrder(errDown))
		for range breakAfter + 1 {
			refuses(t, two, next(), validate.ErrIntrospectionUnavailable)
		}
		passes(t, two, "a")
	})
}

func TestSharedSecret(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	long := []byte("0123456789abcdef0123456789abcdef")
	tests := []struct {
		name string
		cfg  Config
		ok   bool
	}{
		{"key", Config{SharedKey: long, Auth: Auth{Method: None}}, true},
		{"short key", Config{SharedKey: long[1:], Auth: Auth{Method: Basic, Secret: "x"}}, false},
		{"basic", Config{Auth: Auth{Method: Basic, Secret: "x"}}, true},
		{"raw", Config{Auth: Auth{Method: BasicRaw, Secret: "x"}}, true},
		{"post", Config{Auth: Auth{Method: Post, Secret: "x"}}, true},
		{"post without", Config{Auth: Auth{Method: Post}}, false},
		{"bearer", Config{Auth: Auth{Method: Bearer, Token: "x"}}, true},
		{"bearer that changes", Config{Auth: Auth{Method: Bearer}}, false},
		{"assertion", Config{Auth: Auth{Method: PrivateKeyJWT, Key: key}}, true},
		{"certificate", Config{Auth: Auth{Method: TLS, Certificate: &tls.Certificate{PrivateKey: key}}}, true},
		{"no certificate", Config{Auth: Auth{Method: SelfSignedTLS}}, false},
		{"none", Config{Auth: Auth{Method: None}}, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if secret, err := sharedSecret(test.cfg); secret != nil || err != nil {
				t.Errorf("without a store: %v, %v", secret, err)
			}
			test.cfg.Shared = &shelf{}
			one, err := sharedSecret(test.cfg)
			if (err == nil) != test.ok || (len(one) > 0) != test.ok {
				t.Errorf("got %d bytes, %v", len(one), err)
			}
			if two, _ := sharedSecret(test.cfg); !slices.Equal(one, two) {
				t.Error("the secret changes")
			}
		})
	}
}

// Opening takes anything and returns what seal was given, or nothing.
func FuzzOpen(f *testing.F) {
	s, err := newSealer([]byte("secret"), fakeIssuer, "api")
	if err != nil {
		f.Fatal(err)
	}
	name := s.names.of("a")
	value, err := s.seal("a", name, sealed{asked: time.UnixMilli(1), until: time.UnixMilli(2), claims: `{"active":true}`})
	if err != nil {
		f.Fatal(err)
	}
	f.Add("a", value)
	f.Add("a", []byte(nil))
	f.Add("b", value)
	f.Add("a", value[:28])
	f.Fuzz(func(t *testing.T, raw string, changed []byte) {
		got, ok := s.open(raw, s.names.of(raw), changed)
		if !ok && raw == "a" && bytes.Equal(changed, value) {
			t.Error("our own value does not open")
		}
		// Another process of the fuzzer seals the same under another nonce.
		if ok && (raw != "a" || got.claims != `{"active":true}` || got.asked.UnixMilli() != 1 || got.until.UnixMilli() != 2) {
			t.Errorf("got %+v", got)
		}
	})
}
