package config

import "time"

// DPoP says how proofs of possession are judged (RFC 9449).
type DPoP struct {
	// Enabled is false to say that this is off, and nothing else then.
	Enabled bool `key:"enabled" default:"true"`
	// Replay says where used proofs are remembered: in memory, each instance for
	// itself, or on redis, shared.
	Replay string `key:"replay" default:"memory" enum:"memory redis" restart:"true"`
	// Entries is the number of proofs that memory remembers at once; what is
	// beyond is answered 503. No client gets more than a quarter.
	Entries int `key:"entries" default:"4000000" min:"1" max:"100000000" restart:"true"`
	// Window is how old a proof may be.
	Window time.Duration `key:"window" default:"60s" min:"5s" max:"5m"`
	// Future is how far in the future it may be made.
	Future time.Duration `key:"future" default:"10s" min:"0s" max:"1m"`
	// Nonce says whether proofs need a nonce of this server: adaptive asks for
	// one where a proof is outside of window, required always. A DPoP-Nonce of
	// the upstream is about other proofs and never reaches the client.
	Nonce string `key:"nonce" default:"off" enum:"off adaptive required"`
	// NonceKeysFile is a file of secrets, one a line, of 32 bytes in base64url,
	// the same for all instances: the first makes nonces, all verify them. It is
	// read again when it changes. By default each process has its own.
	NonceKeysFile string `key:"nonce_keys_file" read:"own"`
	// StrayProof says what happens to a proof beside an unbound bearer token.
	StrayProof string `key:"stray_proof" default:"ignore" enum:"ignore refuse"`
	// Algorithms is the allow-list for proofs; by default ES256, PS256, RS256 and
	// Ed25519.
	Algorithms []string `key:"algorithms"`
}

// ClientCertHeader is the header in which trusted proxies forward the client's
// certificate. From anybody else it is ignored. It never reaches the upstream,
// except with forward_credentials; forward_headers tell who the caller is.
type ClientCertHeader struct {
	// Name is that of the header, Client-Cert for example.
	Name string `key:"name" required:"true"`
	// Format is how it has the certificate: rfc9440, pem-urlencoded (nginx:
	// $ssl_client_escaped_cert), pem-oneline (Apache: %{SSL_CLIENT_CERT}s), xfcc
	// (Envoy) or base64-der (HAProxy, Traefik).
	Format string `key:"format" required:"true" enum:"rfc9440 pem-urlencoded pem-oneline xfcc base64-der"`
}
