package redisstore

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"syscall"
	"time"
)

// dial connects. A failure is a connection that fails, too: the pool would
// write about an error to stderr by itself and go on dialing on its own.
func (p place) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	c, err := p.connect(ctx)
	if err != nil {
		return unconnected{err}, nil //nolint:nilerr // its first use returns it
	}
	return c, nil
}

func (p place) connect(ctx context.Context) (net.Conn, error) {
	var d net.Dialer
	if p.tls == nil {
		return d.DialContext(ctx, p.network, p.address)
	}
	c, err := (&tls.Dialer{NetDialer: &d, Config: p.tls}).DialContext(ctx, p.network, p.address)
	if err != nil {
		return nil, err
	}
	if secure, ok := c.(*tls.Conn); ok {
		return tlsConn{secure}, nil
	}
	return c, nil
}

// tlsConn lets the pool see, before it uses a connection, that Redis closed it.
type tlsConn struct{ *tls.Conn }

func (c tlsConn) SyscallConn() (syscall.RawConn, error) {
	s, ok := c.NetConn().(syscall.Conn)
	if !ok {
		return nil, errors.ErrUnsupported
	}
	return s.SyscallConn()
}

// unconnected is a connection that did not come about.
type unconnected struct{ err error }

func (u unconnected) Read([]byte) (int, error)         { return 0, u.err }
func (u unconnected) Write([]byte) (int, error)        { return 0, u.err }
func (u unconnected) Close() error                     { return nil }
func (u unconnected) LocalAddr() net.Addr              { return &net.UnixAddr{} }
func (u unconnected) RemoteAddr() net.Addr             { return &net.UnixAddr{} }
func (u unconnected) SetDeadline(time.Time) error      { return nil }
func (u unconnected) SetReadDeadline(time.Time) error  { return nil }
func (u unconnected) SetWriteDeadline(time.Time) error { return nil }
