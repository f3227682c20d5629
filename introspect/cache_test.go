package introspect

import (
	"errors"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bearward/bearward/validate"
)

func TestPositiveLife(t *testing.T) { // [IN-13]
	exp := func(in time.Duration) string { return `,"exp":` + strconv.FormatInt(time.Now().Add(in).Unix(), 10) }
	tests := []struct {
		name  string
		cache CacheConfig
		says  func() reply
		want  time.Duration // how long one call is enough
	}{
		{"default", CacheConfig{}, func() reply { return active("") }, 30 * time.Second},
		{"setting", CacheConfig{Positive: 2 * time.Minute}, func() reply { return active("") }, 2 * time.Minute},
		{"off", CacheConfig{Positive: -1}, func() reply { return active("") }, 0},
		{"never past exp", CacheConfig{}, func() reply { return active(exp(10 * time.Second)) }, 10 * time.Second},
		{"exp within the leeway", CacheConfig{}, func() reply { return active(exp(-10 * time.Second)) }, 0},
		{"no exp", CacheConfig{}, func() reply {
			return reply{active: true, claims: `{"active":true,"sub":"alice","aud":"` + fakeAPI + `"}`}
		}, 30 * time.Second},
		{"no-store", CacheConfig{}, func() reply { r := active(""); r.noStore = true; return r }, 0},
		{"no-store ignored", CacheConfig{IgnoreNoStore: true}, func() reply { r := active(""); r.noStore = true; return r }, 30 * time.Second},
		{"no-store and max-age ignored", CacheConfig{IgnoreNoStore: true}, func() reply { r := active(""); r.noStore, r.hasMaxAge = true, true; return r }, 30 * time.Second},
		{"max-age", CacheConfig{}, func() reply { r := active(""); r.maxAge, r.hasMaxAge = 7*time.Second, true; return r }, 7 * time.Second},
		{"max-age 0", CacheConfig{}, func() reply { r := active(""); r.hasMaxAge = true; return r }, 0},
		{"longer max-age", CacheConfig{}, func() reply { r := active(""); r.maxAge, r.hasMaxAge = time.Hour, true; return r }, 30 * time.Second},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &fake{}
				s.answers(test.says())
				v, _ := fronting(t, s, func(c *Config) { c.Cache = test.cache; c.Cache.Entries = 100 })
				passes(t, v, "a")
				if test.want > 0 {
					passes(t, v, "a")
					time.Sleep(test.want - time.Nanosecond)
					passes(t, v, "a")
					asks(t, s, 1)
					time.Sleep(time.Nanosecond)
				}
				passes(t, v, "a")
				asks(t, s, 2)
			})
		})
	}
}

// The cap holds whatever asks for more.
func TestPositiveCap(t *testing.T) { // [IN-13]
	synctest.Test(t, func(t *testing.T) {
		s := &fake{}
		v, _ := fronting(t, s, nil)
		v.config.Cache.Positive, v.config.Cache.Negative = time.Hour, time.Hour
		passes(t, v, "a")
		time.Sleep(maxPositive)
		passes(t, v, "a")
		asks(t, s, 2)
		s.answers(reply{})
		refuses(t, v, "b", validate.ErrInactive)
		time.Sleep(maxNegative)
		refuses(t, v, "b", validate.ErrInactive)
		asks(t, s, 4)
	})
}

func TestNegativeLife(t *testing.T) { // [IN-13]
	tests := []struct {
		name string
		says func() reply
		code validate.Code
		want time.Duration
	}{
		{"inactive", func() reply { return reply{} }, validate.ErrInactive, 5 * time.Second}, // [IN-04]
		{"inactive and more", func() reply { return reply{claims: `{"active":false,"exp":1}`} }, validate.ErrInactive, 5 * time.Second},
		{"another audience", func() reply { return active(`,"aud":"https://other.example.com"`) }, validate.ErrAudienceRefused, 5 * time.Second},
		{"expired", func() reply { return active(`,"exp":1000`) }, validate.ErrExpired, 5 * time.Second},
		{"another issuer", func() reply { return active(`,"iss":"https://other.example.com"`) }, validate.ErrIssuerUnknown, 5 * time.Second},
		{"no-store", func() reply { return reply{noStore: true} }, validate.ErrInactive, 0},
		{"max-age", func() reply { return reply{hasMaxAge: true, maxAge: time.Second} }, validate.ErrInactive, time.Second},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &fake{}
				s.answers(test.says())
				v, _ := fronting(t, s, nil)
				refuses(t, v, "a", test.code)
				if test.want > 0 {
					time.Sleep(test.want - time.Nanosecond)
					refuses(t, v, "a", test.code)
					asks(t, s, 1)
					time.Sleep(time.Nanosecond)
				}
				s.working() // a token that becomes valid is not refused for longer
				passes(t, v, "a")
				asks(t, s, 2)
			})
		})
	}
}

