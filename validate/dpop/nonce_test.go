package dpop

import (
	"bytes"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bearward/bearward/internal/jose"
)

// nonceNow is the first second of an epoch.
var nonceNow = time.Unix(1_800_000_000, 0)

func nonceSecret(fill byte) []byte { return bytes.Repeat([]byte{fill}, minSecret) }

func noncesWith(t testing.TB, context string, secrets ...[]byte) *nonces {
	t.Helper()
	n, err := newNonces(&Config{NonceKeys: secrets, Context: context, Clock: func() time.Time { return nonceNow }, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// live demands that n takes the nonce at now, and as issued at the instant
// issued unless that is zero, when it has to refuse.
func live(t testing.TB, n *nonces, nonce string, now, issued time.Time) {
	t.Helper()
	got, ok := n.check(nonce, now)
	if ok == issued.IsZero() || !got.Equal(issued) {
		t.Errorf("at %v: %v, %v, want %v", now.Sub(nonceNow), got.Sub(nonceNow), ok, issued)
	}
}

var never time.Time

func TestNonceLife(t *testing.T) { // [DP-24 DP-25 DP-27]
	n, other := noncesWith(t, "a", nonceSecret(1)), noncesWith(t, "a", nonceSecret(1))
	for _, start := range []time.Duration{0, 1, time.Second, 150 * time.Second, nonceLife - time.Second, nonceLife - 1} {
		now := nonceNow.Add(start)
		issued := now.Truncate(time.Second)
		nonce := n.issue(now)
		if len(nonce) != 32 || strings.ContainsAny(nonce, "=+/ ,\"\\") {
			t.Errorf("nonce %q", nonce)
		}
		for _, n := range []*nonces{n, other} {
			live(t, n, nonce, now, issued)
			live(t, n, nonce, issued.Add(nonceLife-1), issued)
			live(t, n, nonce, issued.Add(nonceLife), never)
			live(t, n, nonce, issued.Add(2*nonceLife), never)
			live(t, n, nonce, issued.Add(4*nonceLife), never) // the place of its keys has others
			live(t, n, nonce, issued.Add(365*24*time.Hour), never)
			live(t, n, nonce, issued.Add(-nonceFuture), issued)
			live(t, n, nonce, issued.Add(-nonceFuture-1), never)
			live(t, n, nonce, issued.Add(-nonceLife), never)
			live(t, n, nonce, now, issued)
		}
	}
	nonce := n.issue(nonceNow)
	if other := n.issue(nonceNow.Add(time.Second - 1)); other != nonce {
		t.Error("two nonces within a second")
	}
	if other := n.issue(nonceNow.Add(time.Second)); other == nonce {
		t.Error("one nonce in two seconds")
	}
	if n.issue(nonceNow) != nonce {
		t.Error("another nonce for the same second")
	}
}

// The form is fixed: instances of two versions share secrets.
func TestNonceForm(t *testing.T) { // [DP-27]
	n := noncesWith(t, "https://api.example.com", nonceSecret(1))
	now := nonceNow.Add(nonceLife + 7*time.Second)
	second := binary.BigEndian.AppendUint64(nil, uint64(now.Unix()))
	info := string(binary.BigEndian.AppendUint64(nil, uint64(now.Unix()/300))) + "https://api.example.com"
	key, err := hkdf.Key(sha256.New, nonceSecret(1), []byte("bearward dpop nonce 1"), info, 32)
	if err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(sha256.New, key)
	mac.Write(second)
	if got, want := n.issue(now), jose.Encode(append(second, mac.Sum(nil)[:16]...)); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestForeignNonce(t *testing.T) { // [DP-24]
	n := noncesWith(t, "a", nonceSecret(1))
	for name, other := range map[string]*nonces{
		"secret":         noncesWith(t, "a", nonceSecret(2)),
		"longer secret":  noncesWith(t, "a", append(nonceSecret(1), 0)),
		"context":        noncesWith(t, "b", nonceSecret(1)),
		"no context":     noncesWith(t, "", nonceSecret(1)),
		"longer context": noncesWith(t, "aa", nonceSecret(1)),
		"random secret":  noncesWith(t, "a"),
	} {
		t.Run(name, func(t *testing.T) {
			live(t, n, other.issue(nonceNow), nonceNow, never)
			live(t, other, n.issue(nonceNow), nonceNow, never)
		})
	}
	raw := binary.BigEndian.AppendUint64(nil, uint64(nonceNow.Unix()))
	live(t, n, jose.Encode(append(raw, make([]byte, macBytes)...)), nonceNow, never)
	live(t, n, jose.Encode(make([]byte, nonceBytes)), nonceNow, never)
	live(t, n, jose.Encode(bytes.Repeat([]byte{0xff}, nonceBytes)), nonceNow, never)
	live(t, n, jose.Encode(append([]byte{0x80}, make([]byte, nonceBytes-1)...)), nonceNow, never)
}

// Several secrets: the first issues, each verifies.
func TestNonceSecrets(t *testing.T) { // [DP-24 DP-27]
	first, second := noncesWith(t, "a", nonceSecret(1)), noncesWith(t, "a", nonceSecret(2))
	both := noncesWith(t, "a", nonceSecret(2), nonceSecret(1))
	live(t, both, first.issue(nonceNow), nonceNow, nonceNow)
	live(t, both, second.issue(nonceNow), nonceNow, nonceNow)
	live(t, second, both.issue(nonceNow), nonceNow, nonceNow)
	live(t, first, both.issue(nonceNow), nonceNow, never)

	var most [][]byte
	for i := range maxSecrets {
		most = append(most, nonceSecret(byte(i)))
	}
	live(t, noncesWith(t, "a", most...), noncesWith(t, "a", most[maxSecrets-1]).issue(nonceNow), nonceNow, nonceNow)

	secret := nonceSecret(1)
	own := noncesWith(t, "a", secret)
	secret[0]++
	live(t, first, own.issue(nonceNow), nonceNow, nonceNow)

	for want, secrets := range map[string][][]byte{
		"more than 16 nonce keys":                    append(most, nonceSecret(99)),
		"nonce key 2 has 31 bytes, want at least 32": {nonceSecret(1), nonceSecret(1)[1:]},
		"nonce key 1 has 0 bytes, want at least 32":  {nil},
		"nonce key 3 has 5 bytes, want at least 32":  {nonceSecret(1), nonceSecret(2), []byte("sesam")},
	} {
		_, err := newNonces(&Config{NonceKeys: secrets, Clock: time.Now, Logger: slog.Default()})
		if err == nil || err.Error() != "dpop: "+want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// Without secrets there is one of the process, which nonces outlive a reload by.
func TestProcessSecret(t *testing.T) { // [DP-24]
	live(t, noncesWith(t, "a"), noncesWith(t, "a").issue(nonceNow), nonceNow, nonceNow)
	live(t, noncesWith(t, "a"), noncesWith(t, "b").issue(nonceNow), nonceNow, never)
	if s := processSecret(); len(s) != minSecret || bytes.Equal(s, make([]byte, minSecret)) {
		t.Error("no secret")
	}
}

func TestBentNonce(t *testing.T) { // [DP-24]
	n := noncesWith(t, "a", nonceSecret(1))
	nonce := n.issue(nonceNow)
	raw, err := jose.Decode(nonce)
	if err != nil {
		t.Fatal(err)
	}
	for bit := range len(raw) * 8 {
		bent := bytes.Clone(raw)
		bent[bit/8] ^= 1 << (bit % 8)
		live(t, n, jose.Encode(bent), nonceNow, never)
	}
	for i := range len(nonce) {
		live(t, n, nonce[:i], nonceNow, never)
		live(t, n, nonce[i+1:], nonceNow, never)
		for _, c := range []string{"", "\n", "=", "+", "/", ".", " ", "\x00", "\u00e9"} {
			if c != "" {
				live(t, n, nonce[:i]+c+nonce[i:], nonceNow, never)
			}
			live(t, n, nonce[:i]+c+nonce[i+1:], nonceNow, never)
		}
	}
	for _, in := range []string{nonce + "A", nonce + "==", nonce + "\n", "\n" + nonce, nonce + nonce, strings.ToLower(nonce), strings.Repeat("A", 1<<16), strings.Repeat("\n", 32)} {
		live(t, n, in, nonceNow, never)
	}
	live(t, n, nonce, nonceNow, nonceNow)
}

// Whatever the time is, the keys of four epochs at most are held, and those of
// one epoch are derived once.
func TestNonceKeysAreBounded(t *testing.T) { // [DP-27]
	n := noncesWith(t, "a", nonceSecret(1))
	for i := range 100 {
		now := nonceNow.Add(time.Duration(i) * nonceLife)
		live(t, n, n.issue(now), now.Add(nonceLife-1), now)
	}
	r := n.ring.Load()
	before := r.of(nonceNow.Unix())
	for range 3 {
		n.issue(nonceNow.Add(nonceLife - 1))
	}
	if &before[0] != &r.of(nonceNow.Unix() + 299)[0] {
		t.Error("derived twice")
	}
	for _, now := range []time.Time{time.Unix(-1, 0), time.Unix(-301, 0), time.Unix(0, 0), time.Unix(1<<40, 0)} {
		live(t, n, n.issue(now), now, now.Truncate(time.Second))
	}
}

func TestNoncesConcurrently(t *testing.T) {
	n := noncesWith(t, "a", nonceSecret(1), nonceSecret(2))
	var all sync.WaitGroup
	for g := range 8 {
		all.Go(func() {
			for i := range 400 {
				now := nonceNow.Add(time.Duration(i*7+g) * time.Second)
				live(t, n, n.issue(now), now.Add(nonceLife/2), now)
			}
		})
	}
	all.Wait()
}

func FuzzNonce(f *testing.F) {
	n := noncesWith(f, "a", nonceSecret(1), nonceSecret(2))
	nonce := n.issue(nonceNow)
	for _, seed := range []string{"", nonce, nonce[1:], nonce + "A", nonce[:31] + "\n", n.issue(nonceNow.Add(-nonceLife)), noncesWith(f, "a", nonceSecret(3)).issue(nonceNow), strings.Repeat("A", 32), strings.Repeat("_", 32)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		issued, ok := n.check(in, nonceNow)
		if !ok && !issued.IsZero() {
			t.Fatalf("refused as issued at %v", issued)
		}
		if ok && in != n.issue(issued) {
			t.Fatalf("%q was never issued", in)
		}
	})
}
