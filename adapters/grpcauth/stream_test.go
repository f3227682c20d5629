package grpcauth_test

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/bearward/bearward/adapters/grpcauth"
	"github.com/bearward/bearward/internal/issuer"
	"github.com/bearward/bearward/middleware"
	"github.com/bearward/bearward/validate"
)

var watch = &grpc.StreamServerInfo{FullMethod: method}

// within is the token that a verifier accepts until exp. It keeps the tests
// below free of sockets, so that they can run on a bubble's clock.
func within(t *testing.T, exp time.Time) (*middleware.Guard, metadata.MD) {
	t.Helper()
	g, err := middleware.New(middleware.Config{
		Issuers: []middleware.Issuer{{
			URL: "https://issuer.example.test", Name: "a", Leeway: 30 * time.Second,
			Verifier: validate.VerifierFunc(func(context.Context, string) (*validate.Token, error) {
				return &validate.Token{Issuer: "https://issuer.example.test", Subject: "u", ExpiresAt: exp}, nil
			}),
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	// {"alg":"none"} . {"iss":"https://issuer.example.test"}: routed by its shape
	return g, bearer("eyJhbGciOiJub25lIn0.eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlLnRlc3QifQ.")
}

// TestStreamEndsWithToken: a stream that waits, for a message or on its
// context, ends when exp and leeway have passed, not before and not later.
// [TR-19]
func TestStreamEndsWithToken(t *testing.T) {
	handlers := map[string]func(grpc.ServerStream) error{
		"waits for a message": func(ss grpc.ServerStream) error { return ss.RecvMsg(nil) },
		"waits on its context": func(ss grpc.ServerStream) error {
			<-ss.Context().Done()
			return nil // even if it calls the end a success
		},
		"sends": func(ss grpc.ServerStream) error {
			for {
				if err := ss.SendMsg(nil); err != nil {
					return err
				}
				select {
				case <-time.After(time.Second):
				case <-ss.Context().Done():
				}
			}
		},
		"makes up an error of its own": func(ss grpc.ServerStream) error {
			<-ss.Context().Done()
			return status.Error(codes.OutOfRange, "mine")
		},
	}
	for name, handler := range handlers {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begun := time.Now()
				guard, md := within(t, begun.Add(time.Minute))
				ss := newStream(t, md)
				err := grpcauth.Stream(guard, grpcauth.Methods{method: {}})(nil, ss, watch, func(_ any, ss grpc.ServerStream) error {
					if token, ok := middleware.FromContext(ss.Context()); !ok || token.Subject != "u" {
						t.Error("no token in the stream's context")
					}
					return handler(ss)
				})
				if took := time.Since(begun); took != 90*time.Second {
					t.Errorf("the stream ended after %v", took)
				}
				if status.Code(err) != codes.Unauthenticated || reason(err) != "INVALID_TOKEN" {
					t.Errorf("%v", err)
				}
				if err := ss.trailer.Get("www-authenticate"); len(err) != 1 {
					t.Errorf("trailer: %v", ss.trailer)
				}
				ss.in <- io.EOF // the receive that was under way
			})
		})
	}
}

// TestStreamEndsBefore: who ends earlier is not told about expiry.
func TestStreamEndsBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		guard, md := within(t, time.Now().Add(time.Minute))
		stream := grpcauth.Stream(guard, grpcauth.Methods{method: {}, "/shop.Public/*": middleware.Public()})
		mine := errors.New("mine")
		ss := newStream(t, md)
		ss.in <- mine
		err := stream(nil, ss, watch, func(_ any, ss grpc.ServerStream) error {
			if err := ss.SendMsg(nil); err != nil {
				t.Error(err)
			}
			return ss.RecvMsg(nil)
		})
		if !errors.Is(err, mine) || ss.sent != 1 || ss.trailer != nil {
			t.Errorf("%v, sent %d, %v", err, ss.sent, ss.trailer)
		}

		// The client goes away: that is no expiry either.
		ctx, cancel := context.WithCancel(metadata.NewIncomingContext(t.Context(), md))
		gone := &serverStream{ctx: ctx, in: make(chan error)}
		err = stream(nil, gone, watch, func(_ any, ss grpc.ServerStream) error {
			cancel()
			return ss.RecvMsg(nil)
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}

		// Without a token nothing limits the stream.
		open := newStream(t, nil)
		open.in <- io.EOF
		err = stream(nil, open, &grpc.StreamServerInfo{FullMethod: "/shop.Public/Watch"}, func(_ any, ss grpc.ServerStream) error {
			if _, limited := ss.Context().Deadline(); limited {
				t.Error("a public stream has a deadline")
			}
			if _, ok := middleware.FromContext(ss.Context()); ok {
				t.Error("a public stream has a token")
			}
			time.Sleep(time.Hour)
			return ss.RecvMsg(nil)
		})
		if !errors.Is(err, io.EOF) {
			t.Errorf("%v", err)
		}
	})
}

