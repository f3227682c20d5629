package main

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"strings"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	typev3 "github.com/envoyproxy/go-control-plane/envoy/type/v3"
	rpcstatus "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/bearward/bearward/internal/server"
	"github.com/bearward/bearward/middleware"
	"github.com/bearward/bearward/validate"
)

// authorization is envoy.service.auth.v3.Authorization.
type authorization struct {
	authv3.UnimplementedAuthorizationServer

	rules *server.ExtAuthz
}

// front is a server of that and of nothing else: the HTTP form would take the 200
// that every answer of gRPC has for yes.
func front(rules *server.ExtAuthz) http.Handler {
	s := grpc.NewServer()
	authv3.RegisterAuthorizationServer(s, &authorization{rules: rules})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor != 2 || r.URL.Path != authv3.Authorization_Check_FullMethodName || !strings.HasPrefix(r.Header.Get("Content-Type"), "application/grpc") {
			http.Error(w, "this is envoy.service.auth.v3.Authorization alone; bearward serve has the HTTP form", http.StatusForbidden)
			return
		}
		s.ServeHTTP(w, r)
	})
}

// Check answers a question of Envoy.
func (a *authorization) Check(ctx context.Context, r *authv3.CheckRequest) (answer *authv3.CheckResponse, err error) {
	defer func() {
		if v := recover(); v != nil { // [PV-07]
			answer, err = nil, status.Error(codes.Internal, fmt.Sprintf("panic: %T", v))
		}
	}()
	in, ok := question(ctx, r)
	if !ok {
		return refuse(a.rules.Guard.Deny(ctx, in, validate.ErrForwardedInvalid).Denial), nil
	}
	reply := a.rules.Ask(ctx, in)
	if reply.Denial != nil {
		return refuse(reply.Denial), nil
	}
	return allow(reply), nil
}

// question is the client's request, and whether it is one. Header names are
// Envoy's, in lower case; several values of one name are apart with
// encode_raw_headers and joined by commas otherwise.
func question(ctx context.Context, r *authv3.CheckRequest) (middleware.Request, bool) {
	asked := r.GetAttributes().GetRequest().GetHttp()
	h := http.Header{}
	in := middleware.Request{Method: asked.GetMethod(), Scheme: asked.GetScheme(), Host: asked.GetHost(), Header: h}
	in.RawPath, in.RawQuery, _ = strings.Cut(asked.GetPath(), "?")
	if p, ok := peer.FromContext(ctx); ok {
		if at, err := netip.ParseAddrPort(p.Addr.String()); err == nil {
			in.Peer = at.Addr()
		}
	}
	for name, value := range asked.GetHeaders() {
		h.Add(name, value)
	}
	for _, v := range asked.GetHeaderMap().GetHeaders() {
		if raw := v.GetRawValue(); len(raw) > 0 {
			h.Add(v.GetKey(), string(raw))
			continue
		}
		h.Add(v.GetKey(), v.GetValue())
	}
	return in, in.Method != "" && strings.HasPrefix(in.RawPath, "/")
}

// allow sets the identity headers, and has those that are empty removed.
func allow(reply server.Reply) *authv3.CheckResponse {
	ok := &authv3.OkHttpResponse{HeadersToRemove: reply.Remove}
	for _, h := range reply.Identity { // [PV-05]
		if h.Value == "" {
			ok.HeadersToRemove = append(ok.HeadersToRemove, strings.ToLower(h.Name))
			continue
		}
		ok.Headers = append(ok.Headers, set(h.Name, h.Value, false))
	}
	ok.ResponseHeadersToAdd = options(reply.Header)
	return &authv3.CheckResponse{
		Status:       &rpcstatus.Status{Code: int32(codes.OK)},
		HttpResponse: &authv3.CheckResponse_OkResponse{OkResponse: ok},
	}
}

// refuse is the refusal for the client. Envoy knows no 425; there it is 503.
func refuse(d *middleware.Denial) *authv3.CheckResponse {
	if _, known := typev3.StatusCode_name[int32(d.Status)]; !known {
		d.Restate(http.StatusServiceUnavailable)
	}
	return &authv3.CheckResponse{
		Status: &rpcstatus.Status{Code: int32(codes.PermissionDenied)},
		HttpResponse: &authv3.CheckResponse_DeniedResponse{DeniedResponse: &authv3.DeniedHttpResponse{
			Status:  &typev3.HttpStatus{Code: typev3.StatusCode(d.Status)},
			Headers: options(d.Header),
			Body:    string(d.Body),
		}},
	}
}

// options are headers with every value of each, in order.
func options(h http.Header) (all []*corev3.HeaderValueOption) {
	for name, values := range h {
		for i, value := range values {
			all = append(all, set(name, value, i > 0))
		}
	}
	return all
}

// set replaces a header, or adds a further value to it. Append is deprecated, and
// the one field that every version of Envoy reads here.
func set(name, value string, further bool) *corev3.HeaderValueOption {
	return &corev3.HeaderValueOption{
		Header: &corev3.HeaderValue{Key: strings.ToLower(name), Value: value},
		Append: wrapperspb.Bool(further),
	}
}
