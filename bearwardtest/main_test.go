package bearwardtest_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"runtime"
	"slices"
	"testing"

	"go.uber.org/goleak"

	"github.com/bearward/bearward/middleware"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// request is GET /orders with this Authorization value, none if it is empty.
func request(authorization string) middleware.Request {
	r := middleware.Request{
		Method: "GET", Scheme: "http", Host: "api.example.test", RawPath: "/orders",
		Header: http.Header{}, Peer: netip.MustParseAddr("127.0.0.1"), Local: netip.MustParseAddr("127.0.0.1"),
	}
	if authorization != "" {
		r.Header = http.Header{"Authorization": {authorization}}
	}
	return r
}

func decide(t *testing.T, guard *middleware.Guard, token string, scopes ...string) middleware.Decision {
	t.Helper()
	_, d := guard.Decide(t.Context(), request("Bearer "+token), middleware.Scopes(scopes...))
	return d
}

// allowed demands that the guard accepts the token.
func allowed(t *testing.T, guard *middleware.Guard, token string) {
	t.Helper()
	if d := decide(t, guard, token); !d.Allowed || d.Token == nil {
		t.Fatalf("refused: %v", d.Err)
	}
}

// fakeTB stands in for a test: it records the first failure and ends the
// goroutine there, as testing.T does.
type fakeTB struct {
	testing.TB
	failure  string
	cleanups []func()
	output   bytes.Buffer
}

func (f *fakeTB) Helper()                  {}
func (f *fakeTB) Context() context.Context { return context.Background() }
func (f *fakeTB) Output() io.Writer        { return &f.output }
func (f *fakeTB) Cleanup(c func())         { f.cleanups = append(f.cleanups, c) }

func (f *fakeTB) Fatalf(format string, args ...any) {
	f.failure = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

// close runs what the end of a test runs, the last first.
func (f *fakeTB) close() {
	for _, c := range slices.Backward(f.cleanups) {
		c()
	}
}

// failure returns what test fails with.
func failure(test func(testing.TB)) string {
	f := &fakeTB{}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer f.close()
		test(f)
	}()
	<-done
	return f.failure
}
