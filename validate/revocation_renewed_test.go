package validate

import (
	"testing"
	"time"
)

// An entry that is renewed again and again, with an end that moves on, takes
// the room of one and is kept until its last end.
func TestRenewedRevocationsTakeNoRoom(t *testing.T) { // [RV-03 CA-05]
	start := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	now := start
	l, err := NewRevocationList(RevocationListConfig{Retention: time.Hour, Clock: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	until := start
	for n := range 1000 {
		until = start.Add(time.Duration(n) * time.Hour)
		if err := l.Revoke(t.Context(), RevocationEntry{Issuer: "https://a.example", ID: "t1", Until: until}); err != nil {
			t.Fatal(err)
		}
	}
	held := 0
	for _, keys := range l.ends {
		held += len(keys)
	}
	if held != 1 {
		t.Errorf("the list holds %d times when 1 entry ends", held)
	}
	token := &Token{Issuer: "https://a.example", ID: "t1"}
	for now = start; now.Before(until); now = now.Add(time.Hour) {
		token.IssuedAt, token.ExpiresAt = now, now.Add(time.Minute)
		if err := l.Revoke(t.Context(), RevocationEntry{Issuer: "https://a.example", ID: "t2"}); err != nil { // sweeps
			t.Fatal(err)
		}
		if gone, err := l.Revoked(t.Context(), token); !gone || err != nil {
			t.Fatalf("at %v: revoked %v, %v", now, gone, err)
		}
	}
	now = until.Add(2 * time.Hour)
	l.sweep(now)
	if len(l.entries) > 1 || len(l.ends) > 1 { // t2 may be there
		t.Errorf("%d entries and %d ends are left", len(l.entries), len(l.ends))
	}
}
