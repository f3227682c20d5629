package benchmarks

import (
	"context"
	"crypto/sha256"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/bearward/bearward"
	"github.com/bearward/bearward/adapters/ginauth"
	"github.com/bearward/bearward/adapters/grpcauth"
	"github.com/bearward/bearward/adapters/httpauth"
	"github.com/bearward/bearward/internal/issuer"
	"github.com/bearward/bearward/jwks"
	"github.com/bearward/bearward/middleware"
	"github.com/bearward/bearward/validate"
	"github.com/bearward/bearward/validate/cache"
)

// repeated is a guard that has seen its token before.
type repeated struct {
	raw   string
	guard *middleware.Guard
}

func newRepeated(tb testing.TB) repeated {
	tb.Helper()
	s := newScene(tb, "RS256")
	source, err := jwks.Static(*s.key)
	if err != nil {
		tb.Fatal(err)
	}
	guard, err := bearward.New(context.Background(), bearward.Config{
		Resource: issuer.DefaultAudience,
		Issuers:  []bearward.Issuer{{URL: s.issuer, Keys: source, AllowHTTP: true}},
	})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = guard.Close() })
	return repeated{s.raw, guard}
}

// floor is what nobody can do without: the digest of the token and the time.
func (r repeated) floor() func() {
	raw := []byte(r.raw)
	return func() {
		_ = sha256.Sum256(raw)
		_ = time.Now()
	}
}

// lookup is the cache behind routing, as guards ask it.
func (r repeated) lookup(tb testing.TB) func() {
	tb.Helper()
	s := newScene(tb, "RS256")
	issuers, err := validate.NewIssuers(validate.Leaf{Issuer: s.issuer, JWT: s.verifier})
	if err != nil {
		tb.Fatal(err)
	}
	memory, err := cache.New(cache.Config{})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = memory.Close() })
	issuers.Remember(memory)
	return func() {
		if _, err := issuers.Verify(context.Background(), s.raw); err != nil {
			panic(err)
		}
	}
}

// BenchmarkCached has a token that was seen before. lookup is the validation by
// itself, target 1.3 times the digest and the time; decide is the whole decision;
// the others are an adapter, and what it costs more than the same without a guard
// and a lookup together.
func BenchmarkCached(b *testing.B) {
	r := newRepeated(b)
	lookup := r.lookup(b)
	b.Run("lookup", func(b *testing.B) { ratio(b, r.floor(), lookup, most("ratio", 1.3), most("allocs", 0)) })
	b.Run("decide", func(b *testing.B) { ratio(b, r.floor(), r.decide(b)) })
	for name, pair := range r.adapters(b) {
		b.Run(name, func(b *testing.B) {
			above(b, pair.floor, lookup, pair.run, most("more-ns", pair.more), most("allocs", 2))
		})
	}
}

func (r repeated) decide(tb testing.TB) func() {
	tb.Helper()
	p, err := r.guard.Prepare(middleware.Scopes("orders:read"))
	if err != nil {
		tb.Fatal(err)
	}
	in := middleware.Request{Method: "GET", Scheme: "https", Host: "api.example", RawPath: "/orders", Header: http.Header{"Authorization": {"Bearer " + r.raw}}}
	return func() {
		if _, d := r.guard.Decide(context.Background(), in, p); !d.Allowed {
			panic(d.Err)
		}
	}
}

// pair is a handler without a guard and with one, and what may be between them
// beside a lookup, in nanoseconds.
type pair struct {
	floor, run func()
	more       float64
}

// hello keeps what it gets, so that nothing is optimised away.
var (
	hello   http.Handler = http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) { request, sink = req, req.Context() })
	request *http.Request
	sink    context.Context
)

type marker struct{ context.Context }

// adapters are each beside the same without a guard. Of net/http's the floor also
// has a context of its own in a copy of the request, which no guard can do without.
func (r repeated) adapters(tb testing.TB) map[string]pair {
	tb.Helper()
	p := middleware.Scopes("orders:read")
	w := httptest.NewRecorder()
	bare := http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		hello.ServeHTTP(w, req.WithContext(&marker{req.Context()}))
	})
	made := func() *http.Request {
		req := httptest.NewRequest(http.MethodGet, "/orders", nil)
		req.Header.Set("Authorization", "Bearer "+r.raw)
		return req
	}
	req, guarded := made(), httpauth.Protect(r.guard, p)(hello)
	gin.SetMode(gin.ReleaseMode)
	open, closed := gin.New(), gin.New()
	open.GET("/orders", func(c *gin.Context) { sink = c.Request.Context() })
	closed.GET("/orders", ginauth.Protect(r.guard, p), func(c *gin.Context) { sink = c.Request.Context() })

	const method = "/orders.Orders/List"
	ctx := metadata.NewIncomingContext(context.Background(), metadata.Pairs("authorization", "Bearer "+r.raw, ":authority", "api.example"))
	info := &grpc.UnaryServerInfo{FullMethod: method}
	unary := grpcauth.Unary(r.guard, grpcauth.Methods{method: p})
	next := func(ctx context.Context, _ any) (any, error) { sink = ctx; return nil, nil }
	return map[string]pair{
		"net-http": {func() { bare.ServeHTTP(w, req) }, func() { guarded.ServeHTTP(w, req) }, 200},
		"gin":      {func() { open.ServeHTTP(w, req) }, func() { closed.ServeHTTP(w, req) }, 400},
		"gRPC": {func() { _, _ = next(ctx, nil) }, func() {
			if _, err := unary(ctx, nil, info, next); err != nil {
				panic(err)
			}
		}, 300},
	}
}

// TestRepeatedAllocations holds what does not depend on the machine.
func TestRepeatedAllocations(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector allocates too")
	}
	r := newRepeated(t)
	runs := map[string]func(){"lookup": r.lookup(t), "decide": r.decide(t)}
	most := map[string]float64{"lookup": 0, "decide": 1, "net-http": 2, "gin": 2, "gRPC": 2}
	for name, pair := range r.adapters(t) {
		runs[name] = pair.run
	}
	for name, run := range runs {
		run()
		if got := testing.AllocsPerRun(200, run); got > most[name] {
			t.Errorf("%s: %v allocations with a token that was seen before, want %v", name, got, most[name])
		}
	}
}
