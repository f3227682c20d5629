package grpcauth

import (
	"context"
	"crypto/x509"
	"net"
	"net/netip"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/bearward/bearward/middleware"
)

type metadataMD = metadata.MD

// header shows a call's metadata as header fields.
type header metadata.MD

// keys maps the canonical spellings that the core asks for to metadata keys.
var keys = map[string]string{"Authorization": "authorization", "Dpop": "dpop"}

// Values returns the values of a field; names outside of the table have none,
// so that HTTP conventions do not leak into gRPC.
func (h header) Values(name string) []string {
	if key, ok := keys[name]; ok {
		return h[key]
	}
	return nil
}

// request translates a call: gRPC is always POST, and the path is the method.
func request(ctx context.Context, method string) middleware.Request {
	r := middleware.Request{Method: "POST", Scheme: "http", RawPath: method}
	if md, ok := metadata.FromIncomingContext(ctx); ok {
		r.Header = header(md)
		if authority := md[":authority"]; len(authority) == 1 {
			r.Host = authority[0]
		}
	}
	if p, ok := peer.FromContext(ctx); ok {
		r.Peer, r.Local = address(p.Addr), address(p.LocalAddr)
		if info, ok := p.AuthInfo.(credentials.TLSInfo); ok {
			r.Scheme, r.Certificate = "https", leaf(info)
		}
	}
	return r
}

func leaf(info credentials.TLSInfo) *x509.Certificate {
	if certs := info.State.PeerCertificates; len(certs) > 0 {
		return certs[0]
	}
	return nil
}

func address(a net.Addr) netip.Addr {
	if tcp, ok := a.(*net.TCPAddr); ok {
		return tcp.AddrPort().Addr()
	}
	return netip.Addr{}
}

// refuse writes the denial as gRPC does: a status with ErrorInfo, and the HTTP
// challenge as trailer metadata.
func refuse(d *middleware.Denial, setTrailer func(metadata.MD) error) error {
	_ = setTrailer(trailer(d)) // the status says the same
	return statusOf(d)
}

func trailer(d *middleware.Denial) metadata.MD {
	md := metadata.MD{}
	for name, values := range d.Header {
		switch key := strings.ToLower(name); key {
		case "content-type", "cache-control", "access-control-expose-headers":
		default:
			md[key] = values // [GR-09]
		}
	}
	return md
}

func statusOf(d *middleware.Denial) error {
	st := status.New(codes.Code(d.GRPC), text(d))
	if d.Reason == "" {
		return st.Err()
	}
	details := []protoadapt.MessageV1{&errdetails.ErrorInfo{Reason: d.Reason, Domain: middleware.ErrorDomain, Metadata: d.Details}} // [GR-08]
	if d.RetryAfter > 0 {
		details = append(details, &errdetails.RetryInfo{RetryDelay: durationpb.New(d.RetryAfter)})
	}
	if with, err := st.WithDetails(details...); err == nil {
		st = with
	}
	return st.Err()
}

// text is the fixed phrase of the code, or what the status means.
func text(d *middleware.Denial) string {
	if phrase := d.Code.Phrase(); phrase != "" {
		return phrase
	}
	return codes.Code(d.GRPC).String()
}
