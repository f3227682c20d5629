package validate_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/bearward/bearward/validate"
)

var listStart = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

func newList(t *testing.T, change func(*validate.RevocationListConfig)) (*validate.RevocationList, *time.Time) {
	t.Helper()
	now := listStart
	c := validate.RevocationListConfig{Clock: func() time.Time { return now }}
	if change != nil {
		change(&c)
	}
	l, err := validate.NewRevocationList(c)
	if err != nil {
		t.Fatal(err)
	}
	return l, &now
}

func listed() *validate.Token {
	return &validate.Token{
		Issuer: "https://a.example", ID: "t1", Subject: "alice", Session: "s1", ClientID: "app",
		IssuedAt: listStart.Add(-time.Minute), ExpiresAt: listStart.Add(time.Hour),
	}
}

func TestRevocationList(t *testing.T) { // [RV-02 RV-03]
	const iss = "https://a.example"
	for name, c := range map[string]struct {
		entry   validate.RevocationEntry
		token   func(*validate.Token)
		revoked bool
	}{
		"token":                     {validate.RevocationEntry{Issuer: iss, ID: "t1"}, nil, true},
		"session":                   {validate.RevocationEntry{Issuer: iss, Session: "s1"}, nil, true},
		"client":                    {validate.RevocationEntry{Issuer: iss, ClientID: "app"}, nil, true},
		"user":                      {validate.RevocationEntry{Issuer: iss, Subject: "alice", Before: listStart}, nil, true},
		"user, issued since":        {validate.RevocationEntry{Issuer: iss, Subject: "alice", Before: listStart.Add(-time.Minute - time.Second)}, nil, false},
		"user, same second":         {validate.RevocationEntry{Issuer: iss, Subject: "alice", Before: listStart.Add(-time.Minute)}, nil, true},
		"user, no iat":              {validate.RevocationEntry{Issuer: iss, Subject: "alice", Before: listStart}, func(t *validate.Token) { t.IssuedAt = time.Time{} }, true},
		"other issuer":              {validate.RevocationEntry{Issuer: "https://b.example", ID: "t1"}, nil, false},
		"other token":               {validate.RevocationEntry{Issuer: iss, ID: "t2"}, nil, false},
		"a jti is no sid":           {validate.RevocationEntry{Issuer: iss, ID: "s1"}, nil, false},
		"a client is no user":       {validate.RevocationEntry{Issuer: iss, ClientID: "alice"}, nil, false},
		"a token without any of it": {validate.RevocationEntry{Issuer: iss, ID: "t1"}, func(t *validate.Token) { t.ID, t.Session, t.ClientID, t.Subject = "", "", "", "" }, false},
	} {
		t.Run(name, func(t *testing.T) {
			l, _ := newList(t, nil)
			token := listed()
			if c.token != nil {
				c.token(token)
			}
			if got, err := l.Revoked(t.Context(), token); got || err != nil {
				t.Fatalf("revoked before: %v, %v", got, err)
			}
			if err := l.Revoke(t.Context(), c.entry); err != nil {
				t.Fatal(err)
			}
			if got, err := l.Revoked(t.Context(), token); got != c.revoked || err != nil {
				t.Errorf("revoked %v, %v", got, err)
			}
		})
	}
}

