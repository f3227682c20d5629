package zitadel

import (
	"testing"
	"time"

	"github.com/bearward/bearward/adapters/redisstore"
	"github.com/bearward/bearward/internal/redistest"
	"github.com/bearward/bearward/middleware"
)

// Processes share what they were told by a real Redis: one asks, the others
// know. Without Redis each asks for itself.
func TestSharedAnswers(t *testing.T) {
	redis := redistest.Start(t)
	p, now := startProvider(t, nil), new(clock)
	process := func() (*middleware.Guard, func(route, token string) int) {
		store, err := redisstore.Open(redisstore.Config{URL: redis.URL(), Clock: now.Now})
		if err != nil {
			t.Fatal(err)
		}
		issuer := p.opaque(basic(opaqueClient))
		issuer.Introspection.Shared = store.Introspection()
		guard := newGuard(t, now, issuer)
		t.Cleanup(func() { _ = guard.Close(); _ = store.Close() })
		return guard, newAPI(t, guard)
	}
	guard, first := process()
	_, second := process()
	expect := func(when string, call func(string, string) int, route, token string, want int) {
		t.Helper()
		if got := call(route, token); got != want {
			t.Errorf("%s: status %d, want %d", when, got, want)
		}
	}
	token := p.token(opaqueClient, "orders:read")
	expect("the first asks", first, "read", token, 200)
	p.down()
	expect("the second knows", second, "read", token, 200)
	expect("and decides for itself", second, "write", token, 403)
	expect("what nobody asked", second, "read", "a.b.c.d.e", 503)
	p.up()
	now.advance(time.Minute) // past every pause and every answer

	token = p.token(opaqueClient, "orders:read")
	expect("before it is revoked", first, "read", token, 200)
	p.revoke(opaqueClient, token)
	guard.Flush(token)
	expect("a process that hears of it later", second, "read", token, 401)

	token = p.token(opaqueClient, "orders:read")
	expect("with Redis", first, "read", token, 200)
	redis.Stop()
	expect("Redis is gone, known before", first, "read", token, 200)
	expect("Redis is gone, asked again", second, "read", token, 200)
	redis.Restart()
	now.advance(time.Minute)
	token = p.token(opaqueClient, "orders:read")
	expect("Redis is back, the first asks", first, "read", token, 200)
	p.down()
	expect("Redis is back, the second knows", second, "read", token, 200)
}
