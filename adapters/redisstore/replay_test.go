package redisstore_test

import (
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bearward/bearward/internal/prove"
	"github.com/bearward/bearward/internal/redistest"
	"github.com/bearward/bearward/validate"
	"github.com/bearward/bearward/validate/dpop"
)

func TestReplay(t *testing.T) { // [DP-20 DP-21]
	for name, use := range servers(t) {
		t.Run(name, func(t *testing.T) {
			_, change, url := use(t)
			here, there := open(t, url, change), open(t, url, change)
			must(t, here.Ping(t.Context()))
			here.wantFirst(t, 1, true)
			here.wantFirst(t, 1, false)
			there.wantFirst(t, 1, false)
			there.wantFirst(t, 2, true)
			here.wantFirst(t, 2, false)
			first, err := here.Replay().First(t.Context(), [32]byte{2}, proof(1), here.clock.Now())
			if !first || err != nil {
				t.Errorf("another client's: %v, %v", first, err)
			}
			if one, other := here.Replay(), here.Replay(); one != other {
				t.Error("there are two stores")
			}
		})
	}
}

// Proofs, revocations and answers share one Redis.
func TestReplayBesideOthers(t *testing.T) {
	server := redistest.Start(t)
	s := open(t, server.URL())
	list, answers, key := s.Revocations(0), s.Introspection(), [32]byte{1}
	s.wantFirst(t, 1, true)
	must(t, answers.Set(t.Context(), key, []byte("x"), time.Hour))
	must(t, list.Revoke(t.Context(), validate.RevocationEntry{Issuer: iss, ID: "t1"}))
	must(t, s.Ping(t.Context()))
	s.wantFirst(t, 1, false)
	wantRevoked(t, list, s.token(), true)
	if v, err := answers.Get(t.Context(), key); string(v) != "x" || err != nil {
		t.Errorf("%q, %v", v, err)
	}
}

// An entry lives as long as its proof, and longer by how far clocks may differ.
// Then it is gone.
func TestReplayExpiry(t *testing.T) { // [DP-21]
	server := redistest.Start(t)
	s, redis := open(t, server.URL()), raw(t, server)
	for n, c := range []struct{ life, kept time.Duration }{
		{time.Minute, 90 * time.Second},
		{5 * time.Minute, 330 * time.Second},
		{time.Millisecond, 30*time.Second + time.Millisecond},
		{-time.Hour, 30 * time.Second},
	} {
		first, err := s.Replay().First(t.Context(), someone, proof(n), s.clock.Now().Add(c.life))
		if !first || err != nil {
			t.Fatalf("%v: %v, %v", c.life, first, err)
		}
		key := redis.Keys(t.Context(), "bearward:p:?????????????????????????*").Val()[0]
		if got := redis.PTTL(t.Context(), key).Val(); got > c.kept || got < c.kept-10*time.Second {
			t.Errorf("a proof for %v is kept for %v, want %v", c.life, got, c.kept)
		}
		s.wantFirst(t, n, false)
		must(t, redis.PExpireAt(t.Context(), key, time.Unix(1, 0)).Err())
		s.wantFirst(t, n, true)
		must(t, redis.Del(t.Context(), key).Err())
	}
	if got := redis.TTL(t.Context(), "bearward:p:since").Val(); got != -1 { // nanoseconds, as the client says "forever"
		t.Errorf("the marker is kept for %v", got)
	}
}

// A proof is kept for as long as any process could accept it, whatever the one
// that took it would.
func TestReplayForAnyWindow(t *testing.T) { // [DP-21]
	server := redistest.Start(t)
	s, redis := open(t, server.URL()), raw(t, server)
	pretend(t, redis)
	key, err := prove.NewKey("")
	must(t, err)
	thumbprint, err := base64.RawURLEncoding.DecodeString(key.Thumbprint())
	must(t, err)
	const target = "https://api.example.test/"
	for nonce, kept := range map[string]time.Duration{"": 5*time.Minute + 30*time.Second, "foreign": 5*time.Minute + 40*time.Second} {
		proof, err := key.Sign(prove.Claims{Method: "GET", URL: target, Token: "token", Nonce: nonce, Time: s.clock.Now()})
		must(t, err)
		use := func(window time.Duration) error {
			v, err := dpop.New(dpop.Config{Window: window, Replay: s.Replay(), Clock: s.clock.Now})
			must(t, err)
			p, err := v.Verify(dpop.Presented{
				Values: []string{proof}, Method: "GET", Target: target, Token: sha256.Sum256([]byte("token")), Key: [32]byte(thumbprint), Now: s.clock.Now(),
			})
			must(t, err)
			return v.Spend(t.Context(), &p)
		}
		if err := use(5 * time.Second); nonce == "" {
			must(t, err)
		} else if err != nil && validate.CodeOf(err) != validate.ErrReplayUnavailable { // it could have been used an hour ago
			t.Error(err)
		}
		name := redis.Keys(t.Context(), "bearward:p:?????????????????????????*").Val()[0]
		if got := redis.PTTL(t.Context(), name).Val(); got > kept || got < kept-10*time.Second {
			t.Errorf("a proof with the nonce %q is kept for %v, want %v", nonce, got, kept)
		}
		if err := use(5 * time.Minute); validate.CodeOf(err) != validate.ErrProofReplayed {
			t.Errorf("a second use: %v", err)
		}
		must(t, redis.Del(t.Context(), name).Err())
	}
}