func TestNegativeOff(t *testing.T) { // [IN-13]
	synctest.Test(t, func(t *testing.T) {
		s := &fake{}
		s.answers(reply{})
		v, _ := fronting(t, s, func(c *Config) { c.Cache.Negative = -1 })
		refuses(t, v, "a", validate.ErrInactive)
		refuses(t, v, "a", validate.ErrInactive)
		asks(t, s, 2)
	})
}

// A cached answer is held to the clock again: here one that was set back.
func TestHitIsJudgedAgain(t *testing.T) { // [IN-15 CA-02]
	synctest.Test(t, func(t *testing.T) {
		s, back := &fake{}, time.Duration(0)
		s.answers(active(`,"nbf":` + strconv.FormatInt(time.Now().Unix(), 10)))
		v, _ := fronting(t, s, func(c *Config) {
			c.Token.Clock = func() time.Time { return time.Now().Add(-back) }
		})
		passes(t, v, "a")
		token := &validate.Token{ClientID: "api"}
		if err := v.Confirm(t.Context(), "j", token, 0); err != nil {
			t.Error(err)
		}
		back = 2 * time.Minute
		refuses(t, v, "a", validate.ErrNotYetValid)
		if err := v.Confirm(t.Context(), "j", token, 0); !errors.Is(err, validate.ErrNotYetValid) {
			t.Errorf("got %v", err)
		}
		asks(t, s, 2)
	})
}

// Two tokens whose digests share their place are not taken for each other.
func TestWholeDigestIsCompared(t *testing.T) { // [IN-14]
	synctest.Test(t, func(t *testing.T) {
		l, err := newLane(100)
		if err != nil {
			t.Fatal(err)
		}
		defer l.close()
		now := time.Now()
		one, two := digest{31: 1}, digest{31: 2}
		l.put(&entry{digest: one, asked: now, until: now.Add(time.Minute)}, now)
		if l.latest(one, now, time.Minute) == nil {
			t.Error("not stored")
		}
		l.store.Wait()
		if l.get(one, now, time.Minute) == nil {
			t.Error("not in the store")
		}
		if l.get(two, now, time.Minute) != nil {
			t.Error("taken for another token")
		}
	})
}

// What the store declines, here for its size, is known all the same to whoever
// comes next, and forgotten as well.
func TestDeclined(t *testing.T) { // [IN-15 IN-16]
	synctest.Test(t, func(t *testing.T) {
		s := &fake{}
		s.answers(active(`,"x":"` + strings.Repeat("x", 20*answerUnit) + `"`))
		v, _ := fronting(t, s, func(c *Config) { c.Cache.Entries = 10 })
		passes(t, v, "a")
		if got := v.Health().Entries; got != 0 {
			t.Fatalf("the store has %d entries", got)
		}
		passes(t, v, "a")
		asks(t, s, 1)
		v.Flush("a")
		passes(t, v, "a")
		asks(t, s, 2)
		time.Sleep(30 * time.Second)
		passes(t, v, "a")
		asks(t, s, 3)
	})
}

// What the store has not got to yet is forgotten and replaced as well.
func TestStoreKeepsOrder(t *testing.T) { // [IN-15]
	l, err := newLane(10_000)
	if err != nil {
		t.Fatal(err)
	}
	defer l.close()
	now := time.Now()
	for i := range 2000 {
		d := digest{byte(i), byte(i >> 8)}
		one := &entry{digest: d, asked: now, until: now.Add(time.Hour)}
		two := &entry{digest: d, asked: now, until: now.Add(time.Hour)}
		l.put(one, now)
		l.put(two, now)
		l.store.Wait()
		if l.get(d, now, time.Hour) == one || l.latest(d, now, time.Hour) != two {
			t.Fatal("the answer before is still there")
		}
		l.put(one, now)
		l.remove(d)
		if l.get(d, now, time.Hour) != nil || l.latest(d, now, time.Hour) != nil {
			t.Fatal("it is not forgotten")
		}
	}
}

// An entry whose time is over is refused: the store would keep it for ever.
func TestNothingLivesForEver(t *testing.T) { // [IN-13]
	synctest.Test(t, func(t *testing.T) {
		l, err := newLane(100)
		if err != nil {
			t.Fatal(err)
		}
		defer l.close()
		now := time.Now()
		l.put(&entry{asked: now, until: now}, now)
		l.put(&entry{digest: digest{1}, asked: now, until: now.Add(-time.Second)}, now)
		if l.size() != 0 {
			t.Errorf("%d entries", l.size())
		}
	})
}

