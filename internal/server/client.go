package server

import (
	"bufio"
	"net"
	"net/http"
	"sync"
	"time"
)

const nonceField = "Dpop-Nonce"

// hops are the fields of a connection and of its framing. They are between two
// neighbours, and never in trailers.
var hops = []string{
	"Connection", "Content-Length", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Connection",
	"Te", "Trailer", "Transfer-Encoding", "Upgrade",
}

// client is where an answer goes. It takes out of informational answers and
// trailers what is taken out of final answers, too, and does not wait for ever
// for a client that takes nothing.
type client struct {
	http.ResponseWriter
	conn    *http.ResponseController
	h2      bool
	nonces  bool          // those of the upstream are passed on
	silence time.Duration // longest wait for the client
	linger  time.Duration // the same once the answer is late

	mu       sync.Mutex
	begun    bool // the final answer
	late     bool // nobody wants another answer than that it is too late
	over     bool // deadlines are the server's again, or past
	until    time.Time
	hijacked net.Conn
}

func newClient(w http.ResponseWriter, r *http.Request, s *Service) client {
	return client{
		ResponseWriter: w, conn: http.NewResponseController(w), h2: r.ProtoMajor > 1,
		nonces: s.file.DPoP == nil, silence: s.silence, linger: s.linger,
	}
}

func (c *client) WriteHeader(status int) {
	switch {
	case status == http.StatusSwitchingProtocols:
	case status < 200:
		c.drop("")
		if !c.h2 {
			c.allow()
		}
	default:
		c.begin()
	}
	c.ResponseWriter.WriteHeader(status)
}

func (c *client) begin() {
	c.mu.Lock()
	c.begun = true
	if c.late && !c.over {
		c.over = true
		_ = c.conn.SetWriteDeadline(time.Now().Add(c.linger))
	}
	c.mu.Unlock()
	c.allow()
}

func (c *client) Write(p []byte) (int, error) {
	c.allow()
	return c.ResponseWriter.Write(p)
}

// allow gives the client its time to take what comes next.
func (c *client) allow() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := time.Now(); !c.over && c.until.Sub(now) < c.silence/2 {
		c.until = now.Add(c.silence)
		_ = c.conn.SetWriteDeadline(c.until)
	}
}

// FlushError comes behind each part of a body. In HTTP/2 a deadline would end
// the stream although nothing is waiting.
func (c *client) FlushError() error {
	err := c.conn.Flush()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.h2 && !c.over {
		c.until = time.Time{}
		_ = c.conn.SetWriteDeadline(c.until)
	}
	return err
}

// Hijack is for upgraded connections: net/http takes its deadlines off them.
func (c *client) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := c.conn.Hijack()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.hijacked = conn
	if c.late && err == nil {
		_ = conn.Close()
	}
	return conn, rw, err
}

// interrupt ends what has begun, also while it waits for the client. What has
// not begun may say why there is nothing.
func (c *client) interrupt() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.late = true
	switch {
	case c.over:
	case c.hijacked != nil:
		_ = c.hijacked.Close()
	case c.begun:
		c.over = true
		_ = c.conn.SetWriteDeadline(past)
	}
}

// end comes after the body. What the upstream has sent behind it and did not
// announce has a prefix.
func (c *client) end() {
	c.drop(http.TrailerPrefix)
	c.allow()
	c.leave()
}

// leave hands the connection back.
func (c *client) leave() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.over = true
}

func (c *client) drop(prefix string) {
	h := c.Header()
	for _, name := range hops {
		delete(h, prefix+name)
	}
	if !c.nonces { // [DP-24]
		delete(h, prefix+nonceField)
	}
}
