package introspect

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

const (
	sealVersion = 1
	sealedMost  = 1 << 20 // bytes of a value; more is not ours

	deriveSalt = "bearward introspection 1"
)

// errNoSharedSecret is a fault of the configuration.
var errNoSharedSecret = errors.New("the shared level needs SharedKey, because no key can be derived from how we authenticate ourselves")

// sharedSecret is what the keys of the shared level are derived from; nil
// without one.
func sharedSecret(cfg Config) ([]byte, error) {
	switch {
	case cfg.Shared == nil:
		return nil, nil
	case len(cfg.SharedKey) > 0 && len(cfg.SharedKey) < minSharedKey:
		return nil, fmt.Errorf("the shared key has %d bytes, want at least %d", len(cfg.SharedKey), minSharedKey)
	case len(cfg.SharedKey) > 0:
		return cfg.SharedKey, nil
	}
	var key any
	switch cfg.Auth.Method {
	case Basic, BasicRaw, Post:
		return nonEmpty([]byte(cfg.Auth.Secret))
	case Bearer:
		return nonEmpty([]byte(cfg.Auth.Token))
	case PrivateKeyJWT:
		key = cfg.Auth.Key
	case TLS, SelfSignedTLS:
		if cfg.Auth.Certificate != nil {
			key = cfg.Auth.Certificate.PrivateKey
		}
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil { // none, or a key that cannot leave its device
		return nil, errNoSharedSecret
	}
	return secret, nil
}

func nonEmpty(secret []byte) ([]byte, error) {
	if len(secret) == 0 {
		return nil, errNoSharedSecret
	}
	return secret, nil
}

// sharers names what processes have in common that use each other's answers:
// the server, who we are to it, and for whom its answers are meant. Methods
// without a client id have nothing else to tell two callers apart.
func (c *Config) sharers() []string {
	list := func(of []string) string { return strings.Join(slices.Sorted(slices.Values(of)), "\x00") }
	return []string{
		c.Token.Issuer, c.caller(),
		c.Endpoint,              // [IN-14]
		c.Auth.Token,            // [IN-14]
		list(c.Token.Audience),  // [IN-14]
		list(c.Token.ClientIDs), // [IN-14]
	}
}

// sealer turns answers into values for the shared level. The key of each comes
// from our secret and from the token: who reads the store and our secret still
// needs the token, and who has a token cannot write an answer about it.
type sealer struct {
	names, keys *keyer
}

func newSealer(secret []byte, parts ...string) (*sealer, error) {
	derive := func(use string) (*keyer, error) {
		key, err := hkdf.Key(sha256.New, secret, []byte(deriveSalt), use, sha256.Size)
		if err != nil {
			return nil, fmt.Errorf("deriving keys of the shared level: %w", err)
		}
		return newKeyer(key, parts...), nil
	}
	names, err := derive("name")
	if err != nil {
		return nil, err
	}
	keys, err := derive("key")
	return &sealer{names: names, keys: keys}, err
}

// sealed is an active answer in the shared level.
type sealed struct {
	asked, until time.Time
	claims       string
}

func (s *sealer) cipher(raw string) (cipher.AEAD, error) {
	key := s.keys.of(raw)
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// seal encrypts an answer about the token, for the place name only.
func (s *sealer) seal(raw string, name digest, answer sealed) ([]byte, error) {
	aead, err := s.cipher(raw)
	if err != nil {
		return nil, err
	}
	plain := make([]byte, 0, 1+2*binary.MaxVarintLen64+len(answer.claims))
	plain = append(plain, sealVersion)
	plain = binary.AppendVarint(plain, answer.asked.UnixMilli())
	plain = binary.AppendVarint(plain, answer.until.UnixMilli())
	plain = append(plain, answer.claims...)
	nonce := make([]byte, aead.NonceSize())
	_, _ = rand.Read(nonce) // never fails
	return aead.Seal(nonce, nonce, plain, name[:]), nil
}

// open is the reverse. It is false for everything that seal did not make.
func (s *sealer) open(raw string, name digest, value []byte) (sealed, bool) {
	aead, err := s.cipher(raw)
	if err != nil || len(value) > sealedMost || len(value) < aead.NonceSize() {
		return sealed{}, false
	}
	nonce, text := value[:aead.NonceSize()], value[aead.NonceSize():]
	plain, err := aead.Open(nil, nonce, text, name[:])
	if err != nil || len(plain) == 0 || plain[0] != sealVersion {
		return sealed{}, false
	}
	asked, n := binary.Varint(plain[1:])
	until, m := binary.Varint(plain[1+max(n, 0):])
	if n <= 0 || m <= 0 {
		return sealed{}, false
	}
	return sealed{time.UnixMilli(asked), time.UnixMilli(until), string(plain[1+n+m:])}, true
}
