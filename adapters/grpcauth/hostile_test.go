package grpcauth_test

import (
	"testing"
	"time"

	"google.golang.org/grpc"

	"github.com/bearward/bearward/adapters/grpcauth"
)

// panicStream panics in a codec or in an interceptor's wrapper.
type panicStream struct{ *serverStream }

func (panicStream) RecvMsg(any) error { panic("codec") }

// TestPanicsStayWithTheHandler: a panic while receiving reaches the recovery
// around the handler, and does not end the process. [PV-07]
func TestPanicsStayWithTheHandler(t *testing.T) {
	guard, md := within(t, time.Now().Add(time.Minute))
	ss := panicStream{newStream(t, md)}
	var caught any
	_ = grpcauth.Stream(guard, grpcauth.Methods{method: {}})(nil, ss, watch, func(_ any, ss grpc.ServerStream) error {
		defer func() { caught = recover() }()
		return ss.RecvMsg(nil)
	})
	if caught != "codec" {
		t.Errorf("recovered %v", caught)
	}
}

// TestPathWithoutSlash: the path of a stream comes from the wire as it is. One
// without its first slash, or with another, is no listed method. [GR-10]
func TestPathWithoutSlash(t *testing.T) {
	guard, md := within(t, time.Now().Add(time.Minute))
	stream := grpcauth.Stream(guard, grpcauth.Methods{"/a.B/C": {}, "/a.B/*": {}})
	for _, path := range []string{"a.B/C", "//a.B/C", "/a.B/x/C", "/a.B//", "/a.b/C", "/a.B", "a.B", "", "/", "*", "/*"} {
		err := stream(nil, newStream(t, md), &grpc.StreamServerInfo{FullMethod: path}, func(any, grpc.ServerStream) error {
			t.Errorf("%q runs", path)
			return nil
		})
		if reason(err) != "POLICY_DENIED" {
			t.Errorf("%q: %v", path, err)
		}
	}
}
