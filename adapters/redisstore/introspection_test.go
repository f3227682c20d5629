package redisstore_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/bearward/bearward/internal/redistest"
)

const largest = 64 << 10

func TestIntrospection(t *testing.T) {
	server := redistest.Start(t)
	here, there := open(t, server.URL()), open(t, server.URL())
	ctx, key := t.Context(), [32]byte{1, 2, 3}
	if v, err := here.Introspection().Get(ctx, key); v != nil || err != nil {
		t.Errorf("before: %q, %v", v, err)
	}
	value := bytes.Repeat([]byte{0, 0xff, '\r', '\n'}, largest/4)
	must(t, here.Introspection().Set(ctx, key, value, time.Minute))
	if v, err := there.Introspection().Get(ctx, key); !bytes.Equal(v, value) || err != nil {
		t.Errorf("elsewhere: %d bytes, %v", len(v), err)
	}
	if v, err := there.Introspection().Get(ctx, [32]byte{1, 2, 4}); v != nil || err != nil {
		t.Errorf("another key: %q, %v", v, err)
	}
	must(t, there.Introspection().Delete(ctx, key))
	must(t, there.Introspection().Delete(ctx, key))
	if v, err := here.Introspection().Get(ctx, key); v != nil || err != nil {
		t.Errorf("deleted: %q, %v", v, err)
	}
}

// What is stored ends by itself, and is bounded. [CA-05]
func TestIntrospectionIsBounded(t *testing.T) {
	server := redistest.Start(t)
	s, redis := open(t, server.URL()), raw(t, server)
	ctx, key := t.Context(), [32]byte{9}
	for _, c := range []struct {
		value []byte
		ttl   time.Duration
	}{
		{make([]byte, largest+1), time.Minute},
		{[]byte("x"), time.Millisecond - 1},
		{[]byte("x"), -time.Second},
		{nil, time.Minute},
	} {
		must(t, s.Introspection().Set(ctx, key, c.value, c.ttl))
	}
	if n := redis.DBSize(ctx).Val(); n != 0 {
		t.Fatalf("%d entries", n)
	}
	must(t, s.Introspection().Set(ctx, key, []byte("x"), 90*time.Second))
	name := "bearward:i:" + base64.RawURLEncoding.EncodeToString(key[:])
	if left := redis.PTTL(ctx, name).Val(); left <= 0 || left > 90*time.Second {
		t.Errorf("kept for %v", left)
	}
	must(t, redis.Set(ctx, name, make([]byte, largest+1), 0).Err())
	if v, err := s.Introspection().Get(ctx, key); v != nil || err == nil {
		t.Errorf("a large value: %d bytes, %v", len(v), err)
	}
	must(t, redis.Del(ctx, name).Err())
	must(t, redis.LPush(ctx, name, "x").Err())
	if v, err := s.Introspection().Get(ctx, key); v != nil || err == nil {
		t.Errorf("a list: %q, %v", v, err)
	}
	if !s.Health().Up {
		t.Errorf("a bad value is an outage: %+v", s.Health())
	}
}

// FuzzForeign reads what somebody else wrote under our names.
func FuzzForeign(f *testing.F) {
	for _, seed := range []string{"", "1", "0", "01", "-1", "1e9", "99999999999999999999", "1\n", "\x00", " 1"} {
		f.Add(seed)
	}
	server := redistest.Start(f)
	f.Fuzz(func(t *testing.T, value string) {
		s, redis := open(t, server.URL()), raw(t, server)
		ctx := context.Background()
		list, token := s.Revocations(0), s.token()
		for _, name := range keysOf(t, s, redis) {
			must(t, redis.Set(ctx, name, value, 0).Err())
			revoked, err := list.Revoked(ctx, token)
			if !revoked && err == nil && (value == "" || value[0] < '0' || value[0] > '9') {
				t.Errorf("%s with %q passes", name, value)
			}
			must(t, redis.Del(ctx, name).Err())
		}
	})
}

// While the shared level's own deadline is ours, its timeouts still count.
func TestCallersDeadlineCounts(t *testing.T) {
	server := serve(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) })
	s := open(t, server.url(), hasty)
	for range 3 {
		within(t, func() {
			ctx, cancel := context.WithTimeout(context.Background(), 45*time.Millisecond)
			defer cancel()
			if v, err := s.Introspection().Get(ctx, [32]byte{1}); v != nil || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%q, %v", v, err)
			}
		})
	}
	if h := s.Health(); h.Up || s.log.count(begins) != 1 {
		t.Errorf("%+v\n%s", h, s.log)
	}
}
