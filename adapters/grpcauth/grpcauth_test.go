package grpcauth_test

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/bearward/bearward"
	"github.com/bearward/bearward/adapters/grpcauth"
	"github.com/bearward/bearward/internal/issuer"
	"github.com/bearward/bearward/middleware"
	"github.com/bearward/bearward/validate"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const method = "/shop.Orders/Get"

// clock stands still until it is set.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = t
}

// stand is an issuer and a guard on one clock.
type stand struct {
	t     testing.TB
	clock *clock
	iss   *issuer.Server
	guard *middleware.Guard
}

func newStand(t testing.TB, change ...func(*bearward.Config)) *stand {
	t.Helper()
	s := &stand{t: t, clock: &clock{now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}}
	var err error
	if s.iss, err = issuer.Start(issuer.Config{Now: s.clock.Now}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.iss.Close() })
	cfg := bearward.Config{
		Resource: issuer.DefaultAudience,
		Issuers:  []bearward.Issuer{{URL: s.iss.URL(), AllowHTTP: true}},
		Logger:   slog.New(slog.DiscardHandler), Clock: s.clock.Now,
	}
	for _, f := range change {
		f(&cfg)
	}
	if s.guard, err = bearward.New(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.guard.Close() })
	if err := s.guard.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *stand) token() string {
	token, err := s.iss.Mint("", s.iss.Claims(""))
	if err != nil {
		s.t.Fatal(err)
	}
	return token
}

func bearer(token string) metadata.MD { return metadata.Pairs("authorization", "Bearer "+token) }

// call makes a unary call without a connection.
func call(unary grpc.UnaryServerInterceptor, method string, md metadata.MD) (ran bool, err error) {
	ctx := metadata.NewIncomingContext(context.Background(), md)
	_, err = unary(ctx, nil, &grpc.UnaryServerInfo{FullMethod: method}, func(ctx context.Context, _ any) (any, error) {
		ran = true
		return nil, nil
	})
	return ran, err
}

// serverStream is a stream without a client: it receives what is put into in.
type serverStream struct {
	grpc.ServerStream
	ctx     context.Context
	in      chan error
	sent    int
	trailer metadata.MD
}

func newStream(t testing.TB, md metadata.MD) *serverStream {
	return &serverStream{ctx: metadata.NewIncomingContext(t.Context(), md), in: make(chan error, 1)}
}

func (s *serverStream) Context() context.Context  { return s.ctx }
func (s *serverStream) SetTrailer(md metadata.MD) { s.trailer = md }
func (s *serverStream) SendMsg(any) error         { s.sent++; return nil }

func (s *serverStream) RecvMsg(any) error {
	select {
	case err := <-s.in:
		return err
	case <-s.ctx.Done():
		return s.ctx.Err()
	}
}

func reason(err error) string {
	for _, d := range status.Convert(err).Details() {
		if info, ok := d.(*errdetails.ErrorInfo); ok {
			return info.GetReason()
		}
	}
	return ""
}

// TestUnlistedIsDenied: what nobody listed is closed, also for a right token,
// and the token is not even looked at. [GR-10 ER-02 PV-08]
func TestUnlistedIsDenied(t *testing.T) {
	s := newStand(t)
	unary := grpcauth.Unary(s.guard, grpcauth.Methods{
		method:            {},
		"/shop.Health/*":  middleware.Public(),
		"/shop.Admin/*":   middleware.Scopes("admin"),
		"/shop.Admin/Get": {},
	})
	stream := grpcauth.Stream(s.guard, grpcauth.Methods{method: {}})
	good := bearer(s.token())
	for _, c := range []struct {
		method string
		md     metadata.MD
		code   codes.Code
		reason string
	}{
		{method, good, codes.OK, ""},
		{method, nil, codes.Unauthenticated, "TOKEN_MISSING"},
		{"/shop.Orders/Put", good, codes.PermissionDenied, "POLICY_DENIED"},
		{"/shop.Orders/Put", nil, codes.PermissionDenied, "POLICY_DENIED"},
		{"/shop.Orders/Put", metadata.Pairs("authorization", "\x01"), codes.PermissionDenied, "POLICY_DENIED"},
		{"/shop.orders/Get", good, codes.PermissionDenied, "POLICY_DENIED"},
		{"/shop.Orders/Get/", good, codes.PermissionDenied, "POLICY_DENIED"},
		{"/shop.Orders/*", good, codes.PermissionDenied, "POLICY_DENIED"},
		{"shop.Orders/Get", good, codes.PermissionDenied, "POLICY_DENIED"},
		{"Get", good, codes.PermissionDenied, "POLICY_DENIED"},
		{"", good, codes.PermissionDenied, "POLICY_DENIED"},
		{"/shop.Health/Check", nil, codes.OK, ""},
		{"/shop.Health/Check", metadata.Pairs("authorization", "junk", "authorization", "more"), codes.OK, ""},
		{"/shop.Healthy/Check", nil, codes.PermissionDenied, "POLICY_DENIED"},
		{"/shop.Admin/Get", good, codes.OK, ""}, // the full name wins
		{"/shop.Admin/Put", good, codes.PermissionDenied, "INSUFFICIENT_SCOPE"},
	} {
		ran, err := call(unary, c.method, c.md)
		if status.Code(err) != c.code || reason(err) != c.reason || ran != (c.code == codes.OK) {
			t.Errorf("%s %v: ran %t, %v %s", c.method, c.md, ran, err, reason(err))
		}
	}
	ss := newStream(t, good)
	err := stream(nil, ss, &grpc.StreamServerInfo{FullMethod: "/shop.Orders/Watch"}, func(any, grpc.ServerStream) error {
		t.Error("the handler ran")
		return nil
	})
	if status.Code(err) != codes.PermissionDenied || len(ss.trailer.Get("www-authenticate")) != 0 {
		t.Errorf("%v %v", err, ss.trailer)
	}
}

