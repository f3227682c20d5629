package interop

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/bearward/bearward/internal/server"
	"github.com/bearward/bearward/internal/server/config"
)

// serve runs bearward serve with text as its file until the test ends, and
// returns its address. It logs errors only.
func serve(t testing.TB, text string) string {
	t.Helper()
	file, err := config.Parse("bearward.yaml", []byte(text+"log: {level: error}\n"))
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	ctx, stop := context.WithCancel(context.Background())
	out, in := io.Pipe()
	done := make(chan error, 1)
	go func() {
		err := server.Run(ctx, file, nil, in)
		_ = in.CloseWithError(io.EOF)
		done <- err
	}()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("bearward serve: %v", err)
		}
	})
	lines := bufio.NewScanner(out)
	if lines.Scan() {
		if address, ok := strings.CutPrefix(lines.Text(), "bearward: listening on "); ok {
			return address
		}
	}
	t.Fatalf("bearward serve did not start: %q", lines.Text())
	return ""
}

// api is what bearward serve protects. It answers with the client that
// X-Auth-Client names, and remembers the header of the last request.
type api struct {
	*httptest.Server

	mu   sync.Mutex
	last http.Header
	line string // method and target of the last request
}

func newAPI(t testing.TB) *api {
	t.Helper()
	a := &api{}
	a.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.last, a.line = r.Header, r.Method+" "+r.RequestURI
		_, _ = io.WriteString(w, r.Header.Get("X-Auth-Client"))
	}))
	t.Cleanup(a.Close)
	return a
}

// addr is host:port.
func (a *api) addr() string { return a.Listener.Addr().String() }

// take returns the header of the last request since the last call, nil if there
// was none.
func (a *api) take() http.Header {
	a.mu.Lock()
	defer a.mu.Unlock()
	last := a.last
	a.last = nil
	return last
}
