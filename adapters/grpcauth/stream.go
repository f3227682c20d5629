package grpcauth

import (
	"context"
	"errors"
	"time"

	"google.golang.org/grpc"
)

// stream carries the decision's context.
type stream struct {
	grpc.ServerStream
	ctx context.Context
}

func (s *stream) Context() context.Context { return s.ctx }

// limited is a stream that ends when its token expires, also in the middle of
// a wait for the next message.
type limited struct {
	grpc.ServerStream
	ctx    context.Context
	cancel context.CancelFunc
	err    error // what the caller gets when the time is over
}

func newLimited(ctx context.Context, ss grpc.ServerStream, left time.Duration, err error) *limited {
	l := &limited{ServerStream: ss, err: err}
	l.ctx, l.cancel = context.WithDeadlineCause(ctx, time.Now().Add(left), err) // [TR-19]
	return l
}

func (l *limited) stop() { l.cancel() }

func (l *limited) Context() context.Context { return l.ctx }

// over reports that the token's time, and not the caller's, has run out.
func (l *limited) over() bool { return errors.Is(context.Cause(l.ctx), l.err) }

// result replaces an error that the end has caused.
func (l *limited) result(err error) error {
	if l.over() {
		return l.err
	}
	return err
}

// SendMsg refuses to send after the end.
func (l *limited) SendMsg(m any) error {
	if l.over() {
		return l.err
	}
	return l.ServerStream.SendMsg(m)
}

// RecvMsg waits for a message or the end. After the end m must not be used:
// the receive that is under way finishes when the stream is closed.
func (l *limited) RecvMsg(m any) error {
	done := make(chan received, 1)
	go receive(l.ServerStream, m, done)
	select {
	case r := <-done:
		return l.result(r.error())
	case <-l.ctx.Done():
		if l.over() {
			return l.err
		}
		r := <-done
		return r.error()
	}
}

// received is what a receive came to. A panic of it belongs to the handler's
// goroutine, where the program may have set up its recovery.
type received struct {
	err   error
	panic any
}

func receive(ss grpc.ServerStream, m any, done chan<- received) {
	var r received
	defer func() {
		r.panic = recover() // [PV-07]
		done <- r
	}()
	r.err = ss.RecvMsg(m)
}

func (r received) error() error {
	if r.panic != nil {
		panic(r.panic)
	}
	return r.err
}
