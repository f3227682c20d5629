package middleware_test

import (
	"context"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bearward/bearward"
	"github.com/bearward/bearward/internal/issuer"
	"github.com/bearward/bearward/middleware"
	"github.com/bearward/bearward/validate"
)

// movingClock is a clock that many may read and one moves.
type movingClock struct{ at atomic.Int64 }

func (c *movingClock) now() time.Time          { return time.Unix(0, c.at.Load()) }
func (c *movingClock) advance(d time.Duration) { c.at.Add(int64(d)) }

// TestEverythingAtOnce: 64 goroutines ask one guard while keys rotate, routes
// are prepared, the metadata document is read and the guard is closed. Right
// tokens pass until it is closed, wrong ones never do, and the authorization
// server is asked once per rotation, whatever the wrong ones name as their
// key. [JK-13 JK-15 TR-18]
func TestEverythingAtOnce(t *testing.T) {
	const rotations = 10
	clock := &movingClock{}
	clock.at.Store(noon.UnixNano())
	iss, err := issuer.Start(issuer.Config{Now: clock.now})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = iss.Close() }()
	g, err := bearward.New(t.Context(), bearward.Config{
		Resource: api, Issuers: []bearward.Issuer{{URL: iss.URL(), AllowHTTP: true}}, Clock: clock.now,
		Observer: &recorder{},
	})
	if err != nil {
		t.Fatal(err)
	}
	mint := func(kind string, header map[string]any) string {
		claims := iss.Claims("")
		claims["exp"], claims["scope"] = noon.Add(time.Hour).Unix(), "read"
		var raw string
		if header != nil {
			raw, err = iss.Sign(header, claims)
		} else {
			raw, err = iss.Mint(kind, claims)
		}
		if err != nil {
			t.Error(err)
		}
		return raw
	}
	if err := g.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	before := iss.Requests("/jwks")

	var right atomic.Pointer[string]
	use := func(raw string) { right.Store(&raw) }
	use(mint("valid", nil))
	bad := []string{mint("bad-signature", nil), mint("wrong-key", nil), mint("alg-none", nil), mint("cnf-jkt", nil), "x.y.z", ""}
	for n := range 50 {
		bad = append(bad, mint("", map[string]any{"kid": "junk-" + strconv.Itoa(n)}))
	}
	read, err := g.Prepare(middleware.Scopes("read"))
	if err != nil {
		t.Fatal(err)
	}

	var ending, closed atomic.Bool
	stop := make(chan struct{})
	var all sync.WaitGroup
	for n := range 64 {
		all.Go(func() {
			for i := n; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				was := closed.Load()
				ctx, d := g.Decide(context.Background(), bearer(*right.Load()), read)
				switch {
				case d.Allowed && was:
					t.Error("accepted by a closed guard")
				case !d.Allowed && !(ending.Load() && validate.CodeOf(d.Err) == validate.ErrGuardClosed):
					t.Errorf("refused: %v", d.Err)
				case d.Allowed:
					if _, inner := g.Decide(ctx, bearer(*right.Load()), middleware.Scopes("write")); inner.Allowed {
						t.Error("a scope that nobody granted")
					}
				}
				if _, d := g.Decide(context.Background(), bearer(bad[i%len(bad)]), middleware.Policy{}); d.Allowed {
					t.Errorf("accepted: %s", bad[i%len(bad)])
				}
				switch i % 8 {
				case 0:
					if _, err := g.Prepare(middleware.Scopes("s" + strconv.Itoa(i%100))); err != nil {
						t.Error(err)
					}
				case 1:
					_, _, _ = g.Metadata(middleware.Request{Method: "GET", RawPath: "/.well-known/oauth-protected-resource"})
				case 2:
					_ = g.Explain(context.Background(), bearer(*right.Load()), read)
				case 3:
					_ = g.Health()
				}
			}
		})
	}
	for range rotations {
		if err := iss.Rotate(); err != nil {
			t.Error(err)
		}
		clock.advance(31 * time.Second)
		use(mint("valid", nil))
		if _, d := g.Decide(t.Context(), bearer(*right.Load()), read); !d.Allowed {
			t.Errorf("after a rotation: %v", d.Err)
		}
	}
	ending.Store(true)
	if err := g.Close(); err != nil {
		t.Error(err)
	}
	closed.Store(true)
	if _, d := g.Decide(t.Context(), bearer(*right.Load()), read); d.Allowed {
		t.Error("accepted by a closed guard")
	}
	close(stop)
	all.Wait()
	if asked := iss.Requests("/jwks") - before; asked > rotations+1 {
		t.Errorf("%d fetches of keys for %d rotations", asked, rotations)
	}
}