// TestMetadataShapes: the key is authorization and no other.
func TestMetadataShapes(t *testing.T) {
	s := newStand(t)
	unary := grpcauth.Unary(s.guard, grpcauth.Methods{method: {}})
	token := s.token()
	for name, c := range map[string]struct {
		md     metadata.MD
		reason string
	}{
		"upper-case scheme":  {metadata.Pairs("authorization", "BEARER "+token), ""}, // [GR-01 TR-02]
		"lower-case scheme":  {metadata.Pairs("authorization", "bearer "+token), ""},
		"upper-case key":     {metadata.Pairs("Authorization", "Bearer "+token), ""},                                                  // metadata keys have no case
		"two equal values":   {metadata.Pairs("authorization", "Bearer "+token, "authorization", "Bearer "+token), "INVALID_REQUEST"}, // [GR-02]
		"two different ones": {metadata.Pairs("authorization", "Bearer "+token, "authorization", "Basic x"), "INVALID_REQUEST"},       // [GR-02]
		"a second is empty":  {metadata.Pairs("authorization", "Bearer "+token, "authorization", ""), "INVALID_REQUEST"},
		"joined by a comma":  {metadata.Pairs("authorization", "Bearer "+token+","+token), "INVALID_REQUEST"}, // [GR-02]
		"Early-Data":         {metadata.Pairs("authorization", "Bearer "+token, "early-data", "1"), ""},       // of HTTP only
		"empty key":          {metadata.MD{"": {"Bearer " + token}}, "TOKEN_MISSING"},
		"no metadata":        {nil, "TOKEN_MISSING"},
	} {
		ran, err := call(unary, method, c.md)
		if reason(err) != c.reason || ran != (c.reason == "") {
			t.Errorf("%s: ran %t, %v %s", name, ran, err, reason(err))
		}
	}
	if _, err := unary(t.Context(), nil, &grpc.UnaryServerInfo{FullMethod: method}, nil); reason(err) != "TOKEN_MISSING" {
		t.Errorf("a context without metadata: %v", err)
	}
}

// TestFaultyMethods: all faults of the list at once, when it is made.
func TestFaultyMethods(t *testing.T) {
	s := newStand(t)
	for name, made := range map[string]func(grpcauth.Methods){
		"unary":  func(m grpcauth.Methods) { grpcauth.Unary(s.guard, m) },
		"stream": func(m grpcauth.Methods) { grpcauth.Stream(s.guard, m) },
	} {
		text := func() (text string) {
			defer func() { text, _ = recover().(string) }()
			made(grpcauth.Methods{
				"Get": {}, "/shop.Orders": {}, "//Get": {}, "/shop.Orders/": {}, "/a/b/c": {}, "shop/Orders/Get": {}, "/shop.*/Get": {}, "/*/*": {}, "/shop.Orders/Get*": {},
				"/shop.Orders/Bad": middleware.Scopes("a b"), "/shop.Orders/*": {MaxAge: -1},
			})
			return ""
		}()
		for _, want := range []string{`"Get"`, `"/shop.Orders"`, `"//Get"`, `"/shop.Orders/"`, `"/a/b/c"`, `"shop/Orders/Get"`, `"/shop.*/Get"`, `"/*/*"`, `"/shop.Orders/Get*"`, "/shop.Orders/Bad", "/shop.Orders/*"} {
			if !strings.Contains(text, want) {
				t.Errorf("%s: %s is not reported in %q", name, want, text)
			}
		}
	}
}

// TestRouteLabel: the method's name labels its decisions unless the policy has
// a label.
func TestRouteLabel(t *testing.T) {
	s := newStand(t)
	routes := make(chan string, 2)
	guard, err := middleware.New(middleware.Config{
		Issuers: []middleware.Issuer{{
			URL: s.iss.URL(), Name: "a",
			Verifier: validate.VerifierFunc(func(context.Context, string) (*validate.Token, error) { return nil, validate.ErrExpired }),
		}},
		Observer: observe(func(e middleware.Event) { routes <- e.Route }),
	})
	if err != nil {
		t.Fatal(err)
	}
	unary := grpcauth.Unary(guard, grpcauth.Methods{method: {}, "/shop.Orders/*": {Route: "rest"}})
	_, _ = call(unary, method, nil)
	_, _ = call(unary, "/shop.Orders/Put", nil)
	if a, b := <-routes, <-routes; a != method || b != "rest" {
		t.Errorf("%q %q", a, b)
	}
}

type observe func(middleware.Event)

func (o observe) Observe(_ context.Context, e middleware.Event) { o(e) }
