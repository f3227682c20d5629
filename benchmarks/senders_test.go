package benchmarks

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/bearward/bearward/internal/jose"
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
// replay store and all rules, beside the bare verification of the same proofs'
// signatures by keys that were read before. known has a client whose key is
// remembered; new has more clients than are remembered, so that each proof's key
// is read anew, and more tokens and keys than the processor's caches hold.
func BenchmarkDPoP(b *testing.B) {
	for _, alg := range []string{"ES256", "Ed25519", "RS256", "PS256"} {
		for _, row := range []struct {
			name    string
			clients int
			ratio   float64
		}{{"known", 1, 1.08}, {"new", 12_000, 1.12}} {
			if row.clients > 1 && strings.HasSuffix(alg, "S256") && alg != "ES256" { // RSA keys take too long to make
				continue
			}
			b.Run(alg+"/"+row.name, func(b *testing.B) {
				memory, err := dpop.NewMemory(dpop.MemoryConfig{})
				if err != nil {
					b.Fatal(err)
				}
				g := newBound(b, middleware.DPoP, &always{Memory: memory})
				p := sign(b, newKeys(b, alg, row.clients), row.clients)
				for range p.headers {
					g.decide(p.take(), nil)
				}
				ratio(b, p.bare(b, alg), func() { g.decide(p.take(), nil) }, most("ratio", row.ratio))
			})
		}
	}
}

// bare verifies the signatures in turn with the standard library.
func (p *proofs) bare(tb testing.TB, alg string) func() {
	tb.Helper()
	type prepared struct {
		input []byte
		check func([]byte) bool
	}
	all, next := make([]prepared, len(p.headers)), 0
	for i, h := range p.headers {
		proof, err := jose.Open(h.Get("Dpop"), nil, nil)
		if err != nil {
			tb.Fatal(err)
		}
		header, err := jose.ParseProofHeader(proof.Header, nil)
		if err != nil {
			tb.Fatal(err)
		}
		key, err := jose.ParseKey(header.JWK)
		if err != nil {
			tb.Fatal(err)
		}
		all[i] = prepared{[]byte(proof.Input), rawCheck(tb, alg, key.Public, proof.Signature)}
	}
	return func() {
		one := all[next%len(all)]
		next++
		if !one.check(one.input) {
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
	above(b, func() { g.decide(plain, nil) }, func() {}, func() { g.decide(mtls, certificate) }, most("more-ns", 200))
}
