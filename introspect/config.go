package introspect

import (
	"context"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"net/url"
	"time"

	"github.com/bearward/bearward/validate"
)

// Config describes one issuer's introspection endpoint, and what its answers
// are held to.
type Config struct {
	// Token says what an answer is held to. Its Issuer is the server that is
	// asked. Keys and Algorithms verify signed answers; they are needed for
	// those only.
	Token validate.Config

	Endpoint     string // default: what the issuer's metadata names
	DiscoveryURL string // of that metadata, where it is not at the well-known places
	Auth         Auth

	NoTokenTypeHint bool           // do not send token_type_hint=access_token
	SignedResponse  SignedResponse // RFC 9701
	// SignedAudience is the aud of signed answers; default Auth.ClientID. Some
	// servers follow an older draft and name the token's audience.
	SignedAudience []string

	Cache  CacheConfig
	Limits Limits

	// Shared is a second level of the cache for several processes. What it
	// holds is encrypted and authenticated by a key that is derived from
	// SharedKey, or from the secret of Auth without it: all processes need
	// the same.
	Shared    Store
	SharedKey []byte // at least 32 random bytes

	AllowPrivate bool           // https to private and loopback addresses too
	AllowHTTP    bool           // implies AllowPrivate; plain http to such addresses only
	RootCAs      *x509.CertPool // nil: those of the system
	Proxy        *url.URL       // http or https; the environment is not read

	Logger *slog.Logger // nil: slog.Default
}

// Method is how the resource server authenticates itself (RFC 7662 §2.1).
type Method string

// The methods. There is no default.
const (
	Basic         Method = "client_secret_basic"         // id and secret form-encoded first (RFC 6749 §2.3.1)
	BasicRaw      Method = "client_secret_basic_raw"     // for servers that do not decode them
	Post          Method = "client_secret_post"          // id and secret in the form
	PrivateKeyJWT Method = "private_key_jwt"             // a signed assertion (RFC 7523)
	TLS           Method = "tls_client_auth"             // a client certificate (RFC 8705 §2.1)
	SelfSignedTLS Method = "self_signed_tls_client_auth" // a client certificate (RFC 8705 §2.2)
	Bearer        Method = "bearer"                      // an access token for the endpoint
	None          Method = "none"                        // for loopback and private endpoints only
)

// Auth is what the resource server authenticates itself with.
type Auth struct {
	Method   Method
	ClientID string // required for all methods but Bearer and None; also the caller's identity in signed answers

	Secret string // Basic, BasicRaw, Post

	Key       crypto.Signer // PrivateKeyJWT
	KeyID     string        // PrivateKeyJWT: kid of the assertion; "" for none
	Algorithm string        // PrivateKeyJWT: default what fits the key: RS256, ES256, ES384 or EdDSA
	Audience  string        // PrivateKeyJWT: aud of the assertion; default the issuer

	Certificate *tls.Certificate // TLS, SelfSignedTLS; may be set with the others too

	Token string // Bearer
	// TokenSource returns the token of method Bearer where it changes. It may
	// be called for each exchange and has to be safe for concurrent use.
	TokenSource func(ctx context.Context) (string, error)
}

// SignedResponse says whether answers are signed (RFC 9701).
type SignedResponse string

// The values. The zero value is Off.
const (
	Off     SignedResponse = "off"
	Accept  SignedResponse = "accept"  // ask for a signed answer, take a plain one too
	Require SignedResponse = "require" // a plain answer is no answer
)

// CacheConfig says how long answers are used. What is zero has its default,
// what is negative is off.
type CacheConfig struct {
	Positive time.Duration // default 30 s, at most 5 min; never past exp. It is the delay of a revocation
	Negative time.Duration // default 5 s, at most 10 s
	Entries  int           // of active tokens; default 100,000, at most 10,000,000
	// IgnoreNoStore uses answers for their time although the server says
	// Cache-Control: no-store or no-cache, which some say about every answer.
	IgnoreNoStore bool
}

// Limits bound what is asked of the server at once. What is zero has its
// default.
type Limits struct {
	Parallel  int           // calls in flight; default 64
	PerSecond int           // calls begun in a second; default 500
	Timeout   time.Duration // of one call; default 3 s, at most 30 s
}

// Store is a shared second level of the cache. Keys tell nothing about tokens,
// values are sealed before they are stored. It is safe for concurrent use.
type Store interface {
	Get(ctx context.Context, key [32]byte) (value []byte, err error) // nil, nil: nothing there
	Set(ctx context.Context, key [32]byte, value []byte, ttl time.Duration) error
	Delete(ctx context.Context, key [32]byte) error
}
