// Package drive puts load on an HTTP server over its socket. It is a closed
// loop: each connection has one request under way, and sends the next when the
// answer is there. It speaks just enough HTTP/1.1 for that, because what a
// client costs is taken from the server on the same machine.
package drive

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

const (
	dialTime = 10 * time.Second
	grace    = 10 * time.Second // after the end, for the last answers
)

// Credentials are what one request carries.
type Credentials struct {
	Scheme string // of Authorization
	Token  string
	Proof  string // value of DPoP; empty: no such field
}

// Plan says what to send where. Every field is required, but for Once.
type Plan struct {
	Address     string // host and port
	Path        string
	Connections int
	Duration    time.Duration
	Credentials []Credentials // sent in turn, over and over
	Once        bool          // each of them once: the run ends when all were sent, if that is sooner
}

// Result is how it went.
type Result struct {
	Elapsed  time.Duration  // from the first request to the last answer
	Statuses map[int]uint64 // how many answers had which status
	Latency  Latency        // from each request to the end of its answer
}

// Rate is the number of answers per second.
func (r *Result) Rate() float64 { return float64(r.Latency.Count()) / r.Elapsed.Seconds() }

// Run connects, sends until the plan ends, and returns when every connection is
// closed. Whatever is no answer is an error, and so is the end of the context.
func (p *Plan) Run(ctx context.Context) (*Result, error) {
	if p.Connections < 1 || p.Duration <= 0 || len(p.Credentials) == 0 {
		return nil, errors.New("drive: a plan needs connections, a duration and credentials")
	}
	workers := make([]*worker, p.Connections)
	defer func() {
		for _, w := range workers {
			if w != nil {
				_ = w.conn.Close()
			}
		}
	}()
	dialer := net.Dialer{Timeout: dialTime}
	for i := range workers {
		conn, err := dialer.DialContext(ctx, "tcp", p.Address)
		if err != nil {
			return nil, fmt.Errorf("drive: %w", err)
		}
		workers[i] = &worker{plan: p, conn: conn, in: bufio.NewReader(conn)}
	}
	defer context.AfterFunc(ctx, func() {
		for _, w := range workers {
			_ = w.conn.SetDeadline(time.Unix(1, 0))
		}
	})()
	return p.run(workers)
}

func (p *Plan) run(workers []*worker) (*Result, error) {
	var next atomic.Uint64
	var all sync.WaitGroup
	start := time.Now()
	for _, w := range workers {
		if err := w.conn.SetDeadline(start.Add(p.Duration + grace)); err != nil {
			return nil, fmt.Errorf("drive: %w", err)
		}
	}
	for _, w := range workers {
		all.Go(func() { w.err = w.run(start, &next) })
	}
	all.Wait()
	r := &Result{Elapsed: time.Since(start), Statuses: map[int]uint64{}}
	var faults []error
	for _, w := range workers {
		faults = append(faults, w.err)
		r.Latency.merge(&w.latency)
		for status, n := range w.statuses {
			if n > 0 {
				r.Statuses[status] += n
			}
		}
	}
	return r, errors.Join(faults...)
}

// worker is one connection.
type worker struct {
	plan     *Plan
	conn     net.Conn
	in       *bufio.Reader
	out      []byte
	statuses [1000]uint64
	latency  Latency
	err      error
}

// run sends the next credentials that no other worker has taken.
func (w *worker) run(start time.Time, next *atomic.Uint64) error {
	count := uint64(len(w.plan.Credentials))
	for began := start; began.Sub(start) < w.plan.Duration; {
		n := next.Add(1) - 1
		if w.plan.Once && n >= count {
			return nil
		}
		w.out = w.plan.appendRequest(w.out[:0], &w.plan.Credentials[n%count])
		if _, err := w.conn.Write(w.out); err != nil {
			return fmt.Errorf("drive: %w", err)
		}
		status, err := readAnswer(w.in)
		if err != nil {
			return fmt.Errorf("drive: %w", err)
		}
		now := time.Now()
		w.statuses[status]++
		w.latency.Add(now.Sub(began))
		began = now
	}
	return nil
}

func (p *Plan) appendRequest(out []byte, c *Credentials) []byte {
	out = append(out, "GET "...)
	out = append(out, p.Path...)
	out = append(out, " HTTP/1.1\r\nHost: "...)
	out = append(out, p.Address...)
	out = append(out, "\r\nAuthorization: "...)
	out = append(out, c.Scheme...)
	out = append(out, ' ')
	out = append(out, c.Token...)
	if c.Proof != "" {
		out = append(out, "\r\nDPoP: "...)
		out = append(out, c.Proof...)
	}
	return append(out, "\r\n\r\n"...)
}
