package dpop

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/bearward/bearward/internal/jose"
)

// Limits of Config.
const (
	DefaultWindow = time.Minute
	DefaultFuture = 10 * time.Second

	minWindow, maxWindow = 5 * time.Second, 5 * time.Minute
	maxFuture            = time.Minute
)

// Nonce says whether proofs must carry a nonce of this server (RFC 9449 §9).
// A route may raise what the Config says.
type Nonce uint8

// The modes, each stricter than the one before.
const (
	NonceOff      Nonce = iota // nonces are not asked for
	NonceAdaptive              // a proof outside of the time window needs one, one that is there must be valid
	NonceRequired              // every proof needs a valid one
)

// String returns the name that the server's file has for it.
func (n Nonce) String() string {
	switch n {
	case NonceOff:
		return "off"
	case NonceAdaptive:
		return "adaptive"
	case NonceRequired:
		return "required"
	}
	return fmt.Sprintf("Nonce(%d)", uint8(n))
}

// ReplayStore remembers the proofs that were used. First puts the entry if it
// is absent, in one atomic step, and reports whether it was absent: false is a
// replay. client is the thumbprint of the proof's key, id a digest over key,
// jti, method and target. The entry has to live until the instant until. An
// error is answered 503: *validate.Error keeps its code. A ReplayStore is safe
// for concurrent use.
type ReplayStore interface {
	First(ctx context.Context, client, id [32]byte, until time.Time) (bool, error)
}

// Forgetful is a ReplayStore that can lose what it held. Since returns the
// instant from which on it holds everything, as of the last First: a proof that
// could have been used before is refused.
type Forgetful interface {
	ReplayStore
	Since() time.Time
}

// Config says how proofs are judged. The zero value is complete.
type Config struct {
	// Algorithms is the allow-list for proofs; default DefaultAlgorithms.
	Algorithms []string
	// Window is how old a proof may be, 5 s to 5 min; default 60 s.
	Window time.Duration
	// Future is how far in the future its iat may be, up to 1 min; default
	// 10 s, negative: not at all.
	Future time.Duration

	// Nonce is what every route demands at least.
	Nonce Nonce
	// NonceKeys are secrets of 32 bytes or more that several processes share, at
	// most 16: the first issues nonces, all verify them. By default each process
	// makes its own.
	NonceKeys [][]byte
	// NonceKeysFile has such secrets of exactly 32 bytes in base64url, one a
	// line, and is read again when it changes: replace it by renaming another
	// onto it. It excludes NonceKeys.
	NonceKeysFile string

	// Replay remembers used proofs; nil: NewMemory with its defaults. One that
	// is given stays the program's own to close.
	Replay ReplayStore
	// RefuseStray refuses a proof beside an unbound bearer token, in place of
	// ignoring it.
	RefuseStray bool

	// Context separates nonces of servers that share keys: bearward.New sets
	// it to the resource.
	Context string
	Logger  *slog.Logger     // nil: slog.Default
	Clock   func() time.Time // nil: time.Now
}

// DefaultAlgorithms returns the algorithms that proofs may be signed with unless
// Config says otherwise. EdDSA is Ed25519.
func DefaultAlgorithms() []string { return []string{"ES256", "PS256", "RS256", "Ed25519"} }

// prepare fills in defaults and returns all faults at once.
func (c *Config) prepare() error {
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Clock == nil {
		c.Clock = time.Now
	}
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf("dpop: "+format, args...)) }
	if len(c.Algorithms) == 0 {
		c.Algorithms = DefaultAlgorithms()
	}
	algorithms := make([]string, 0, len(c.Algorithms))
	for _, alg := range c.Algorithms {
		alg = jose.Canonical(alg)
		if !jose.Known(alg) { // [DP-05]
			fault("algorithm %q is not supported for proofs", alg)
		}
		if !slices.Contains(algorithms, alg) {
			algorithms = append(algorithms, alg)
		}
	}
	c.Algorithms = algorithms
	if c.Window == 0 {
		c.Window = DefaultWindow
	}
	if c.Window < minWindow || c.Window > maxWindow { // [DP-13]
		fault("window %v is not within %v to %v", c.Window, minWindow, maxWindow)
	}
	switch {
	case c.Future == 0:
		c.Future = DefaultFuture
	case c.Future < 0:
		c.Future = 0
	case c.Future > maxFuture: // [DP-13]
		fault("future %v is more than %v", c.Future, maxFuture)
	}
	if c.Nonce > NonceRequired {
		fault("%v is no mode of nonces", c.Nonce)
	}
	if c.NonceKeysFile != "" && len(c.NonceKeys) > 0 {
		fault("NonceKeys and NonceKeysFile exclude each other")
	}
	return errors.Join(faults...)
}

// offered is the value of algs in challenges: EdDSA beside its new name, for
// clients that know only the old one.
func offered(algorithms []string) string {
	out := make([]string, 0, len(algorithms)+1)
	for _, alg := range algorithms {
		out = append(out, alg)
		if alg == "Ed25519" {
			out = append(out, "EdDSA")
		}
	}
	return strings.Join(out, " ")
}
