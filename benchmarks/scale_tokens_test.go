package benchmarks

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"github.com/bearward/bearward/benchmarks/load/drive"
	"github.com/bearward/bearward/benchmarks/load/stand"
	"github.com/bearward/bearward/internal/facts"
	"github.com/bearward/bearward/internal/issuer"
	"github.com/bearward/bearward/internal/jose"
	"github.com/bearward/bearward/jwks"
	"github.com/bearward/bearward/validate"
	"github.com/bearward/bearward/validate/cache"
)

const (
	manyTokens = 1_000_000
	realTokens = 10_000 // of them, which are asked for
	hitTime    = 5 * time.Second
)

// crowd is a cache that is full, and the one issuer of its tokens. Most entries
// are of one and the same RS256 token, verified anew each time and stored as if
// it were another one, because nobody wants to wait for a million signatures.
type crowd struct {
	server   *issuer.Server
	keys     *seen
	ahead    atomic.Int64 // of the clock that the key set lives by
	filler   string
	tokens   []string
	verifier *validate.JWT
	issuers  *validate.Issuers
	memory   *cache.Cache
	next     atomic.Uint64 // of entries
}

// seen counts who asks for keys: only a token that is not in the cache does.
type seen struct {
	*jwks.Source

	asked atomic.Int64
}

func (s *seen) Keys(ctx context.Context, kid, alg string) ([]*validate.Key, error) {
	s.asked.Add(1)
	return s.Source.Keys(ctx, kid, alg)
}

func newCrowd(tb testing.TB, tokens int) *crowd {
	tb.Helper()
	must := func(err error) {
		if err != nil {
			tb.Fatal(err)
		}
	}
	var err error
	c := &crowd{}
	c.server, err = issuer.Start(issuer.Config{Algorithms: []string{"RS256", "ES256"}})
	must(err)
	tb.Cleanup(func() { _ = c.server.Close() })
	source, err := jwks.Remote(jwks.Config{
		Issuer: c.server.URL(), AllowHTTP: true, Logger: slog.New(slog.DiscardHandler),
		Now: func() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) },
	})
	must(err)
	tb.Cleanup(func() { _ = source.Close() })
	must(source.Load(context.Background()))
	config := validate.Config{Issuer: c.server.URL(), Audience: []string{issuer.DefaultAudience}, Keys: source}
	c.verifier, err = validate.NewJWT(config)
	must(err)
	c.keys = &seen{Source: source}
	config.Keys = c.keys
	counted, err := validate.NewJWT(config)
	must(err)
	c.issuers, err = validate.NewIssuers(validate.Leaf{Issuer: c.server.URL(), JWT: counted})
	must(err)
	c.filler, err = c.server.Sign(nil, stand.Claims(c.server, 0, ""))
	must(err)
	c.tokens = make([]string, tokens)
	for i := range c.tokens {
		c.tokens[i], err = c.server.Sign(map[string]any{"alg": "ES256"}, stand.Claims(c.server, i, ""))
		must(err)
	}
	return c
}

// open makes the cache. What it takes of the heap begins here.
func (c *crowd) open(tb testing.TB, entries int) {
	tb.Helper()
	var err error
	if c.memory, err = cache.New(cache.Config{Entries: entries}); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = c.memory.Close() })
	c.issuers.Remember(c.memory)
}

// put stores one entry more.
func (c *crowd) put(tb testing.TB) {
	var n [8]byte
	binary.LittleEndian.PutUint64(n[:], c.next.Add(1))
	digest := sha256.Sum256(n[:])
	raw := strings.Clone(c.filler) // as each request brings its own
	if _, err := c.memory.Share(context.Background(), digest, func(ctx context.Context) (*validate.Token, error) {
		return c.verifier.Verify(ctx, raw)
	}); err != nil {
		tb.Error(err)
	}
}

// fill stores entries, on all cores, until there are n.
func (c *crowd) fill(tb testing.TB, n int) {
	tb.Helper()
	var all sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		all.Go(func() {
			for c.memory.Entries() < n && c.next.Load() < 2*manyTokens {
				c.put(tb)
			}
		})
	}
	all.Wait()
}