// Of all who present a proof at once, in one process or several, one is the
// first.
func TestReplayAtOnce(t *testing.T) { // [DP-20 DP-21]
	server := redistest.Start(t)
	stores := []store{open(t, server.URL()), open(t, server.URL()), open(t, server.URL())}
	const proofs, callers = 40, 64
	var firsts [proofs]atomic.Int64
	var wg sync.WaitGroup
	for caller := range callers {
		wg.Go(func() {
			for n := range proofs {
				first, err := stores[(caller+n)%len(stores)].use(n)
				if err != nil {
					t.Error(err)
				}
				if first {
					firsts[n].Add(1)
				}
			}
		})
	}
	wg.Wait()
	for n := range firsts {
		if got := firsts[n].Load(); got != 1 {
			t.Errorf("proof %d was the first %d times", n, got)
		}
	}
}

// A dump has digests and a marker.
func TestReplayDump(t *testing.T) {
	server := redistest.Start(t)
	s, redis := open(t, server.URL(), func(c *configOf) { c.Prefix = "api:" }), raw(t, server)
	for n := range 3 {
		s.wantFirst(t, n, true)
	}
	keys := redis.Keys(t.Context(), "*").Val()
	if len(keys) != 4 {
		t.Fatalf("%q", keys)
	}
	for _, key := range keys {
		value := redis.Get(t.Context(), key).Val()
		switch name, ours := strings.CutPrefix(key, "api:p:"); {
		case !ours:
			t.Errorf("a key is %q", key)
		case name != "since" && (len(name) != 43 || value != "1"):
			t.Errorf("%q is %q", key, value)
		}
	}
}

// A program that is given no more rights than the documentation says can use it.
func TestReplayRights(t *testing.T) {
	server := redistest.Start(t, "--user", "api", "on", ">secret", "~bearward:*", "-@all",
		"+ping", "+set", "+eval", "+getrange", "+time", "+info", "+config|get")
	s := open(t, "redis://api:secret@"+server.Addr())
	s.Replay()
	must(t, s.Ping(t.Context()))
	s.wantFirst(t, 1, true)
	s.wantFirst(t, 1, false)
	if log := s.log.String(); strings.Contains(log, "does not tell") {
		t.Errorf("log:\n%s", log)
	}
}

// A Redis that may drop entries is no place for proofs either. [DP-22]
func TestReplayEviction(t *testing.T) {
	server := redistest.Start(t, "--maxmemory-policy", "volatile-ttl")
	s := open(t, server.URL())
	must(t, s.Ping(t.Context()))
	s.wantFirst(t, 1, true)
	err := s.Ping(t.Context())
	if err == nil || !strings.Contains(err.Error(), "noeviction") {
		t.Errorf("%v", err)
	}
	eventually(t, "nothing is logged", func() bool {
		return s.log.count(`may drop entries when its memory is full: set maxmemory-policy to noeviction" kept="used proofs"`) == 1
	})
	must(t, raw(t, server).ConfigSet(t.Context(), "maxmemory-policy", "noeviction").Err())
	must(t, s.Ping(t.Context()))
}

func TestReplayUnreadablePolicy(t *testing.T) {
	server := redistest.Start(t, "--rename-command", "CONFIG", "")
	s := open(t, server.URL())
	s.Revocations(0)
	s.Replay()
	must(t, s.Ping(t.Context()))
	must(t, s.Ping(t.Context()))
	if n := s.log.count(`or entries may be lost" kept="revocations, used proofs"`); n != 1 {
		t.Errorf("logged %d times:\n%s", n, s.log)
	}
}

// A full Redis takes no new proofs, so none passes; it is no outage, and over
// when there is room again.
func TestReplayFull(t *testing.T) { // [DP-22]
	server := redistest.Start(t)
	s, redis := open(t, server.URL()), raw(t, server)
	s.wantFirst(t, 1, true)
	must(t, redis.ConfigSet(t.Context(), "maxmemory", "1").Err())
	for n := range 5 {
		s.wantUnsure(t, n, validate.ErrReplayFull)
	}
	if h := s.Health(); !h.Up || s.log.count("out of memory") != 1 {
		t.Errorf("%+v\n%s", h, s.log)
	}
	must(t, redis.ConfigSet(t.Context(), "maxmemory", "0").Err())
	s.wantFirst(t, 1, false)
	s.wantFirst(t, 2, true)
}
