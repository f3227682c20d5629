package adapters_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/bearward/bearward/adapters/grpcauth"
	"github.com/bearward/bearward/middleware"
)

const (
	unaryMethod  = "/test.Orders/Get"
	streamMethod = "/test.Orders/Watch"
)

// rpc is a gRPC server on a loopback socket whose interceptors change with
// each case.
type rpc struct {
	conn    *grpc.ClientConn
	current atomic.Pointer[service]
}

// service is what one case runs against.
type service struct {
	unary  grpc.UnaryServerInterceptor
	stream grpc.StreamServerInterceptor
	saw    *sight
}

func (s *service) get(ctx context.Context, _ any) (any, error) {
	s.saw.see(middleware.FromContext(ctx))
	s.saw.metadata(ctx)
	return &emptypb.Empty{}, nil
}

func (s *service) watch(_ any, ss grpc.ServerStream) error {
	s.saw.see(middleware.FromContext(ss.Context()))
	s.saw.metadata(ss.Context())
	if err := ss.RecvMsg(&emptypb.Empty{}); !errors.Is(err, io.EOF) {
		return err
	}
	return ss.SendMsg(&emptypb.Empty{})
}

// metadata keeps what came with a call, in HTTP's spelling.
func (s *sight) metadata(ctx context.Context) {
	md, _ := metadata.FromIncomingContext(ctx)
	s.header = http.Header{}
	for name, values := range md {
		s.header[http.CanonicalHeaderKey(name)] = values
	}
}

var watchDesc = grpc.StreamDesc{StreamName: "Watch", ServerStreams: true, ClientStreams: true}

func newRPC(t *testing.T) *rpc {
	r := &rpc{}
	server := grpc.NewServer(
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
	r.conn, err = grpc.NewClient(l.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.conn.Close(); server.Stop(); <-served })
	return r
}

// orders is a service that calls what is current.
func orders(current *atomic.Pointer[service]) *grpc.ServiceDesc {
	desc := watchDesc
	desc.Handler = func(srv any, ss grpc.ServerStream) error { return current.Load().watch(srv, ss) }
	return &grpc.ServiceDesc{
		ServiceName: "test.Orders",
		Methods: []grpc.MethodDesc{{MethodName: "Get", Handler: func(srv any, ctx context.Context, decode func(any) error, i grpc.UnaryServerInterceptor) (any, error) {
			req := &emptypb.Empty{}
			if err := decode(req); err != nil {
				return nil, err
			}
			return i(ctx, req, &grpc.UnaryServerInfo{Server: srv, FullMethod: unaryMethod}, func(ctx context.Context, req any) (any, error) { return current.Load().get(ctx, req) })
		}}},
		Streams: []grpc.StreamDesc{desc},
	}
}

// reply is what a gRPC client got.
type reply struct {
	saw     sight
	status  *status.Status
	trailer metadata.MD
}

// send makes the call as a unary one and as a stream.
func (r *rpc) send(t *testing.T, g *middleware.Guard, c *testCase, values []string) (unary, stream reply) {
	t.Helper()
	methods := grpcauth.Methods{unaryMethod: c.policy, streamMethod: c.policy}
	md := metadata.MD{}
	if values != nil {
		md["authorization"] = values
	}
	for _, line := range c.metadata {
		name, value, _ := strings.Cut(line, ": ")
		md.Append(name, value)
	}
	s := &service{unary: grpcauth.Unary(g, methods), stream: grpcauth.Stream(g, methods), saw: &unary.saw}
	if unsendableInGRPC(values) {
		return s.direct(md, &unary), s.directStream(md, &stream)
	}
	r.current.Store(s)
	ctx := metadata.NewOutgoingContext(t.Context(), md)
	err := r.conn.Invoke(ctx, unaryMethod, &emptypb.Empty{}, &emptypb.Empty{}, grpc.Trailer(&unary.trailer))
	unary.status = status.Convert(err)

	r.current.Store(&service{unary: s.unary, stream: s.stream, saw: &stream.saw})
	client, err := r.conn.NewStream(ctx, &watchDesc, streamMethod)
	if err == nil {
		_ = client.CloseSend()
		if err = client.RecvMsg(&emptypb.Empty{}); err == nil {
			err = client.RecvMsg(&emptypb.Empty{})
		}
		stream.trailer = client.Trailer()
	}
	if !errors.Is(err, io.EOF) {
		stream.status = status.Convert(err)
	}
	return unary, stream
}

// unsendableInGRPC: gRPC clients send printable ASCII only.
func unsendableInGRPC(values []string) bool {
	for _, v := range values {
		for i := range len(v) {
			if v[i] < ' ' || v[i] > '~' {
				return true
			}
		}
	}
	return false
}

// transportStream stands in for the connection of a unary call.
type transportStream struct {
	method  string
	trailer metadata.MD
}

func (s *transportStream) Method() string                  { return s.method }
func (s *transportStream) SetHeader(metadata.MD) error     { return nil }
func (s *transportStream) SendHeader(metadata.MD) error    { return nil }
func (s *transportStream) SetTrailer(md metadata.MD) error { s.trailer = md; return nil }

func (s *service) direct(md metadata.MD, out *reply) reply {
	ts := &transportStream{method: unaryMethod}
	ctx := grpc.NewContextWithServerTransportStream(metadata.NewIncomingContext(context.Background(), md), ts)
	_, err := s.unary(ctx, nil, &grpc.UnaryServerInfo{FullMethod: unaryMethod}, s.get)
	out.status, out.trailer = status.Convert(err), ts.trailer
	return *out
}

// serverStream is a stream without a client.
type serverStream struct {
	grpc.ServerStream
	ctx     context.Context
	trailer metadata.MD
}

func (s *serverStream) Context() context.Context  { return s.ctx }
func (s *serverStream) SetTrailer(md metadata.MD) { s.trailer = md }
func (s *serverStream) RecvMsg(any) error         { return io.EOF }
func (s *serverStream) SendMsg(any) error         { return nil }

func (s *service) directStream(md metadata.MD, out *reply) reply {
	ss := &serverStream{ctx: metadata.NewIncomingContext(context.Background(), md)}
	mine := &service{saw: &out.saw}
	err := s.stream(nil, ss, &grpc.StreamServerInfo{FullMethod: streamMethod}, mine.watch)
	out.status, out.trailer = status.Convert(err), ss.trailer
	return *out
}

// details returns what the status carries.
func details(s *status.Status) (info *errdetails.ErrorInfo, retry *errdetails.RetryInfo) {
	for _, d := range s.Details() {
		switch d := d.(type) {
		case *errdetails.ErrorInfo:
			info = d
		case *errdetails.RetryInfo:
			retry = d
		}
	}
	return info, retry
}
