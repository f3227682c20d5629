package grpcauth

import (
	"context"
	"crypto/x509"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"

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

// header shows a call's metadata as header fields, without a copy of all of it.
type header struct{ ctx context.Context }

// headers are used again: nobody keeps one after the decision.
var headers = sync.Pool{New: func() any { return new(header) }}

// keys maps the canonical spellings that the core asks for to metadata keys. What
// has none is a convention of HTTP, which means nothing here.
var keys = map[string]string{
	"Authorization": "authorization", "Dpop": "dpop",
	"Host":   ":authority",
	"Origin": "", "Access-Control-Request-Method": "", "Early-Data": "",
}

// Values returns the values of a field. A name outside of the table is one that
// the configuration names, a proxy's header for example.
func (h *header) Values(name string) []string {
	key, ok := keys[name]
	if !ok {
		key = strings.ToLower(name)
	}
	if key == "" {
		return nil
	}
	return metadata.ValueFromIncomingContext(h.ctx, key)
}

// release ends the use of a request and its header.
func (h *header) release() {
	h.ctx = nil
	headers.Put(h)
}

// request translates a call: gRPC is always POST, and the path is the method.
// Its URI, which proofs name, begins with https wherever TLS ends.
func request(ctx context.Context, method string) (middleware.Request, *header) {
	r := middleware.Request{Method: "POST", Scheme: "https", RawPath: method} // [GR-11]
	h := headers.Get().(*header)
	h.ctx = ctx
	r.Header = h
	if p, ok := peer.FromContext(ctx); ok {
		r.Peer, r.Local = address(p.Addr), address(p.LocalAddr)
		if info, ok := p.AuthInfo.(credentials.TLSInfo); ok {
			r.Certificate = leaf(info) // [GR-12]
		}
	}
	return r, h
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

// pass puts the decision's headers into those of the answer, and takes from the
// context what was forged.
func pass(ctx context.Context, d middleware.Decision, setHeader func(metadata.MD) error) context.Context {
	if md := translate(d.Header); len(md) > 0 {
		_ = setHeader(md) // a client without a nonce is told when it needs one
	}
	if len(d.Remove) == 0 {
		return ctx
	}
	md, _ := metadata.FromIncomingContext(ctx)
	md = md.Copy()
	for _, name := range d.Remove {
		md.Delete(strings.ToLower(name))
	}
	return metadata.NewIncomingContext(ctx, md)
}

// refuse writes the denial as gRPC does: a status with ErrorInfo, and the HTTP
// challenge as trailer metadata.
func refuse(d *middleware.Denial, setTrailer func(metadata.MD) error) error {
	_ = setTrailer(translate(d.Header)) // the status says the same
	return statusOf(d)
}

// translate leaves out what is about HTTP's caches and pages.
func translate(h http.Header) metadata.MD {
	md := metadata.MD{}
	for name, values := range h {
		switch key := strings.ToLower(name); key {
		case "content-type", "cache-control", "vary", "access-control-expose-headers":
		default:
			md[key] = values // [GR-09 GR-11]
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
