package server

import (
	"errors"
	"io"
	"net/http"
	"os"
	"sync"
	"time"
)

// body is the request's on its way to the upstream. Reading it waits for the
// client, which may send nothing for ever: deadlines of the connection bound
// each wait, and end it when nobody needs the rest.
type body struct {
	io.ReadCloser
	conn *http.ResponseController
	one  bool          // request at a time on this connection: HTTP/1
	idle time.Duration // longest wait for the client; 0: no limit

	last func() // called at its end; nil: nothing to do

	reading sync.Mutex // held while a read waits

	mu    sync.Mutex
	over  bool  // nothing is read any more; the deadlines are the server's again
	whole bool  // it was read to its end
	err   error // the client's fault
}

func carries(r *http.Request) bool { return r.Body != nil && r.Body != http.NoBody }

// carry replaces the request's body, and lets an answer begin before that body
// has ended: otherwise net/http would wait for the rest and drop it.
func carry(w http.ResponseWriter, r *http.Request, idle time.Duration) *body {
	b := &body{ReadCloser: r.Body, conn: http.NewResponseController(w), one: r.ProtoMajor == 1}
	if b.one { // a silent stream of HTTP/2 holds no connection
		b.idle = idle
		_ = b.conn.EnableFullDuplex()
	}
	r.Body = b
	return b
}

func (b *body) Read(p []byte) (int, error) {
	b.reading.Lock()
	defer b.reading.Unlock()
	var until time.Time
	if b.idle > 0 {
		until = time.Now().Add(b.idle)
	}
	if !b.deadline(until) {
		if b.whole {
			return 0, io.EOF
		}
		return 0, http.ErrBodyReadAfterClose
	}
	n, err := b.ReadCloser.Read(p)
	if err != nil {
		b.end(err)
	}
	if errors.Is(err, io.EOF) && b.last != nil {
		b.last()
	}
	return n, err
}

// Close leaves the rest to the server. It does not wait for a read that is
// under way, as the server's own would.
func (b *body) Close() error {
	b.end(nil)
	return nil
}

func (b *body) end(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.over {
		return
	}
	b.over, b.whole = true, errors.Is(err, io.EOF)
	switch {
	case !b.whole:
		b.err = err
	case b.idle > 0: // the server waits for the client to leave, without limit
		_ = b.conn.SetReadDeadline(time.Time{})
	}
}

// deadline reports whether there is anything left to read.
func (b *body) deadline(at time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.over {
		return false
	}
	_ = b.conn.SetReadDeadline(at)
	return true
}

// past is a deadline that ends a read at once.
var past = time.Unix(1, 0)

// interrupt ends a read that waits for the client.
func (b *body) interrupt() { b.deadline(past) }

// leave hands the connection back, without a read under way. The server has
// this long to read what the client has sent already: a connection that is
// closed before that may take the answer with it.
func (b *body) leave(linger time.Duration) {
	b.interrupt()
	_ = b.Close()
	b.reading.Lock()
	defer b.reading.Unlock()
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.whole {
		_ = b.conn.SetReadDeadline(time.Now().Add(linger))
	}
}

// part makes an answer that begins before the body has ended the last one of
// its connection. Nobody knows where the next request would begin: net/http
// would take the rest of a body that was cut short for one.
func (b *body) part(answer http.Header) {
	if b == nil || !b.one {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.whole {
		answer.Set("Connection", "close")
	}
}

// fault is the status of the answer to a client that did not send what it
// announced, or 0.
func (b *body) fault() int {
	if b == nil {
		return 0
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.err == nil:
		return 0
	case errors.Is(b.err, os.ErrDeadlineExceeded):
		return http.StatusRequestTimeout
	}
	return http.StatusBadRequest
}
