package redisstore_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/bearward/bearward/internal/redistest"
	"github.com/bearward/bearward/validate"
)

// entries are one of each kind, about the token.
func (s store) entries() []validate.RevocationEntry {
	return []validate.RevocationEntry{
		{Issuer: iss, ID: "t1"},
		{Issuer: iss, Session: "s1"},
		{Issuer: iss, ClientID: "app"},
		{Issuer: iss, Subject: "alice", Before: s.clock.Now()},
	}
}

// keysOf returns the names of the entries, and leaves Redis empty of them.
func keysOf(t *testing.T, s store, client *redis.Client) []string {
	t.Helper()
	list := s.Revocations(0)
	for _, e := range s.entries() {
		must(t, list.Revoke(context.Background(), e))
	}
	names := client.Keys(context.Background(), "bearward:r:{*").Val()
	if len(names) != 4 {
		t.Fatalf("%q", names)
	}
	must(t, client.Del(context.Background(), names...).Err())
	return names
}

func TestRevoked(t *testing.T) { // [RV-02 RV-03]
	server := redistest.Start(t)
	redis := raw(t, server)
	now := newClock().Now()
	for name, c := range map[string]struct {
		entry   validate.RevocationEntry
		token   func(*validate.Token)
		revoked bool
	}{
		"token":                     {validate.RevocationEntry{Issuer: iss, ID: "t1"}, nil, true},
		"session":                   {validate.RevocationEntry{Issuer: iss, Session: "s1"}, nil, true},
		"client":                    {validate.RevocationEntry{Issuer: iss, ClientID: "app"}, nil, true},
		"user":                      {validate.RevocationEntry{Issuer: iss, Subject: "alice", Before: now}, nil, true},
		"user, issued since":        {validate.RevocationEntry{Issuer: iss, Subject: "alice", Before: now.Add(-time.Hour)}, nil, false},
		"user, same second":         {validate.RevocationEntry{Issuer: iss, Subject: "alice", Before: now}, func(t *validate.Token) { t.IssuedAt = now }, true},
		"user, later that second":   {validate.RevocationEntry{Issuer: iss, Subject: "alice", Before: now}, func(t *validate.Token) { t.IssuedAt = now.Add(900 * time.Millisecond) }, true},
		"user, next second":         {validate.RevocationEntry{Issuer: iss, Subject: "alice", Before: now.Add(900 * time.Millisecond)}, func(t *validate.Token) { t.IssuedAt = now.Add(time.Second) }, false},
		"user, no iat":              {validate.RevocationEntry{Issuer: iss, Subject: "alice", Before: time.Unix(0, 0)}, func(t *validate.Token) { t.IssuedAt = time.Time{} }, true},
		"user, before 1970":         {validate.RevocationEntry{Issuer: iss, Subject: "alice", Before: time.Unix(-1e9, 0)}, nil, false},
		"other issuer":              {validate.RevocationEntry{Issuer: "https://b.example", ID: "t1"}, nil, false},
		"other token":               {validate.RevocationEntry{Issuer: iss, ID: "t2"}, nil, false},
		"a jti is no sid":           {validate.RevocationEntry{Issuer: iss, ID: "s1"}, nil, false},
		"a client is no user":       {validate.RevocationEntry{Issuer: iss, ClientID: "alice"}, nil, false},
		"a token without any of it": {validate.RevocationEntry{Issuer: iss, ID: "t1"}, func(t *validate.Token) { t.ID, t.Session, t.ClientID, t.Subject = "", "", "", "" }, false},
		"a token of the id only":    {validate.RevocationEntry{Issuer: iss, ID: "t1"}, func(t *validate.Token) { t.Session, t.ClientID, t.Subject = "", "", "" }, true},
	} {
		t.Run(name, func(t *testing.T) {
			must(t, redis.FlushDB(t.Context()).Err())
			here, there := open(t, server.URL()), open(t, server.URL())
			token := here.token()
			token.IssuedAt, token.ExpiresAt = now.Add(-time.Minute), now.Add(time.Hour)
			if c.token != nil {
				c.token(token)
			}
			wantRevoked(t, here.Revocations(0), token, false)
			must(t, there.Revocations(0).Revoke(t.Context(), c.entry))
			wantRevoked(t, here.Revocations(0), token, c.revoked)
		})
	}
}

