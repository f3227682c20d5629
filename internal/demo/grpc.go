package demo

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/bearward/bearward/adapters/grpcauth"
	"github.com/bearward/bearward/middleware"
	"github.com/bearward/bearward/validate"
)

const service = "orders.v1.Orders"

// methods is the policy of each gRPC method. Delete exists and is not listed:
// it is denied. Health is public because it is listed so, and not by its name.
var methods = grpcauth.Methods{
	"/" + service + "/List":        mayRead,
	"/" + service + "/Watch":       mayRead,
	"/" + service + "/Create":      mayWrite,
	"/" + service + "/Pay":         withNonce,
	"/grpc.health.v1.Health/Check": middleware.Public(),
}

// ordersService is what protoc would write for a service whose methods take
// google.protobuf.Empty and return google.protobuf.Struct.
var ordersService = grpc.ServiceDesc{
	ServiceName: service,
	HandlerType: (*any)(nil),
	Methods: []grpc.MethodDesc{
		{MethodName: "List", Handler: unary("List", list)},
		{MethodName: "Create", Handler: unary("Create", create)},
		{MethodName: "Pay", Handler: unary("Pay", create)},
		{MethodName: "Delete", Handler: unary("Delete", create)},
	},
	Streams: []grpc.StreamDesc{{StreamName: "Watch", Handler: watch, ServerStreams: true}},
}

// overGRPC is the same API as a gRPC service.
func overGRPC(guard *middleware.Guard) *grpc.Server {
	server := grpc.NewServer(grpcauth.ServerOptions(guard, methods)...)
	server.RegisterService(&ordersService, nil)
	grpc_health_v1.RegisterHealthServer(server, health.NewServer())
	return server
}

func unary(name string, answer func(*validate.Token) any) grpc.MethodHandler {
	info := &grpc.UnaryServerInfo{FullMethod: "/" + service + "/" + name}
	handle := func(ctx context.Context, _ any) (any, error) {
		token, _ := middleware.FromContext(ctx)
		return message(answer(token))
	}
	return func(_ any, ctx context.Context, decode func(any) error, through grpc.UnaryServerInterceptor) (any, error) {
		in := new(emptypb.Empty)
		if err := decode(in); err != nil {
			return nil, err
		}
		return through(ctx, in, info, handle)
	}
}

// watch sends the orders one by one.
func watch(_ any, stream grpc.ServerStream) error {
	if err := stream.RecvMsg(new(emptypb.Empty)); err != nil {
		return err
	}
	for _, item := range stock {
		m, err := message(map[string]any{"order": item})
		if err != nil {
			return err
		}
		if err := stream.SendMsg(m); err != nil {
			return err
		}
	}
	return nil
}

// message turns what the HTTP handlers encode into a protobuf message.
func message(v any) (*structpb.Struct, error) {
	members, _ := v.(map[string]any)
	out := make(map[string]any, len(members))
	for name, value := range members {
		if texts, ok := value.([]string); ok {
			list := make([]any, len(texts))
			for i, text := range texts {
				list[i] = text
			}
			value = list
		}
		out[name] = value
	}
	return structpb.NewStruct(out)
}
