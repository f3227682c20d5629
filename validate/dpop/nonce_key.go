package dpop

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"sync"
	"sync/atomic"

	"github.com/bearward/bearward/internal/jose"
)

const (
	nonceSalt = "bearward dpop nonce 1"
	macBytes  = 16 // of the MAC's 32: RFC 2104 §5 asks for half or more
)

// keyring has the secrets, the first of which issues, and the keys derived from
// them: each serves for one epoch, which is as long as a nonce lives. So a live
// nonce is of the current epoch, the one before, or, by another's clock, the
// next.
type keyring struct {
	context string
	secrets [][]byte

	epochs   [4]atomic.Pointer[epochKeys] // by the epoch's last bits
	deriving sync.Mutex
	latest   atomic.Pointer[freshNonce]
}

// epochKeys has a key for each secret.
type epochKeys struct {
	epoch int64
	macs  []nonceMAC
}

// freshNonce is the nonce of a second.
type freshNonce struct {
	second int64
	text   string
}

func (r *keyring) issue(second int64) string {
	if s := r.latest.Load(); s != nil && s.second == second {
		return s.text
	}
	sum := r.of(second)[0].sum(second)
	raw := binary.BigEndian.AppendUint64(make([]byte, 0, nonceBytes), uint64(second)) //nolint:gosec // the reverse of check
	text := jose.Encode(append(raw, sum[:]...))
	r.latest.Store(&freshNonce{second, text})
	return text
}

// of returns the keys for nonces of the second, one for each secret. They are
// derived once in an epoch.
func (r *keyring) of(second int64) []nonceMAC {
	epoch := second / lifeInSecs
	slot := &r.epochs[epoch&3]
	if k := slot.Load(); k != nil && k.epoch == epoch {
		return k.macs
	}
	r.deriving.Lock()
	defer r.deriving.Unlock()
	if k := slot.Load(); k != nil && k.epoch == epoch {
		return k.macs
	}
	k := &epochKeys{epoch, make([]nonceMAC, len(r.secrets))}
	for i, secret := range r.secrets {
		k.macs[i].pool.New = nonceKey(secret, r.context, epoch)
	}
	slot.Store(k)
	return k.macs
}

// nonceKey derives the key of an epoch and returns what makes MACs with it.
func nonceKey(secret []byte, context string, epoch int64) func() any {
	info := binary.BigEndian.AppendUint64(nil, uint64(epoch)) //nolint:gosec // any bits will do
	info = append(info, context...)                           // [DP-24]
	key, err := hkdf.Key(sha256.New, secret, []byte(nonceSalt), string(info), sha256.Size)
	if err != nil {
		panic("dpop: " + err.Error()) // only for lengths, and these are right
	}
	return func() any { return &macRoom{mac: hmac.New(sha256.New, key)} }
}

// nonceMAC is HMAC-SHA-256 under one key.
type nonceMAC struct{ pool sync.Pool }

// macRoom is what a MAC needs, so that it allocates nothing.
type macRoom struct {
	mac   hash.Hash
	input [8]byte
	sum   [sha256.Size]byte
}

func (m *nonceMAC) sum(second int64) [macBytes]byte {
	room := m.pool.Get().(*macRoom)
	defer m.pool.Put(room)
	room.mac.Reset()
	binary.BigEndian.PutUint64(room.input[:], uint64(second)) //nolint:gosec // the reverse of check
	room.mac.Write(room.input[:])
	room.mac.Sum(room.sum[:0])
	return [macBytes]byte(room.sum[:])
}
