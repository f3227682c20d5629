package grpcauth_test

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	"github.com/bearward/bearward"
	"github.com/bearward/bearward/adapters/grpcauth"
	"github.com/bearward/bearward/internal/prove"
	"github.com/bearward/bearward/validate/dpop"
	"github.com/bearward/bearward/validate/mtls"
)

const public = "https://api.example.test"

// transport stands in for the connection of a call and keeps what it is told.
type transport struct {
	name            string
	header, trailer metadata.MD
}

func (s *transport) Method() string { return s.name }
func (s *transport) SetHeader(md metadata.MD) error {
	s.header = metadata.Join(s.header, md)
	return nil
}

func (s *transport) SendHeader(md metadata.MD) error {
	return s.SetHeader(md)
}

func (s *transport) SetTrailer(md metadata.MD) error {
	s.trailer = metadata.Join(s.trailer, md)
	return nil
}

// holder is a client whose token is bound to its key.
type holder struct {
	*stand
	key   *prove.Key
	token string
}

func newHolder(t *testing.T, change ...func(*bearward.Config)) *holder {
	t.Helper()
	h := &holder{stand: newStand(t, append([]func(*bearward.Config){func(c *bearward.Config) {
		c.DPoP, c.PublicURLs = &dpop.Config{}, []string{public}
	}}, change...)...)}
	var err error
	if h.key, err = prove.NewKey(""); err != nil {
		t.Fatal(err)
	}
	claims := h.iss.Claims("")
	claims["cnf"] = map[string]any{"jkt": h.key.Thumbprint()}
	if h.token, err = h.iss.Mint("", claims); err != nil {
		t.Fatal(err)
	}
	return h
}

// proven is the metadata of a call with a proof for a method, or for a URL.
func (h *holder) proven(url, nonce string) metadata.MD {
	h.t.Helper()
	if strings.HasPrefix(url, "/") {
		url = public + url
	}
	proof, err := h.key.Sign(prove.Claims{Method: "POST", URL: url, Token: h.token, Nonce: nonce, Time: h.clock.Now()})
	if err != nil {
		h.t.Fatal(err)
	}
	return metadata.Pairs(":authority", "api.example.test", "authorization", "DPoP "+h.token, "dpop", proof)
}

// outcome is what became of a call.
type outcome struct {
	err error
	saw metadata.MD // by the handler; nil if it did not run
	*transport
}

// through calls a method by interceptors, the first one outermost.
func through(t *testing.T, name string, md metadata.MD, all ...grpc.UnaryServerInterceptor) (o outcome) {
	o.transport = &transport{name: name}
	ctx := grpc.NewContextWithServerTransportStream(metadata.NewIncomingContext(t.Context(), md), o.transport)
	ctx = peer.NewContext(ctx, &peer.Peer{Addr: &net.TCPAddr{IP: net.IPv4(192, 0, 2, 7)}})
	info := &grpc.UnaryServerInfo{FullMethod: name}
	next := func(ctx context.Context, _ any) (any, error) {
		o.saw, _ = metadata.FromIncomingContext(ctx)
		return nil, nil
	}
	for _, i := range slices.Backward(all) {
		below := next
		next = func(ctx context.Context, req any) (any, error) { return i(ctx, req, info, below) }
	}
	_, o.err = next(ctx, nil)
	return o
}

// refused wants the refusal of a proof, told in both places.
func (o *outcome) refused(t *testing.T, what string) {
	t.Helper()
	challenges := o.trailer.Get("www-authenticate")
	if o.saw != nil || status.Code(o.err) != codes.Unauthenticated || reason(o.err) != "INVALID_DPOP_PROOF" ||
		len(challenges) != 2 || strings.Contains(challenges[0], "error=") || !strings.Contains(challenges[1], `DPoP realm=`) || !strings.Contains(challenges[1], `error="invalid_dpop_proof"`) {
		t.Errorf("%s: %v %s, challenges %q, the handler saw %v", what, o.err, reason(o.err), challenges, o.saw)
	}
}

func (o *outcome) passed(t *testing.T, what string) {
	t.Helper()
	if o.err != nil || o.saw == nil {
		t.Errorf("%s: %v", what, o.err)
	}
}

