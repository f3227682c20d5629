package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"google.golang.org/genproto/googleapis/rpc/code"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"
)

const callTimeout = 10 * time.Second

// Call is one gRPC call of the demo's API.
type Call struct {
	Addr   string // loopback, host and port
	Method string // /package.Service/Method
	Token  string // "" for none
	Stream bool   // the method streams its answers
}

// Reply is what came back.
type Reply struct {
	Status    *status.Status
	Messages  []string // JSON
	Challenge []string // trailer www-authenticate
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
	if c.Token != "" {
		ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+c.Token)
	}
	var reply Reply
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
	defer func() { reply.Challenge = stream.Trailer().Get("www-authenticate") }()
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

// String prints the reply: messages, then the status and what explains it.
func (r Reply) String() string {
	var b strings.Builder
	for _, m := range r.Messages {
		b.WriteString(m + "\n")
	}
	n := r.Status.Proto().GetCode()
	fmt.Fprintf(&b, "grpc-status: %d %s\n", n, code.Code_name[n])
	if m := r.Status.Message(); m != "" {
		fmt.Fprintf(&b, "grpc-message: %s\n", m)
	}
	for _, detail := range r.Status.Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok {
			fmt.Fprintf(&b, "reason: %s\n", info.GetReason())
		}
	}
	for _, challenge := range r.Challenge {
		fmt.Fprintf(&b, "www-authenticate: %s\n", challenge)
	}
	return b.String()
}
