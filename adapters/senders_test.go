package adapters_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/bearward/bearward/adapters/grpcauth"
	"github.com/bearward/bearward/middleware"
)

// delivery is one way from a client to a guard, over TLS that asks for a
// certificate and takes any.
type delivery interface {
	name() string
	// place is what a proof for it names.
	place() (method, url string)
	send(t *testing.T, g *middleware.Guard, p middleware.Policy, m message) verdict
}

// message is what a client sends. Names are spelled as HTTP does.
type message struct {
	header      http.Header
	certificate *tls.Certificate
}

// verdict is what a client learns, in the words of HTTP and of gRPC.
type verdict struct {
	saw        sight
	status     int    // 0: gRPC
	grpc       uint32 // 0 with HTTP
	reason     string // of gRPC
	challenges []string
	nonces     []string
	header     http.Header // of the answer, or gRPC's trailer
}

func deliveries(t *testing.T) []delivery {
	t.Helper()
	return []delivery{newTLSWeb(t, "net/http", onMux), newTLSWeb(t, "gin", onGin), newTLSRPC(t, false), newTLSRPC(t, true)}
}

// tlsWeb delivers over HTTP.
type tlsWeb struct {
	what    string
	server  *httptest.Server
	current atomic.Value // http.Handler
	build   func(*middleware.Guard, middleware.Policy, *sight) http.Handler
}

func newTLSWeb(t *testing.T, what string, build func(*middleware.Guard, middleware.Policy, *sight) http.Handler) *tlsWeb {
	w := &tlsWeb{what: what, build: build}
	w.server = httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.current.Load().(handler).ServeHTTP(rw, r)
	}))
	w.server.TLS = &tls.Config{ClientAuth: tls.RequestClientCert}
	w.server.StartTLS()
	t.Cleanup(w.server.Close)
	return w
}

func (w *tlsWeb) name() string { return w.what }

func (w *tlsWeb) place() (method, url string) { return http.MethodGet, w.server.URL + "/orders" }

func (w *tlsWeb) send(t *testing.T, g *middleware.Guard, p middleware.Policy, m message) (v verdict) {
	t.Helper()
	w.current.Store(handler{w.build(g, p, &v.saw)})
	method, url := w.place()
	r, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range m.header {
		r.Header[name] = values
	}
	transport := &http.Transport{TLSClientConfig: trusting(w.server.Certificate(), m.certificate), DisableKeepAlives: true}
	res, err := transport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, res.Body)
	v.status, v.header = res.StatusCode, res.Header
	v.challenges, v.nonces = res.Header["Www-Authenticate"], res.Header["Dpop-Nonce"]
	return v
}

func trusting(server *x509.Certificate, own *tls.Certificate) *tls.Config {
	c := &tls.Config{RootCAs: x509.NewCertPool(), MinVersion: tls.VersionTLS12}
	c.RootCAs.AddCert(server)
	if own != nil {
		c.Certificates = []tls.Certificate{*own}
	}
	return c
}

// tlsRPC delivers over gRPC, unary or as a stream.
type tlsRPC struct {
	stream  bool
	addr    string
	server  *x509.Certificate
	current atomic.Pointer[service]
}

func newTLSRPC(t *testing.T, stream bool) *tlsRPC {
	certificate := httptest.NewUnstartedServer(nil)
	certificate.StartTLS()
	defer certificate.Close()
	r := &tlsRPC{stream: stream, server: certificate.Certificate()}
	server := grpc.NewServer(
		grpc.Creds(credentials.NewTLS(&tls.Config{Certificates: certificate.TLS.Certificates, ClientAuth: tls.RequestClientCert, NextProtos: []string{"h2"}})),
		grpc.UnaryInterceptor(func(ctx context.Context, req any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
			return r.current.Load().unary(ctx, req, info, next)
		}),
		grpc.StreamInterceptor(func(srv any, ss grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) error {
			return r.current.Load().stream(srv, ss, info, next)
		}),
	)
	server.RegisterService(orders(&r.current), nil)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan struct{})
	go func() { defer close(served); _ = server.Serve(l) }()
	r.addr = l.Addr().String()
	t.Cleanup(func() { server.Stop(); <-served })
	return r
}