// TestMethodIsNoURI: a method's name with a query or a fragment in it is
// the whole name, and not a shorter one that a proof can be for. [DP-10 GR-11]
func TestMethodIsNoURI(t *testing.T) {
	h := newHolder(t)
	methods := grpcauth.Methods{"/shop.Orders/*": {}, "/shop.Orders#/*": {}, "/shop.Orders?/*": {}}
	for _, c := range []struct{ called, proof string }{
		{method + "?x", method},
		{method + "?x", method + "%3Fx"},
		{method + "#x", method},
		{method + "#x", method + "%23x"},
		{method + "%3Fx", method},
		{"/shop.Orders#/Get", "/shop.Orders"},
		{"/shop.Orders?/Get", "/shop.Orders"},
		{method, method + "%3Fx"},
	} {
		name := c.called + " by a proof for " + c.proof
		unary := through(t, c.called, h.proven(c.proof, ""), grpcauth.Unary(h.guard, methods))
		unary.refused(t, name)
		ss := newStream(t, h.proven(c.proof, ""))
		err := grpcauth.Stream(h.guard, methods)(nil, ss, &grpc.StreamServerInfo{FullMethod: c.called}, func(any, grpc.ServerStream) error {
			t.Errorf("%s: the handler of the stream ran", name)
			return nil
		})
		stream := outcome{err: err, transport: &transport{trailer: ss.trailer}}
		stream.refused(t, name+", as a stream")
	}
	right := through(t, method+"%3Fx", h.proven(method+"%3fx", ""), grpcauth.Unary(h.guard, methods))
	right.passed(t, "an escape that the proof has too")
}

// TestNestedAuthority: below a change of :authority a call is another one, and
// its proof is judged for it. [DP-12]
func TestNestedAuthority(t *testing.T) {
	h := newHolder(t, func(c *bearward.Config) {
		c.PublicURLs = []string{"https://a.example.test", "https://b.example.test"}
	})
	guarded := grpcauth.Unary(h.guard, grpcauth.Methods{method: {}})
	as := func(authority string) grpc.UnaryServerInterceptor {
		return func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
			md, _ := metadata.FromIncomingContext(ctx)
			md.Set(":authority", authority)
			return next(metadata.NewIncomingContext(ctx, md), req)
		}
	}
	const a = "https://a.example.test" + method
	same := through(t, method, h.proven(a, ""), as("a.example.test"), guarded, as("a.example.test"), guarded)
	same.passed(t, "the same authority")
	for _, other := range []string{"b.example.test", "c.example.test", "a@b.example.test", "a.example.test/b.example.test", ""} {
		o := through(t, method, h.proven(a, ""), as("a.example.test"), guarded, as(other), guarded)
		o.refused(t, other)
	}
}

// TestNestedNonce: nested interceptors hand out one fresh nonce. [DP-26 ER-20]
func TestNestedNonce(t *testing.T) {
	h := newHolder(t, func(c *bearward.Config) { c.DPoP.Nonce = dpop.NonceRequired })
	guarded := grpcauth.Unary(h.guard, grpcauth.Methods{method: {}})
	first := through(t, method, h.proven(method, ""), guarded, guarded)
	nonces := first.trailer.Get("dpop-nonce")
	if len(nonces) != 1 || reason(first.err) != "USE_DPOP_NONCE" || first.saw != nil {
		t.Fatalf("%v, nonces %q", first.err, nonces)
	}
	h.clock.set(h.clock.Now().Add(3 * time.Minute))
	renewed := through(t, method, h.proven(method, nonces[0]), guarded, guarded)
	renewed.passed(t, "an old nonce")
	if fresh := renewed.header.Get("dpop-nonce"); len(fresh) != 1 || fresh[0] == nonces[0] {
		t.Errorf("nonces %q after %q", fresh, nonces)
	}
}

// TestNestedForgery: a stranger's certificate field is removed, and does not make
// nested interceptors judge, and spend, a proof twice. [MT-07 DP-21]
func TestNestedForgery(t *testing.T) {
	h := newHolder(t, func(c *bearward.Config) {
		c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("10.9.0.0/16")}
		c.ClientCertHeader = mtls.Header{Name: "X-Client-Cert", Format: mtls.RFC9440}
	})
	guarded := grpcauth.Unary(h.guard, grpcauth.Methods{method: {}})
	md := h.proven(method, "")
	md.Append("x-client-cert", ":AAAA:", "garbage")
	md.Append("client-cert-chain", ":AAAA:")
	o := through(t, method, md.Copy(), guarded, guarded)
	o.passed(t, "a stranger's field")
	if left := append(o.saw.Get("x-client-cert"), o.saw.Get("client-cert-chain")...); len(left) > 0 {
		t.Errorf("the handler sees %q", left)
	}
	again := through(t, method, md, guarded, guarded)
	again.refused(t, "the same proof again")
}