// A token is refused by whichever of its entries is there.
func TestRevokedByEach(t *testing.T) { // [RV-03]
	server := redistest.Start(t)
	s, redis := open(t, server.URL()), raw(t, server)
	list := s.Revocations(0)
	for _, e := range s.entries() {
		must(t, redis.FlushDB(t.Context()).Err())
		must(t, list.Revoke(t.Context(), e))
		wantRevoked(t, list, s.token(), true)
	}
}

// Of two entries about the same, the one that refuses more wins.
func TestRevokeKeepsTheStrictest(t *testing.T) { // [RV-03]
	server := redistest.Start(t)
	s, redis := open(t, server.URL()), raw(t, server)
	list, ctx, now := s.Revocations(time.Hour), t.Context(), s.clock.Now()
	left := func() time.Duration { return redis.PTTL(ctx, redis.Keys(ctx, "bearward:r:{*").Val()[0]).Val() }

	user := validate.RevocationEntry{Issuer: iss, Subject: "alice", Before: now, Until: now.Add(5 * time.Hour)}
	earlier := validate.RevocationEntry{Issuer: iss, Subject: "alice", Before: now.Add(-time.Hour)}
	must(t, list.Revoke(ctx, user))
	must(t, list.Revoke(ctx, earlier))
	wantRevoked(t, list, s.token(), true)
	if got := left(); got < 5*time.Hour {
		t.Errorf("shortened to %v", got)
	}

	must(t, redis.FlushDB(ctx).Err())
	must(t, list.Revoke(ctx, earlier))
	wantRevoked(t, list, s.token(), false)
	must(t, list.Revoke(ctx, user))
	wantRevoked(t, list, s.token(), true)
	if got := left(); got < 5*time.Hour {
		t.Errorf("not prolonged: %v", got)
	}

	must(t, redis.Persist(ctx, redis.Keys(ctx, "bearward:r:{*").Val()[0]).Err())
	must(t, list.Revoke(ctx, user))
	if got := left(); got != -1 { // nanoseconds, as the client says "forever"
		t.Errorf("kept forever, then for %v", got)
	}
}

