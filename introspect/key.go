package introspect

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"sync"
)

// digest stands for a token wherever it is remembered.
type digest [sha256.Size]byte

// keyer turns tokens into digests that tell nothing without its key.
type keyer struct{ pool sync.Pool }

// hasher is a keyed hash with room to work in, so that a digest needs no
// memory of its own.
type hasher struct {
	mac   hash.Hash
	block [1024]byte
	sum   digest
}

// newKeyer binds its digests to secret and to parts: the issuer, the caller's
// identity and whatever else must not be mixed up.
func newKeyer(secret []byte, parts ...string) *keyer {
	mac := hmac.New(sha256.New, secret)
	for _, part := range parts {
		var size [8]byte
		binary.BigEndian.PutUint64(size[:], uint64(len(part)))
		mac.Write(size[:])
		mac.Write([]byte(part)) // [IN-14]
	}
	key := mac.Sum(nil)
	k := &keyer{}
	k.pool.New = func() any { return &hasher{mac: hmac.New(sha256.New, key)} }
	return k
}

// of returns the token's digest. It allocates nothing.
func (k *keyer) of(raw string) digest {
	h := k.pool.Get().(*hasher)
	h.mac.Reset()
	for len(raw) > 0 {
		n := copy(h.block[:], raw)
		h.mac.Write(h.block[:n])
		raw = raw[n:]
	}
	h.mac.Sum(h.sum[:0])
	d := h.sum
	k.pool.Put(h)
	return d
}

// processSecret is a key that lives as long as the process.
var processSecret = sync.OnceValue(func() []byte {
	secret := make([]byte, sha256.Size)
	_, _ = rand.Read(secret) // never fails
	return secret
})
