package benchmarks

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"io"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/bearward/bearward/internal/prove"
	"github.com/bearward/bearward/introspect"
	"github.com/bearward/bearward/middleware"
	"github.com/bearward/bearward/validate"
	"github.com/bearward/bearward/validate/dpop"
)

// bound is a guard whose tokens are bound to their senders and whose answers
// about them come from the cache, so that what is measured is the proof.
type bound struct {
	guard  *middleware.Guard
	policy middleware.Policy
}

const boundURL = "https://api.example/orders"

// newBound makes a guard whose issuer says of every token that it is bound to
// what its text names: a member of cnf and its value, joined by a dot.
func newBound(tb testing.TB, binding middleware.Binding, replay dpop.ReplayStore) bound {
	tb.Helper()
	exp := strconv.FormatInt(time.Now().Add(time.Hour).Unix(), 10)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		member, value, _ := strings.Cut(r.Form.Get("token"), ".")
		cnf := ""
		if member != "plain" {
			cnf = `"cnf":{"` + map[string]string{"jkt": "jkt", "x5t": "x5t#S256"}[member] + `":"` + value + `"},`
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"active":true,`+cnf+`"iss":"https://as.example","aud":"https://api.example","sub":"u","client_id":"c","scope":"orders:read","exp":`+exp+`}`)
	}))
	tb.Cleanup(server.Close)
	v, err := introspect.New(introspect.Config{
		Token:    validate.Config{Issuer: "https://as.example", Audience: []string{"https://api.example"}},
		Endpoint: server.URL, AllowHTTP: true, Logger: slog.New(slog.DiscardHandler),
		Auth:   introspect.Auth{Method: introspect.Basic, ClientID: "api", Secret: "secret"},
		Limits: introspect.Limits{PerSecond: 1 << 30},
		Cache:  introspect.CacheConfig{Positive: 5 * time.Minute},
	})
	if err != nil {
		tb.Fatal(err)
	}
	proofs, err := dpop.New(dpop.Config{Replay: replay, Window: 5 * time.Minute})
	if err != nil {
		tb.Fatal(err)
	}
	guard, err := middleware.New(middleware.Config{
		Resource: "https://api.example", DPoP: proofs, PublicURLs: []string{"https://api.example"},
		Issuers: []middleware.Issuer{{URL: "https://as.example", Name: "as", Audience: []string{"https://api.example"}, Introspection: v, Opaque: true}},
	})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = guard.Close() })
	p, err := guard.Prepare(middleware.Scopes("orders:read").WithBinding(binding))
	if err != nil {
		tb.Fatal(err)
	}
	return bound{guard, p}
}

func (b bound) decide(header http.Header, certificate *x509.Certificate) {
	_, d := b.guard.Decide(context.Background(), middleware.Request{
		Method: "GET", Scheme: "https", Host: "api.example", RawPath: "/orders", Header: header,
		Peer: netip.AddrFrom4([4]byte{127, 0, 0, 1}), Certificate: certificate,
	}, b.policy)
	if !d.Allowed {
		panic(d.Err)
	}
}

// proofs are requests that were signed before anything is measured.
type proofs struct {
	headers []http.Header
	next    int
}

func sign(tb testing.TB, keys []*prove.Key, n int) *proofs {
	tb.Helper()
	p := &proofs{headers: make([]http.Header, n)}
	for i := range p.headers {
		key := keys[i%len(keys)]
		token := "jkt." + key.Thumbprint()
		proof, err := key.Sign(prove.Claims{Method: "GET", URL: boundURL, Token: token})
		if err != nil {
			tb.Fatal(err)
		}
		p.headers[i] = http.Header{"Authorization": {"DPoP " + token}, "Dpop": {proof}}
	}
	return p
}

func (p *proofs) take() http.Header {
	h := p.headers[p.next%len(p.headers)]
	p.next++
	return h
}

// always lets every proof pass after a real insert of another id, so that one
// signed request can be sent as often as it takes to measure.
type always struct {
	*dpop.Memory
	n uint64
}

func (a *always) First(ctx context.Context, client, id [32]byte, until time.Time) (bool, error) {
	a.n++
	for i := range 8 {
		id[i] ^= byte(a.n >> (8 * i))
	}
	return a.Memory.First(ctx, client, id, until)
}

func newKeys(tb testing.TB, alg string, n int) []*prove.Key {
	tb.Helper()
	keys := make([]*prove.Key, n)
	for i := range keys {
		var err error
		if keys[i], err = prove.NewKey(alg); err != nil {
			tb.Fatal(err)
		}
	}
	return keys
}

// BenchmarkDPoP is a whole decision about a token that the cache knows: proof,
// replay store and all rules, beside the bare verification of the proof's
// signature. known has a client whose key is remembered, target 1.08; new has
// more clients than are remembered, so that each proof's key is read anew, target
// 1.12.
func BenchmarkDPoP(b *testing.B) {
	for _, alg := range []string{"ES256", "Ed25519", "RS256", "PS256"} {
		floor := bare(b, alg)
		for name, clients := range map[string]int{"known": 1, "new": 12_000} {
			if clients > 1 && alg != "ES256" && alg != "Ed25519" { // RSA keys take too long to make
				continue
			}
			b.Run(alg+"/"+name, func(b *testing.B) {
				memory, err := dpop.NewMemory(dpop.MemoryConfig{})
				if err != nil {
					b.Fatal(err)
				}
				g := newBound(b, middleware.DPoP, &always{Memory: memory})
				p := sign(b, newKeys(b, alg, clients), clients)
				for range p.headers {
					g.decide(p.take(), nil)
				}
				ratio(b, floor, func() { g.decide(p.take(), nil) })
			})
		}
	}
}

// bare verifies one signature with the standard library, over as many bytes as a
// proof has.
func bare(tb testing.TB, alg string) func() {
	tb.Helper()
	proof := sign(tb, newKeys(tb, alg, 1), 1).take().Get("Dpop")
	input := []byte(proof[:strings.LastIndexByte(proof, '.')])
	sum := sha256.Sum256(input)
	var check func() bool
	switch alg {
	case "ES256":
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			tb.Fatal(err)
		}
		r, s, err := ecdsa.Sign(rand.Reader, key, sum[:])
		if err != nil {
			tb.Fatal(err)
		}
		der, err := asn1.Marshal(struct{ R, S *big.Int }{r, s})
		if err != nil {
			tb.Fatal(err)
		}
		check = func() bool { sum := sha256.Sum256(input); return ecdsa.VerifyASN1(&key.PublicKey, sum[:], der) }
	case "Ed25519":
		public, private, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			tb.Fatal(err)
		}
		signature := ed25519.Sign(private, input)
		check = func() bool { return ed25519.Verify(public, input, signature) }
	default:
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			tb.Fatal(err)
		}
		signature, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum[:])
		if err != nil {
			tb.Fatal(err)
		}
		check = func() bool {
			sum := sha256.Sum256(input)
			return rsa.VerifyPKCS1v15(&key.PublicKey, crypto.SHA256, sum[:], signature) == nil
		}
	}
	return func() {
		if !check() {
			panic("the floor does not verify")
		}
	}
}

// BenchmarkMTLS is a whole decision about a token that is bound to a
// certificate and that the cache knows, beside the same about a plain bearer
// token. Target: 0.2 µs more.
func BenchmarkMTLS(b *testing.B) {
	certificate := &x509.Certificate{Raw: []byte(strings.Repeat("certificate", 80))}
	sum := sha256.Sum256(certificate.Raw)
	g := newBound(b, middleware.IfBound, nil)
	plain := http.Header{"Authorization": {"Bearer plain.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}}
	mtls := http.Header{"Authorization": {"Bearer x5t." + base64.RawURLEncoding.EncodeToString(sum[:])}}
	ratio(b, func() { g.decide(plain, nil) }, func() { g.decide(mtls, certificate) })
}