func TestRevokeConcurrently(t *testing.T) { // [RV-03]
	server := redistest.Start(t)
	s := open(t, server.URL())
	list, now := s.Revocations(0), s.clock.Now()
	var wg sync.WaitGroup
	for n := range 32 {
		wg.Go(func() {
			before := now.Add(-time.Duration(n) * time.Hour)
			if err := list.Revoke(context.Background(), validate.RevocationEntry{Issuer: iss, Subject: "alice", Before: before}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	wantRevoked(t, list, s.token(), true)
}

// Entries outlive every token that is not refused for its length.
func TestRetention(t *testing.T) { // [RV-03]
	server := redistest.Start(t)
	s, redis := open(t, server.URL()), raw(t, server)
	ctx, now := t.Context(), s.clock.Now()
	for _, c := range []struct {
		set, want time.Duration
		entry     validate.RevocationEntry
	}{
		{0, 30 * 24 * time.Hour, validate.RevocationEntry{Issuer: iss, ID: "t1"}},
		{time.Minute, time.Hour, validate.RevocationEntry{Issuer: iss, ID: "t1"}},
		{2 * time.Hour, 2 * time.Hour, validate.RevocationEntry{Issuer: iss, ID: "t1", Until: now.Add(time.Hour)}},
		{2 * time.Hour, 9 * time.Hour, validate.RevocationEntry{Issuer: iss, ID: "t1", Until: now.Add(9 * time.Hour)}},
		{2 * time.Hour, 12 * time.Hour, validate.RevocationEntry{Issuer: iss, Subject: "alice", Before: now.Add(10 * time.Hour)}},
	} {
		must(t, redis.FlushDB(ctx).Err())
		must(t, s.Revocations(c.set).Revoke(ctx, c.entry))
		got := redis.PTTL(ctx, redis.Keys(ctx, "bearward:r:{*").Val()[0]).Val()
		if got < c.want || got > c.want+10*time.Minute {
			t.Errorf("%+v: kept for %v", c, got)
		}
	}
}

func TestLifetime(t *testing.T) { // [RV-03]
	server := redistest.Start(t)
	s := open(t, server.URL())
	list, now := s.Revocations(2*time.Hour), s.clock.Now()
	for name, c := range map[string]struct {
		issued, expires time.Time
		refused         bool
	}{
		"short enough":             {now, now.Add(2 * time.Hour), false},
		"too long":                 {now, now.Add(2*time.Hour + time.Second), true},
		"too long, nearly over":    {now.Add(-2 * time.Hour), now.Add(time.Minute), true},
		"no iat":                   {time.Time{}, now.Add(2 * time.Hour), false},
		"no iat, too long":         {time.Time{}, now.Add(2*time.Hour + time.Second), true},
		"iat ahead, too long":      {now.Add(time.Minute), now.Add(2*time.Hour + time.Second), true},
		"it does not say how long": {now, time.Time{}, true},
	} {
		t.Run(name, func(t *testing.T) {
			token := s.token()
			token.IssuedAt, token.ExpiresAt = c.issued, c.expires
			revoked, err := list.Revoked(t.Context(), token)
			if revoked || (err != nil) != c.refused || c.refused && validate.CodeOf(err) != validate.ErrLifetimeTooLong {
				t.Errorf("revoked %v, %v", revoked, err)
			}
		})
	}
}

func TestRevokeRefuses(t *testing.T) {
	server := redistest.Start(t)
	s := open(t, server.URL())
	list, now := s.Revocations(0), s.clock.Now()
	for _, e := range []validate.RevocationEntry{
		{},
		{ID: "t1"},
		{Issuer: iss},
		{Issuer: iss, ID: "t1", Session: "s1"},
		{Issuer: iss, Subject: "alice"},
		{Issuer: iss, ID: "t1", Before: now},
		{Issuer: iss, Subject: "alice", Before: now.AddDate(10_000, 0, 0)},
	} {
		if err := list.Revoke(t.Context(), e); err == nil {
			t.Errorf("%+v is taken", e)
		}
	}
}

// What nobody here wrote is no pass, and is not overwritten.
func TestForeignEntries(t *testing.T) { // [RV-03]
	server := redistest.Start(t)
	s, redis := open(t, server.URL()), raw(t, server)
	list, ctx := s.Revocations(0), t.Context()
	for i, name := range keysOf(t, s, redis) {
		for _, value := range []string{"", "x", "-1", "1x", "99999999999999999999999"} {
			must(t, redis.Set(ctx, name, value, 0).Err())
			wantUnknown(t, list, s.token())
		}
		must(t, redis.Del(ctx, name).Err())
		must(t, redis.SAdd(ctx, name, "1").Err())
		wantUnknown(t, list, s.token())
		failed := 0
		for _, e := range s.entries() {
			if err := list.Revoke(ctx, e); err != nil {
				failed++
			}
		}
		if failed != 1 {
			t.Errorf("%d: %d entries are refused", i, failed)
		}
		must(t, redis.FlushDB(ctx).Err())
	}
	if !s.Health().Up || s.log.count("an operation on redis failed") != 1 {
		t.Errorf("%+v\n%s", s.Health(), s.log)
	}
}

// A dump names nobody: neither token nor user, session, client or issuer.
func TestDump(t *testing.T) {
	server := redistest.Start(t)
	s, redis := open(t, server.URL()), raw(t, server)
	ctx, token := t.Context(), s.token()
	token.ID, token.Subject, token.Session, token.ClientID = "token-7", "alice@example.com", "session-7", "client-7"
	list := s.Revocations(0)
	for _, e := range []validate.RevocationEntry{
		{Issuer: iss, ID: token.ID},
		{Issuer: iss, Session: token.Session},
		{Issuer: iss, ClientID: token.ClientID},
		{Issuer: iss, Subject: token.Subject, Before: s.clock.Now()},
	} {
		must(t, list.Revoke(ctx, e))
	}
	wantRevoked(t, list, token, true)
	var dump strings.Builder
	n := 0
	for each := redis.Scan(ctx, 0, "*", 100).Iterator(); each.Next(ctx); n++ {
		dump.WriteString(each.Val() + " " + redis.Get(ctx, each.Val()).Val() + "\n")
	}
	if n != 5 { // and the marker
		t.Errorf("%d keys", n)
	}
	for _, name := range []string{token.ID, token.Subject, "alice", token.Session, token.ClientID, "a.example", iss} {
		if strings.Contains(dump.String(), name) {
			t.Errorf("%q is in the dump:\n%s", name, dump.String())
		}
	}
}
