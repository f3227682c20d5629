package server

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"sync"
	"time"
)

// Limits towards the upstream.
const (
	answerHeaderBytes = 256 << 10 // of the headers of an answer
	streamBytes       = 512 << 10 // that an HTTP/2 stream has on the way to a client that is slower
	pingAfter         = 30 * time.Second
)

// upstream changes nothing on the way and asks no environment for a proxy.
func (b *builder) upstream(silence time.Duration) *http.Transport {
	if b.file.Upstream == nil {
		return nil
	}
	t := b.file.UpstreamTimeouts
	dialer := &net.Dialer{Timeout: t.Connect}
	out := &http.Transport{
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := dialer.DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			return impatient{conn, silence}, nil
		},
		TLSHandshakeTimeout:    t.Connect,
		ResponseHeaderTimeout:  t.Answer,
		MaxResponseHeaderBytes: answerHeaderBytes,
		ForceAttemptHTTP2:      true,
		HTTP2:                  &http.HTTP2Config{MaxReceiveBufferPerStream: streamBytes, SendPingTimeout: pingAfter},
		DisableCompression:     true,
		MaxIdleConnsPerHost:    256,
		IdleConnTimeout:        90 * time.Second,
	}
	if b.file.UpstreamCAFile != "" {
		out.TLSClientConfig = &tls.Config{RootCAs: b.roots("upstream_ca_file", b.file.UpstreamCAFile), MinVersion: tls.VersionTLS12}
	}
	return out
}

// impatient is a connection whose other end has to take what it is sent.
type impatient struct {
	net.Conn
	silence time.Duration
}

func (c impatient) Write(p []byte) (int, error) {
	if err := c.SetWriteDeadline(time.Now().Add(c.silence)); err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}

// buffers are those by which bodies of answers go.
var buffers pool

type (
	pool   struct{ free sync.Pool }
	buffer [32 << 10]byte
)

func (p *pool) Get() []byte {
	b, _ := p.free.Get().(*buffer)
	if b == nil {
		b = new(buffer)
	}
	return b[:]
}

func (p *pool) Put(b []byte) { p.free.Put((*buffer)(b)) }