// An entry is never weakened by a later one about the same.
func TestRevocationListKeepsTheStrictest(t *testing.T) { // [RV-03]
	l, now := newList(t, func(c *validate.RevocationListConfig) { c.Retention = time.Hour })
	user := validate.RevocationEntry{Issuer: "https://a.example", Subject: "alice", Before: listStart, Until: listStart.Add(5 * time.Hour)}
	for _, e := range []validate.RevocationEntry{user, {Issuer: user.Issuer, Subject: "alice", Before: listStart.Add(-time.Hour)}} {
		if err := l.Revoke(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	token := listed()
	token.ExpiresAt = token.IssuedAt.Add(time.Hour)
	*now = listStart.Add(4 * time.Hour)
	if got, err := l.Revoked(t.Context(), token); !got || err != nil {
		t.Errorf("revoked %v, %v", got, err)
	}
	*now = listStart.Add(5 * time.Hour)
	if got, err := l.Revoked(t.Context(), token); got || err != nil {
		t.Errorf("after its end: revoked %v, %v", got, err)
	}
	// An entry about tokens yet to be issued is kept for as long as those live.
	late := validate.RevocationEntry{Issuer: user.Issuer, Subject: "alice", Before: now.Add(10 * time.Hour)}
	if err := l.Revoke(t.Context(), late); err != nil {
		t.Fatal(err)
	}
	token.IssuedAt, token.ExpiresAt = now.Add(9*time.Hour), now.Add(10*time.Hour)
	*now = now.Add(10*time.Hour + 30*time.Minute)
	if got, err := l.Revoked(t.Context(), token); !got || err != nil {
		t.Errorf("issued after the entry was made: revoked %v, %v", got, err)
	}
}

// Entries end by time only, and what ended makes room. A token that would
// outlive them is refused.
func TestRevocationListIsBounded(t *testing.T) { // [RV-03 CA-05]
	l, now := newList(t, func(c *validate.RevocationListConfig) { c.Retention, c.Entries = time.Hour, 100 })
	entry := func(n int) validate.RevocationEntry {
		return validate.RevocationEntry{Issuer: "https://a.example", ID: fmt.Sprint("t", n)}
	}
	for n := range 100 {
		if err := l.Revoke(t.Context(), entry(n)); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Revoke(t.Context(), entry(100)); !errors.Is(err, validate.ErrRevocationsFull) {
		t.Errorf("the list takes more than it may: %v", err)
	}
	if err := l.Revoke(t.Context(), entry(1)); err != nil {
		t.Errorf("an entry that is there cannot be renewed: %v", err)
	}
	hour := listed()
	hour.ExpiresAt = hour.IssuedAt.Add(time.Hour)
	if got, err := l.Revoked(t.Context(), hour); !got || err != nil {
		t.Errorf("revoked %v, %v", got, err)
	}
	for name, long := range map[string]*validate.Token{
		"from iat":    {IssuedAt: listStart.Add(-time.Minute), ExpiresAt: listStart.Add(time.Hour)},
		"without iat": {ExpiresAt: listStart.Add(time.Hour + time.Second)},
		"iat ahead":   {IssuedAt: listStart.Add(time.Hour), ExpiresAt: listStart.Add(time.Hour + time.Second)},
	} {
		if _, err := l.Revoked(t.Context(), long); validate.CodeOf(err) != validate.ErrLifetimeTooLong {
			t.Errorf("%s, a token that outlives the entries: %v", name, err)
		}
	}
	// While a leeway keeps the token alive, its entry lives.
	*now = listStart.Add(time.Hour + validate.MaxLeeway)
	if got, err := l.Revoked(t.Context(), hour); !got || err != nil {
		t.Errorf("within the leeway: revoked %v, %v", got, err)
	}
	*now = listStart.Add(2*time.Hour + time.Minute)
	if err := l.Revoke(t.Context(), entry(200)); err != nil || l.Len() != 1 {
		t.Errorf("%d entries, %v", l.Len(), err)
	}
}

func TestRevocationEntries(t *testing.T) {
	l, _ := newList(t, nil)
	const iss = "https://a.example"
	for _, e := range []validate.RevocationEntry{
		{},
		{ID: "t1"},
		{Issuer: iss},
		{Issuer: iss, ID: "t1", Session: "s1"},
		{Issuer: iss, Subject: "alice"},
		{Issuer: iss, ID: "t1", Before: listStart},
	} {
		if err := l.Revoke(t.Context(), e); err == nil {
			t.Errorf("%+v is taken", e)
		}
	}
	for _, c := range []validate.RevocationListConfig{{Retention: time.Minute}, {Retention: -time.Hour}, {Entries: -1}} {
		if _, err := validate.NewRevocationList(c); err == nil {
			t.Errorf("%+v is taken", c)
		}
	}
}

func TestRevocationListConcurrently(t *testing.T) {
	l, _ := newList(t, nil)
	var wg sync.WaitGroup
	for n := range 16 {
		wg.Go(func() {
			for i := range 100 {
				_ = l.Revoke(t.Context(), validate.RevocationEntry{Issuer: "https://a.example", ID: fmt.Sprint(n, i)})
				_, _ = l.Revoked(t.Context(), listed())
			}
		})
	}
	wg.Wait()
	if l.Len() != 1600 {
		t.Errorf("%d entries", l.Len())
	}
}