// BenchmarkTokens has a cache with 1,000,000 tokens. B/token is what one takes of
// the heap beyond its payload and its Token, target 256, and facts-B/token how
// much of that is what the Token keeps for decisions. Then tokens in the cache are
// asked for while new ones push others out as fast as one core verifies them, and
// the key set is fetched anew every 20 ms: p99.9 of the hits shall be at most 10
// times their median. It is wall time, so this one needs a machine of its own; the
// floor, a digest of the same token just before, tells what the others there and
// the garbage collector add.
func BenchmarkTokens(b *testing.B) {
	if testing.Short() {
		b.Skip("a million tokens take time")
	}
	for b.Loop() {
		c := newCrowd(b, realTokens)
		before := heap()
		c.open(b, manyTokens)
		c.fill(b, manyTokens*99/100)
		each := float64(heap()-before) / float64(c.memory.Entries())
		b.ReportMetric(float64(c.memory.Entries()), "entries")
		b.ReportMetric(each-float64(c.payload(b))-float64(unsafe.Sizeof(validate.Token{})), "B/token")
		b.ReportMetric(float64(unsafe.Sizeof(facts.Facts{})), "facts-B/token")
		c.hits(b)
	}
	b.ReportMetric(0, "ns/op")
	hold(b, most("B/token", 256), most("p99.9/p50", 10))
}

// TestBytesPerToken holds what a token in the cache takes of the heap, beyond its
// payload and its Token, and in how many pieces: the collector follows each of them.
func TestBytesPerToken(t *testing.T) {
	if raceDetector || testing.Short() {
		t.Skip("the race detector needs memory too, and this takes a second")
	}
	const tokens = 20_000
	c := newCrowd(t, 1)
	before, pieces := heap(), objects()
	c.open(t, tokens)
	for range tokens {
		c.put(t)
	}
	n := float64(c.memory.Entries())
	each := float64(heap()-before)/n - float64(c.payload(t)) - float64(unsafe.Sizeof(validate.Token{}))
	if each > 720 || float64(objects()-pieces)/n > 3.5 || n < tokens*9/10 {
		t.Errorf("%.0f bytes and %.2f pieces for each of %.0f tokens", each, float64(objects()-pieces)/n, n)
	}
	runtime.KeepAlive(c)
}

func objects() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapObjects
}

func (c *crowd) payload(tb testing.TB) int {
	tb.Helper()
	payload, err := jose.Decode(strings.Split(c.filler, ".")[1])
	if err != nil {
		tb.Fatal(err)
	}
	return len(payload)
}

// hits asks for tokens while the cache churns.
func (c *crowd) hits(b *testing.B) {
	b.Helper()
	ended := make(chan struct{})
	var others sync.WaitGroup
	others.Go(func() {
		for refresh := time.Now(); ; c.put(b) {
			select {
			case <-ended:
				return
			default:
			}
			if now := time.Now(); now.Sub(refresh) > 20*time.Millisecond {
				c.ahead.Add(int64(10 * time.Minute))
				refresh = now
			}
		}
	})
	for range 3 { // tokens that are asked for are worth keeping
		for _, raw := range c.tokens {
			c.verify(b, raw)
		}
	}
	fetches, stored := c.server.Requests(""), c.next.Load()
	var floors, hits, misses drive.Latency
	for start := time.Now(); time.Since(start) < hitTime; {
		for _, raw := range c.tokens {
			asked, began := c.keys.asked.Load(), time.Now()
			_ = sha256.Sum256(jose.View(raw))
			floor := time.Now()
			c.verify(b, raw)
			ended := time.Now()
			floors.Add(floor.Sub(began))
			if c.keys.asked.Load() == asked {
				hits.Add(ended.Sub(floor))
			} else {
				misses.Add(ended.Sub(floor))
			}
		}
	}
	close(ended)
	others.Wait()
	b.ReportMetric(float64(c.server.Requests("")-fetches), "fetches")
	b.ReportMetric(float64(c.next.Load()-stored), "puts")
	b.ReportMetric(float64(misses.Count())/float64(hits.Count()+misses.Count()), "miss-share")
	for name, l := range map[string]*drive.Latency{"floor-": &floors, "": &hits} {
		half, most := float64(l.Quantile(0.5)), float64(l.Quantile(0.999))
		b.ReportMetric(half, name+"p50-ns")
		b.ReportMetric(most, name+"p99.9-ns")
		b.ReportMetric(most/half, name+"p99.9/p50")
	}
}

func (c *crowd) verify(tb testing.TB, raw string) {
	if _, err := c.issuers.Verify(context.Background(), raw); err != nil {
		tb.Error(err)
	}
}
