package dpop

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/binary"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bearward/bearward/internal/jose"
)

const (
	// nonceLife is how long a nonce is valid: from the second in which it was
	// issued up to, but not including, the instant nonceLife later.
	nonceLife = 5 * time.Minute
	// nonceFuture is how far the clock of another instance that issued a nonce
	// may be ahead of ours, to the second.
	nonceFuture = 10 * time.Second

	nonceBytes = 8 + macBytes       // seconds since 1970, MAC
	nonceText  = nonceBytes * 8 / 6 // characters: all bits are used, so there is one spelling
	maxSecrets = 16                 // to try for a foreign nonce
	minSecret  = 32                 // bytes
	lifeInSecs = int64(nonceLife / time.Second)
	aheadSecs  = int64(nonceFuture / time.Second)
)

// nonces issues authenticated timestamps and knows them again, so that nobody
// stores them (RFC 9449 §8, §9). Whoever shares a secret and the context knows
// them too. It is safe for concurrent use.
type nonces struct {
	context string
	ring    atomic.Pointer[keyring]

	// of the file with secrets, if there is one
	path   string
	logger *slog.Logger
	start  time.Time
	looked atomic.Int64 // when, in nanoseconds since start
	mu     sync.Mutex   // only against two readers; nobody waits for it
	failed bool         // the file, when it was last read
}

// newNonces takes the secrets of c, or those in its file, or makes one.
func newNonces(c *Config) (*nonces, error) {
	n := &nonces{context: c.Context, path: c.NonceKeysFile, logger: c.Logger, start: c.Clock()}
	secrets := c.NonceKeys
	switch {
	case n.path != "":
		var err error
		if secrets, err = readSecrets(n.path); err != nil {
			return nil, fmt.Errorf("dpop: nonce key file %s: %w", n.path, err)
		}
	case len(secrets) == 0:
		secrets = [][]byte{processSecret()}
	}
	if len(secrets) > maxSecrets { // [DP-27]
		return nil, fmt.Errorf("dpop: %w", errManySecrets)
	}
	ring := &keyring{context: n.context}
	for i, secret := range secrets {
		if len(secret) < minSecret { // [DP-24]
			return nil, fmt.Errorf("dpop: nonce key %d has %d bytes, want at least %d", i+1, len(secret), minSecret)
		}
		ring.secrets = append(ring.secrets, slices.Clone(secret))
	}
	n.ring.Store(ring)
	return n, nil
}

// processSecret lives as long as the process: nonces outlive a reload of the
// configuration.
var processSecret = sync.OnceValue(func() []byte {
	secret := make([]byte, minSecret)
	_, _ = rand.Read(secret) // never fails
	return secret
})

// issue returns the nonce to hand out at now, the same for everybody within a
// second.
func (n *nonces) issue(now time.Time) string {
	return n.use(now).issue(now.Unix())
}

// check reports whether nonce is one of ours and live at now, and when it was
// issued.
func (n *nonces) check(nonce string, now time.Time) (issued time.Time, ok bool) {
	return n.known(nonce, now, now.Unix()-lifeInSecs) // [DP-25]
}

// made is check for a nonce that may be too old by now, by as much as anybody
// asks about.
func (n *nonces) made(nonce string, now time.Time) (issued time.Time, ok bool) {
	return n.known(nonce, now, now.Add(-remembered-nonceLife).Unix())
}

// known knows nonces that were issued after a second.
func (n *nonces) known(nonce string, now time.Time, after int64) (issued time.Time, ok bool) {
	if len(nonce) != nonceText { // [DP-24]
		return time.Time{}, false
	}
	raw, err := jose.Decode(nonce)
	if err != nil { // [DP-24]
		return time.Time{}, false
	}
	second := int64(binary.BigEndian.Uint64(raw))         //nolint:gosec // what is out of range is not live
	if second > now.Unix()+aheadSecs || second <= after { // [DP-27]
		return time.Time{}, false
	}
	macs := n.use(now).of(second)
	for i := range macs {
		if sum := macs[i].sum(second); subtle.ConstantTimeCompare(sum[:], raw[8:]) == 1 { // [DP-24 JO-30]
			return time.Unix(second, 0), true
		}
	}
	return time.Time{}, false
}
