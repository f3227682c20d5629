// Package grpcauth protects gRPC services with a middleware.Guard. A method
// that is not listed is denied.
//
// Tokens of up to 16 KiB are read, but a grpc-go server takes header lists of
// up to 16 MiB unless grpc.MaxHeaderListSize says less: set it on purpose, to
// 32 KiB for example. The gRPC protocol suggests 8 KiB, and proxies often hold
// to that.
package grpcauth

import (
	"context"
	"fmt"
	"strings"

	"google.golang.org/grpc"

	"github.com/bearward/bearward/middleware"
	"github.com/bearward/bearward/validate"
)

// Methods names the policy of each method by its full name,
// "/package.Service/Method", or of a whole service, "/package.Service/*". The
// full name wins. Public methods (health, reflection) have to be listed with
// middleware.Public. What is not listed is denied. The star stands for methods
// that the service gets later as well: name public ones in full.
type Methods map[string]middleware.Policy

// ServerOptions returns both interceptors, so that neither is forgotten:
//
//	server := grpc.NewServer(grpcauth.ServerOptions(guard, methods)...)
func ServerOptions(g *middleware.Guard, methods Methods) []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.ChainUnaryInterceptor(Unary(g, methods)),
		grpc.ChainStreamInterceptor(Stream(g, methods)),
	}
}

// Unary returns an interceptor that judges each call before its handler runs.
// It panics if a policy or a method name is faulty.
func Unary(g *middleware.Guard, methods Methods) grpc.UnaryServerInterceptor {
	policies := prepare(g, methods)
	return func(ctx context.Context, req any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
		r, header := request(ctx, info.FullMethod)
		ctx, d := decide(ctx, g, policies, r)
		header.release()
		if !d.Allowed {
			return nil, refuse(d.Denial, func(md metadataMD) error { return grpc.SetTrailer(ctx, md) })
		}
		if len(d.Header) > 0 || len(d.Remove) > 0 {
			ctx = pass(ctx, d, func(md metadataMD) error { return grpc.SetHeader(ctx, md) })
		}
		return next(ctx, req)
	}
}

// Stream returns an interceptor that judges each stream before its first
// message and ends it when the token expires. It panics if a policy or a
// method name is faulty.
func Stream(g *middleware.Guard, methods Methods) grpc.StreamServerInterceptor {
	policies := prepare(g, methods)
	return func(srv any, ss grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) error {
		setTrailer := func(md metadataMD) error { ss.SetTrailer(md); return nil }
		leave, open := g.Hold()
		if !open {
			r, header := request(ss.Context(), info.FullMethod)
			defer header.release()
			return refuse(g.Deny(ss.Context(), r, validate.ErrGuardClosed).Denial, setTrailer)
		}
		defer leave()
		r, header := request(ss.Context(), info.FullMethod)
		defer header.release()
		ctx, d := decide(ss.Context(), g, policies, r)
		if !d.Allowed {
			return refuse(d.Denial, setTrailer)
		}
		ctx = pass(ctx, d, ss.SetHeader)
		left, expired, limited := g.Expiry(r, d)
		if !limited {
			return next(srv, &stream{ServerStream: ss, ctx: ctx})
		}
		limit := newLimited(ctx, ss, left, statusOf(expired))
		defer limit.stop()
		err := next(srv, limit)
		if limit.over() { // [TR-19]
			ss.SetTrailer(translate(expired.Header))
			return limit.err // whatever the handler made of the end
		}
		return err
	}
}

// decide applies the method's policy; a method without one is denied before
// any token is read.
func decide(ctx context.Context, g *middleware.Guard, policies Methods, r middleware.Request) (context.Context, middleware.Decision) {
	policy, ok := policies[r.RawPath]
	if !ok {
		service := r.RawPath[:strings.LastIndexByte(r.RawPath, '/')+1]
		policy, ok = policies[service+"*"]
	}
	if !ok { // [GR-10 ER-02 PV-08]
		return ctx, g.Deny(ctx, r, validate.ErrRouteDenied)
	}
	return g.Decide(ctx, r, policy)
}

func prepare(g *middleware.Guard, methods Methods) Methods {
	out := Methods{}
	var faults []string
	for name, p := range methods {
		parts := strings.Split(name, "/")
		if len(parts) != 3 || parts[0] != "" || parts[1] == "" || parts[2] == "" || strings.Contains(strings.TrimSuffix(name, "/*"), "*") {
			faults = append(faults, fmt.Sprintf("%q is not /package.Service/Method", name))
			continue
		}
		if p.Route == "" {
			p.Route = name
		}
		prepared, err := g.Prepare(p)
		if err != nil {
			faults = append(faults, fmt.Sprintf("%s: %v", name, err))
			continue
		}
		out[name] = prepared
	}
	if len(faults) > 0 {
		panic("grpcauth: " + strings.Join(faults, "\n"))
	}
	return out
}