func (r *tlsRPC) name() string {
	if r.stream {
		return "gRPC stream"
	}
	return "gRPC"
}

func (r *tlsRPC) method() string {
	if r.stream {
		return streamMethod
	}
	return unaryMethod
}

// place is POST and a URL that begins with https. [GR-11]
func (r *tlsRPC) place() (method, url string) {
	return http.MethodPost, "https://" + r.addr + r.method()
}

func (r *tlsRPC) send(t *testing.T, g *middleware.Guard, p middleware.Policy, m message) (v verdict) {
	t.Helper()
	methods := grpcauth.Methods{r.method(): p}
	r.current.Store(&service{unary: grpcauth.Unary(g, methods), stream: grpcauth.Stream(g, methods), saw: &v.saw})
	conn, err := grpc.NewClient(r.addr, grpc.WithTransportCredentials(credentials.NewTLS(trusting(r.server, m.certificate))))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	md := metadata.MD{}
	for name, values := range m.header {
		md.Append(name, values...)
	}
	ctx := metadata.NewOutgoingContext(t.Context(), md)
	header, trailer, err := r.call(ctx, conn)
	st := status.Convert(err)
	info, _ := details(st)
	v.grpc, v.reason = uint32(st.Code()), info.GetReason()
	v.challenges, v.nonces = trailer.Get("www-authenticate"), append(header.Get("dpop-nonce"), trailer.Get("dpop-nonce")...)
	v.header = http.Header{}
	for name, values := range trailer {
		v.header[http.CanonicalHeaderKey(name)] = values
	}
	return v
}

func (r *tlsRPC) call(ctx context.Context, conn *grpc.ClientConn) (header, trailer metadata.MD, err error) {
	if !r.stream {
		err = conn.Invoke(ctx, unaryMethod, &emptypb.Empty{}, &emptypb.Empty{}, grpc.Header(&header), grpc.Trailer(&trailer))
		return header, trailer, err
	}
	client, err := conn.NewStream(ctx, &watchDesc, streamMethod)
	if err != nil {
		return nil, nil, err
	}
	_ = client.CloseSend()
	for err == nil {
		err = client.RecvMsg(&emptypb.Empty{})
	}
	header, _ = client.Header()
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return header, client.Trailer(), err
}

// is reports that the verdict is that of a letter, and its handler ran or did
// not.
func (v *verdict) is(t *testing.T, want string) {
	t.Helper()
	if want == ok || want == nothing {
		if v.saw.runs != 1 || (v.saw.token != nil) != (want == ok) || v.saw.odd != "" || v.grpc != 0 || v.status != 0 && v.status != 200 || len(v.challenges) > 0 {
			t.Errorf("refused: %d %d %s %q, the handler ran %d times %s", v.status, v.grpc, v.reason, v.challenges, v.saw.runs, v.saw.odd)
		}
		return
	}
	l := letters[want]
	if v.saw.runs != 0 {
		t.Errorf("the handler ran")
	}
	if v.status != 0 && v.status != l.status || v.status == 0 && (v.grpc != uint32(l.grpc) || v.reason != l.reason) {
		t.Errorf("got %d, gRPC %d %s; want %d, gRPC %d %s", v.status, v.grpc, v.reason, l.status, l.grpc, l.reason)
	}
	if l.challenge != (len(v.challenges) > 0) {
		t.Errorf("challenges %q", v.challenges)
	}
	if want != "U" && len(v.nonces) > 0 || want == "U" && len(v.nonces) != 1 { // [ER-20]
		t.Errorf("nonces %q", v.nonces)
	}
}

// authorize is the field for a token.
func authorize(scheme, token string) http.Header {
	return http.Header{"Authorization": {strings.TrimSpace(scheme + " " + token)}}
}
