package interop

import (
	"cmp"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/bearward/bearward"
	"github.com/bearward/bearward/adapters/ginauth"
	"github.com/bearward/bearward/adapters/grpcauth"
	"github.com/bearward/bearward/adapters/httpauth"
	"github.com/bearward/bearward/middleware"
)

// clock is the guards' clock: real time, moved forward at will.
type clock struct{ offset atomic.Int64 }

func (c *clock) Now() time.Time          { return time.Now().Add(time.Duration(c.offset.Load())) }
func (c *clock) advance(d time.Duration) { c.offset.Add(int64(d)) }

// newGuard makes a guard for a server's JWTs.
func newGuard(t testing.TB, issuer string, c *clock) *middleware.Guard {
	t.Helper()
	return guardFor(t, c, bearward.Issuer{URL: issuer, AllowHTTP: true})
}

func guardFor(t testing.TB, c *clock, issuers ...bearward.Issuer) *middleware.Guard {
	t.Helper()
	guard, err := bearward.New(t.Context(), bearward.Config{
		Resource: audience,
		Issuers:  issuers,
		Clock:    c.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = guard.Close() })
	return guard
}

// stack serves one route over net/http, gin and gRPC on one guard.
type stack struct {
	http, gin string
	client    *http.Client
	health    grpc_health_v1.HealthClient
}

// adapters are the ways into a stack.
var adapters = []string{"net/http", "gin", "gRPC"}

func newStack(t testing.TB, guard *middleware.Guard) *stack {
	t.Helper()
	policy := middleware.Scopes("orders:read")
	subject := func(ctx context.Context) string {
		token, ok := middleware.FromContext(ctx)
		if !ok {
			return ""
		}
		return cmp.Or(token.Subject, token.ClientID) // answers about client_credentials have no sub
	}

	plain := httptest.NewServer(httpauth.Protect(guard, policy)(http.HandlerFunc(
		func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, subject(r.Context())) })))
	t.Cleanup(plain.Close)

	gin.SetMode(gin.ReleaseMode)
	router := gin.New()
	router.GET("/", ginauth.Protect(guard, policy), func(c *gin.Context) {
		c.String(http.StatusOK, subject(c.Request.Context()))
	})
	ginServer := httptest.NewServer(router)
	t.Cleanup(ginServer.Close)

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer(grpc.UnaryInterceptor(grpcauth.Unary(guard, grpcauth.Methods{
		grpc_health_v1.Health_Check_FullMethodName: policy,
	})))
	grpc_health_v1.RegisterHealthServer(server, health.NewServer())
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	conn, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })

	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}}
	t.Cleanup(client.CloseIdleConnections)
	return &stack{plain.URL, ginServer.URL, client, grpc_health_v1.NewHealthClient(conn)}
}

// httpStatus gives gRPC codes the numbers of HTTP, so that all ways compare.
var httpStatus = map[codes.Code]int{
	codes.OK: 200, codes.Unauthenticated: 401, codes.PermissionDenied: 403, codes.Internal: 500, codes.Unavailable: 503,
}

// call sends the token through one adapter and returns the HTTP status, or the
// one that the gRPC code stands for.
func (s *stack) call(t testing.TB, adapter, token string) int {
	t.Helper()
	switch adapter {
	case "gRPC":
		ctx := metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer "+token)
		_, err := s.health.Check(ctx, &grpc_health_v1.HealthCheckRequest{})
		return httpStatus[status.Code(err)]
	case "gin":
		return s.get(t, s.gin, token)
	}
	return s.get(t, s.http, token)
}

func (s *stack) get(t testing.TB, url, token string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Error(err)
		return 0
	}
	r.Header.Set("Authorization", "Bearer "+token)
	resp, err := s.client.Do(r)
	if err != nil {
		t.Error(err)
		return 0
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Error(err)
	}
	if resp.StatusCode == http.StatusOK && string(body) != clientID {
		t.Errorf("the handler saw the subject %q", body)
	}
	if (resp.Header.Get("Retry-After") != "") != (resp.StatusCode == http.StatusServiceUnavailable) {
		t.Errorf("status %d with Retry-After %q", resp.StatusCode, resp.Header.Get("Retry-After"))
	}
	if challenge := resp.Header.Get("WWW-Authenticate"); (resp.StatusCode == http.StatusUnauthorized) != (challenge != "") &&
		resp.StatusCode != http.StatusForbidden {
		t.Errorf("status %d with challenge %q", resp.StatusCode, challenge)
	}
	return resp.StatusCode
}