// Digests depend on the key and on every part, and parts do not run together.
func TestDigests(t *testing.T) { // [IN-14]
	seen := map[digest]string{}
	for _, c := range []struct {
		secret string
		parts  []string
		raw    string
	}{
		{"s", []string{"iss", "caller"}, "token"},
		{"t", []string{"iss", "caller"}, "token"},
		{"s", []string{"iss2", "caller"}, "token"},
		{"s", []string{"isx", "caller"}, "token"},
		{"s", []string{"iss", "caller2"}, "token"},
		{"s", []string{"issc", "aller"}, "token"},
		{"s", []string{"iss", "caller"}, "token2"},
		{"s", []string{"iss", "caller"}, ""},
		{"s", []string{"iss", "caller"}, strings.Repeat("x", 512)},
		{"s", []string{"iss", "caller"}, strings.Repeat("x", 1024)},
		{"s", []string{"iss", "caller"}, strings.Repeat("x", 1025)},
	} {
		k := newKeyer([]byte(c.secret), c.parts...)
		d, name := k.of(c.raw), c.secret+strings.Join(c.parts, "|")+c.raw
		if other, ok := seen[d]; ok {
			t.Errorf("%q and %q have one digest", name, other)
		}
		if seen[d] = name; d != k.of(c.raw) {
			t.Errorf("%q: the digest changes", name)
		}
	}
}

// Two verifiers of one process do not share digests unless issuer, caller and
// endpoint are the same.
func TestVerifiersKeepApart(t *testing.T) { // [IN-14]
	synctest.Test(t, func(t *testing.T) {
		base, _ := fronting(t, &fake{}, nil)
		same, _ := fronting(t, &fake{}, nil)
		d := base.opaque.keys.of("a")
		if d != same.opaque.keys.of("a") {
			t.Error("the same configuration has other digests")
		}
		if d == base.jwt.keys.of("a") {
			t.Error("opaque tokens and JWTs share digests")
		}
		for name, change := range map[string]func(*Config){
			"issuer":   func(c *Config) { c.Token.Issuer += "/x" },
			"caller":   func(c *Config) { c.Auth.ClientID = "other" },
			"method":   func(c *Config) { c.Auth.Method = Post },
			"endpoint": func(c *Config) { c.Endpoint += "2" },
		} {
			if other, _ := fronting(t, &fake{}, change); d == other.opaque.keys.of("a") {
				t.Errorf("another %s has the same digests", name)
			}
		}
	})
}

// Large answers take the room of several.
func TestAnswersCountByTheirSize(t *testing.T) { // [CA-05]
	synctest.Test(t, func(t *testing.T) {
		s := &fake{}
		s.answers(active(`,"x":"` + strings.Repeat("x", 10*answerUnit) + `"`))
		v, _ := fronting(t, s, func(c *Config) { c.Cache.Entries = 50 })
		for i := range 50 {
			passes(t, v, strconv.Itoa(i))
		}
		if got := v.Health().Entries; got < 11 || got > 50 {
			t.Errorf("about %d entries", got)
		}
		before := s.count()
		for i := range 50 {
			passes(t, v, strconv.Itoa(i))
		}
		if got := s.count() - before; got < 45 {
			t.Errorf("%d of 50 large answers were kept in the room of 50 small ones", 50-got)
		}
	})
}

// A handler that writes another token over the one that requests share changes no
// verdict: the server is asked again.
func TestOverwritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fake{}
		v, _ := fronting(t, s, nil)
		strong, err := v.Verify(t.Context(), "strong")
		if err != nil {
			t.Fatal(err)
		}
		n := 1
		for name, write := range map[string]func(*validate.Token){
			"by another token": func(to *validate.Token) { *to = *strong },
			"by one made up":   func(to *validate.Token) { *to = validate.Token{Issuer: fakeIssuer, Subject: "root"} },
		} {
			for range 2 { // what the store has not got to yet, and what it has
				shared, err := v.Verify(t.Context(), name)
				if err != nil {
					t.Fatal(err)
				}
				write(shared)
				n++
				if again, err := v.Verify(t.Context(), name); err != nil || again == shared || again.Subject != "alice" {
					t.Errorf("%s: %v, %v", name, again, err)
				}
				v.live.store.Wait()
			}
			n++
		}
		asks(t, s, n)
	})
}
