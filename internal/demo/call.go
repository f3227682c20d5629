package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/bearward/bearward/internal/prove"
)

const callTimeout = 10 * time.Second

// Call is one gRPC call of the demo's API.
type Call struct {
	Addr   string // loopback, host and port
	Method string // /package.Service/Method
	Token  string // "" for none
	Stream bool   // the method streams its answers

	// Key signs a proof that goes with the token, which then is one that is
	// bound to it; nil: a bearer token.
	Key *prove.Key
}

// Do makes the call. It returns an error only if there is no call to make.
func (c Call) Do(ctx context.Context) (Reply, error) {
	if !Loopback(c.Addr) {
		return Reply{}, fmt.Errorf("%s is not a loopback address: without TLS tokens go nowhere else", c.Addr)
	}
	if parts := strings.Split(c.Method, "/"); len(parts) != 3 || parts[0] != "" || parts[1] == "" || parts[2] == "" {
		return Reply{}, errors.New("a method is written /package.Service/Method")
	}
	conn, err := grpc.NewClient(c.Addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return Reply{}, err
	}
	defer func() { _ = conn.Close() }()
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	reply, err := c.once(ctx, conn, "")
	if err == nil && c.Key != nil && reply.asksNonce() {
		return c.once(ctx, conn, reply.Nonce)
	}
	return reply, err
}

// once makes the call, with a proof that has the nonce.
func (c Call) once(ctx context.Context, conn *grpc.ClientConn, nonce string) (reply Reply, err error) {
	scheme := "Bearer"
	if c.Key != nil {
		scheme = "DPoP"
		// A proof names an https URL, wherever TLS ends.
		proof, err := c.Key.Sign(prove.Claims{Method: "POST", URL: "https://" + c.Addr + c.Method, Token: c.Token, Nonce: nonce})
		if err != nil {
			return Reply{}, err
		}
		ctx = metadata.AppendToOutgoingContext(ctx, "dpop", proof)
	}
	if c.Token != "" {
		ctx = metadata.AppendToOutgoingContext(ctx, "authorization", scheme+" "+c.Token)
	}
	reply.Status = status.Convert(c.exchange(ctx, conn, &reply))
	return reply, nil
}

// exchange sends an empty message and reads the answers. Unary calls are
// streams of one answer.
func (c Call) exchange(ctx context.Context, conn *grpc.ClientConn, reply *Reply) error {
	stream, err := conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: c.Stream}, c.Method)
	if err != nil {
		return err
	}
	defer func() {
		reply.Challenge = stream.Trailer().Get("www-authenticate")
		reply.Nonce = strings.Join(stream.Trailer().Get("dpop-nonce"), ", ")
	}()
	if err := stream.SendMsg(new(emptypb.Empty)); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if err := stream.CloseSend(); err != nil {
		return err
	}
	for {
		if err := c.receive(stream, reply); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil || !c.Stream {
			return err
		}
	}
}

// receive reads one message: the orders are Structs, others are passed over.
func (c Call) receive(stream grpc.ClientStream, reply *Reply) error {
	if !strings.HasPrefix(c.Method, "/"+service+"/") {
		return stream.RecvMsg(new(emptypb.Empty))
	}
	m := new(structpb.Struct)
	if err := stream.RecvMsg(m); err != nil {
		return err
	}
	text, err := protojson.Marshal(m)
	if err != nil {
		return err
	}
	reply.Messages = append(reply.Messages, string(text))
	return nil
}