// TestCloseWaitsForStreams: Close ends after the streams that have begun, and
// later ones are refused as unavailable.
func TestCloseWaitsForStreams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		guard, md := within(t, time.Now().Add(time.Hour))
		stream := grpcauth.Stream(guard, grpcauth.Methods{method: {}})
		ss, ended, closed := newStream(t, md), make(chan error), make(chan error)
		go func() {
			ended <- stream(nil, ss, watch, func(_ any, ss grpc.ServerStream) error { return ss.RecvMsg(nil) })
		}()
		synctest.Wait()
		go func() { closed <- guard.Close() }()
		synctest.Wait()
		select {
		case <-closed:
			t.Error("Close did not wait for the stream")
		default:
		}
		late := newStream(t, md)
		err := stream(nil, late, watch, func(any, grpc.ServerStream) error {
			t.Error("a stream began on a closed guard")
			return nil
		})
		if status.Code(err) != codes.Unavailable || reason(err) != "AUTH_BACKEND_UNAVAILABLE" {
			t.Errorf("%v", err)
		}
		ss.in <- nil
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if err := <-closed; err != nil {
			t.Error(err)
		}
	})
}

// TestStreamEndsOnTheWire lets a token expire on a real connection: its last
// millisecond runs when the stream begins. [TR-19]
func TestStreamEndsOnTheWire(t *testing.T) {
	s := newStand(t)
	token := s.token()
	s.clock.set(s.clock.Now().Add(issuer.Lifetime + validate.DefaultLeeway - time.Millisecond))

	handled := make(chan error, 1)
	server := grpc.NewServer(grpc.StreamInterceptor(grpcauth.Stream(s.guard, grpcauth.Methods{method: {}})))
	server.RegisterService(&grpc.ServiceDesc{ServiceName: "shop.Orders", Streams: []grpc.StreamDesc{{
		StreamName: "Get", ServerStreams: true, ClientStreams: true,
		Handler: func(_ any, ss grpc.ServerStream) error {
			err := ss.RecvMsg(&emptypb.Empty{}) // the client never sends
			handled <- err
			return err
		},
	}}}, nil)
	l := bufconn.Listen(1 << 16)
	served := make(chan struct{})
	go func() { defer close(served); _ = server.Serve(l) }()
	conn, err := grpc.NewClient("passthrough:bufconn", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return l.DialContext(ctx) }))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(); server.Stop(); <-served }()

	ctx := metadata.NewOutgoingContext(t.Context(), bearer(token))
	client, err := conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, method)
	if err != nil {
		t.Fatal(err)
	}
	err = client.RecvMsg(&emptypb.Empty{})
	if status.Code(err) != codes.Unauthenticated || reason(err) != "INVALID_TOKEN" || status.Convert(err).Message() != validate.ErrExpired.Phrase() {
		t.Errorf("%v", err)
	}
	if got := client.Trailer().Get("www-authenticate"); len(got) != 1 {
		t.Errorf("trailer: %v", client.Trailer())
	}
	if err := <-handled; status.Code(err) != codes.Unauthenticated {
		t.Errorf("the handler got %v", err)
	}
}
