package server

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/bearward/bearward/bearwardtest"
	"github.com/bearward/bearward/internal/server/config"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var quiet = slog.New(slog.DiscardHandler)

const resource = "https://api.example.test"

// rules is the file of most tests, from rules on.
const rules = `rules:
  - {match: "GET /read", scopes: [read]}
  - {match: "POST /read", scopes: [write]}
  - {match: "/any/", scopes: [read]}
  - {match: "/open/", public: true}
  - {match: "/maybe", optional: true}
  - {match: "/users-only", user_only: true, hide: true}
  - {match: "/step-up", acr: [phr], max_age: 300s}
forward_headers: {X-Auth-Subject: sub, X-Auth-Client: client_id, X-Auth-Scope: scope, X-Auth-Tenant: tenant}
implies: {admin: [write], write: [read]}
`

// served is a running server.
type served struct {
	t      *testing.T
	issuer *bearwardtest.Issuer // nil with startAt
	clock  *bearwardtest.Clock
	file   *config.File
	api    string // address
	admin  string
	stop   context.CancelFunc
	done   chan error
	expire chan context.CancelCauseFunc // one per request with a token
	waits  chan chan time.Time          // one per retry of the keys
}

// parse makes the file for an issuer and an upstream.
func parse(t *testing.T, issuer, upstream, rest string) *config.File {
	t.Helper()
	text := fmt.Sprintf(`listen: 127.0.0.1:0
admin: 127.0.0.1:0
mode: proxy
upstream: %s
resource: %s
issuers:
  - {issuer: "%s", allow_http: true}
%s`, upstream, resource, issuer, rest)
	file, err := config.Parse("serve.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// serve starts a server in front of upstream. The file goes on with rest.
func serve(t *testing.T, upstream http.HandlerFunc, rest string, change ...func(*Service)) *served {
	t.Helper()
	behind := httptest.NewServer(upstream)
	t.Cleanup(behind.Close)
	issuer := bearwardtest.NewIssuer(t)
	return start(t, issuer, parse(t, issuer.URL, behind.URL, rest), change...)
}

func start(t *testing.T, issuer *bearwardtest.Issuer, file *config.File, change ...func(*Service)) *served {
	t.Helper()
	s := startAt(t, issuer.Clock, file, change...)
	s.issuer = issuer
	return s
}

// startAt starts a server that lives by the clock.
func startAt(t *testing.T, clock *bearwardtest.Clock, file *config.File, change ...func(*Service)) *served {
	t.Helper()
	return startWith(t, clock, file, &runner{grace: 10 * time.Second}, change...)
}

func startWith(t *testing.T, clock *bearwardtest.Clock, file *config.File, r *runner, change ...func(*Service)) *served {
	t.Helper()
	s := &served{
		t: t, clock: clock, file: file, done: make(chan error, 1),
		expire: make(chan context.CancelCauseFunc, 100), waits: make(chan chan time.Time, 100),
	}
	service := &Service{file: file, logger: quiet, clock: clock.Now, silence: bodySilence, linger: lingerTimeout}
	for _, f := range change {
		f(service)
	}
	service.expire = func(ctx context.Context, _ time.Duration, cause error) (context.Context, context.CancelFunc) {
		ctx, cancel := context.WithCancelCause(ctx)
		s.expire <- cancel
		return ctx, func() { cancel(nil) }
	}
	service.after = func(time.Duration) <-chan time.Time {
		c := make(chan time.Time)
		s.waits <- c
		return c
	}
	if err := service.assemble(t.Context()); err != nil {
		t.Fatal(err)
	}
	out, in := io.Pipe()
	ctx, cancel := context.WithCancel(context.Background())
	s.stop = cancel
	go func() {
		r.Service, r.out = service, in
		err := r.run(ctx)
		_ = in.CloseWithError(io.EOF)
		s.done <- err
	}()
	lines := bufio.NewScanner(out)
	s.api = address(t, lines)
	if file.Admin != "" {
		s.admin = address(t, lines)
	}
	t.Cleanup(func() {
		cancel()
		if err := s.wait(); err != nil {
			t.Errorf("stopping: %v", err)
		}
		http.DefaultClient.CloseIdleConnections()
	})
	return s
}

func address(t *testing.T, lines *bufio.Scanner) string {
	t.Helper()
	const prefix = "bearward: listening on "
	if !lines.Scan() || !strings.HasPrefix(lines.Text(), prefix) {
		t.Fatalf("got %q, want %q", lines.Text(), prefix)
	}
	return strings.TrimPrefix(lines.Text(), prefix)
}

// wait returns what run returned.
func (s *served) wait() error {
	err := <-s.done
	s.done <- err
	return err
}

// token has the scopes.
func (s *served) token(scope string) string {
	return s.issuer.JWT(bearwardtest.Claims{Scope: scope})
}

// answer is a response that was read to its end.
type answer struct {
	*http.Response
	body string
}

// raw sends bytes as they are and reads one response to a request of method.
func (s *served) raw(method, text string) answer {
	s.t.Helper()
	conn, err := net.Dial("tcp", s.api)
	if err != nil {
		s.t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, text); err != nil {
		s.t.Fatal(err)
	}
	return read(s.t, bufio.NewReader(conn), method)
}

func read(t *testing.T, from *bufio.Reader, method string) answer {
	t.Helper()
	resp, err := http.ReadResponse(from, &http.Request{Method: method})
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{resp, string(body)}
}

// ask sends a request with one header field per line.
func (s *served) ask(method, target string, fields ...string) answer {
	s.t.Helper()
	text := method + " " + target + " HTTP/1.1\r\nHost: api.example.test\r\nConnection: close\r\n"
	for _, f := range fields {
		text += f + "\r\n"
	}
	return s.raw(method, text+"\r\n")
}

// as is the field that carries a token with these scopes.
func (s *served) as(scope string) string { return "Authorization: Bearer " + s.token(scope) }
