package benchmarks

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/bearward/bearward"
	"github.com/bearward/bearward/benchmarks/load/stand"
	"github.com/bearward/bearward/internal/forge"
	"github.com/bearward/bearward/internal/issuer"
	"github.com/bearward/bearward/jwks"
	"github.com/bearward/bearward/middleware"
	"github.com/bearward/bearward/validate"
	"github.com/bearward/bearward/validate/cache"
)

const (
	manyIssuers   = 10_000
	keysPerIssuer = 4
)

// federation is many issuers with four keys each, and as many tokens, which the
// issuers have signed in turn.
type federation struct {
	tokens   []string
	headers  []http.Header // with the tokens
	leaves   []validate.Leaf
	issuers  []bearward.Issuer
	n        int // calls
	verifier *validate.Issuers
	memory   *cache.Cache
	guard    *middleware.Guard
	policy   middleware.Policy
}

func newFederation(tb testing.TB, issuers, tokens int) *federation {
	tb.Helper()
	server, err := stand.NewIssuer("ES256") // for its claims only
	if err != nil {
		tb.Fatal(err)
	}
	defer server.Close()
	f := &federation{}
	for i := range issuers {
		url, drafts := "https://as-"+strconv.Itoa(i)+".example.test", f.add(tb, i)
		for n := i; n < tokens; n += issuers {
			d := drafts[n/issuers%keysPerIssuer]
			d.Claims = stand.Claims(server, n, "")
			d.Claims["iss"] = url
			raw, err := d.JWS()
			if err != nil {
				tb.Fatal(err)
			}
			f.tokens, f.headers = append(f.tokens, raw), append(f.headers, http.Header{"Authorization": {"Bearer " + raw}})
		}
	}
	f.wire(tb)
	return f
}

// add makes an issuer, and a draft for each of its keys.
func (f *federation) add(tb testing.TB, i int) (drafts [keysPerIssuer]forge.Draft) {
	tb.Helper()
	url := "https://as-" + strconv.Itoa(i) + ".example.test"
	var keys []validate.Key
	for k := range drafts {
		made, err := forge.NewKey("ES256")
		if err != nil {
			tb.Fatal(err)
		}
		id := fmt.Sprintf("key-%d-%d", i, k)
		drafts[k] = forge.Draft{Header: forge.Members{"alg": "ES256", "typ": "at+jwt", "kid": id}, Key: made}
		keys = append(keys, validate.Key{ID: id, Algorithm: "ES256", Public: made.Private.Public()})
	}
	source, err := jwks.Static(keys...)
	if err != nil {
		tb.Fatal(err)
	}
	verifier, err := validate.NewJWT(validate.Config{Issuer: url, Audience: []string{issuer.DefaultAudience}, Keys: source})
	if err != nil {
		tb.Fatal(err)
	}
	f.leaves = append(f.leaves, validate.Leaf{Issuer: url, JWT: verifier})
	f.issuers = append(f.issuers, bearward.Issuer{URL: url, Keys: source})
	return drafts
}

// wire makes a router, with a cache beside, and a guard that has one of its own.
func (f *federation) wire(tb testing.TB) {
	tb.Helper()
	var err error
	if f.verifier, err = validate.NewIssuers(f.leaves...); err != nil {
		tb.Fatal(err)
	}
	if f.memory, err = cache.New(cache.Config{}); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = f.memory.Close() })
	if f.guard, err = bearward.New(context.Background(), bearward.Config{Resource: issuer.DefaultAudience, Issuers: f.issuers}); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = f.guard.Close() })
	if f.policy, err = f.guard.Prepare(middleware.Policy{}); err != nil {
		tb.Fatal(err)
	}
}

func (f *federation) verify(i int) {
	if _, err := f.verifier.Verify(context.Background(), f.tokens[i]); err != nil {
		panic(err)
	}
}

func (f *federation) decide(i int) {
	_, d := f.guard.Decide(context.Background(), middleware.Request{
		Method: "GET", Scheme: "https", Host: "api.example", RawPath: "/orders", Header: f.headers[i],
	}, f.policy)
	if !d.Allowed {
		panic(d.Err)
	}
}

// BenchmarkIssuers has tokens of 10,000 issuers with four keys each, in turn,
// beside as many of a single issuer: the whole validation, a lookup in the
// cache, and a whole decision about a token in the cache. The target is 1.5.
// one-token has a single token in both, so that the caches of the processor do
// not count.
func BenchmarkIssuers(b *testing.B) {
	if testing.Short() {
		b.Skip("keys and tokens take time")
	}
	one, many := newFederation(b, 1, manyIssuers), newFederation(b, manyIssuers, manyIssuers)
	all := func(b *testing.B, run func(f *federation, i int)) {
		turn := func(f *federation) func() { return func() { f.n++; run(f, f.n%len(f.tokens)) } }
		still := func(f *federation) func() { return func() { run(f, manyIssuers/2) } }
		b.Run("in-turn", func(b *testing.B) { ratio(b, turn(one), turn(many), most("ratio", 1.5)) })
		b.Run("one-token", func(b *testing.B) { ratio(b, still(one), still(many), most("ratio", 1.5)) })
	}
	b.Run("full", func(b *testing.B) { all(b, (*federation).verify) })
	for _, f := range []*federation{one, many} {
		f.verifier.Remember(f.memory)
		for i := range f.tokens {
			f.verify(i)
			f.decide(i)
		}
	}
	time.Sleep(time.Second) // the caches write behind
	b.Run("cached", func(b *testing.B) { all(b, (*federation).verify) })
	b.Run("decide", func(b *testing.B) { all(b, (*federation).decide) })
}
