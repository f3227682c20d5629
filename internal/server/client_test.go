package server

import (
	"bufio"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// slow is a connection that remembers its write deadlines.
type slow struct {
	http.ResponseWriter
	set  []time.Time
	conn net.Conn
}

func (s *slow) SetWriteDeadline(at time.Time) error { s.set = append(s.set, at); return nil }
func (s *slow) FlushError() error                   { return nil }
func (s *slow) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return s.conn, nil, nil
}

func (s *slow) last() time.Time {
	if len(s.set) == 0 {
		return time.Time{}
	}
	return s.set[len(s.set)-1]
}

func newSlow(major int) (*slow, *client) {
	s := &slow{ResponseWriter: httptest.NewRecorder()}
	return s, &client{ResponseWriter: s, conn: http.NewResponseController(s), h2: major > 1, silence: time.Hour, linger: time.Minute}
}

// An answer that has begun ends at once, also while it waits for the client.
func TestInterruptedAnswer(t *testing.T) { // [TR-19]
	for _, major := range []int{1, 2} {
		s, c := newSlow(major)
		c.WriteHeader(200)
		if left := time.Until(s.last()); left < 59*time.Minute {
			t.Errorf("HTTP/%d: %v for the header", major, left)
		}
		_ = c.FlushError()
		if s.last().IsZero() != (major == 2) { // a quiet stream of HTTP/2 must not end by it
			t.Errorf("HTTP/%d: deadlines %v", major, s.set)
		}
		_, _ = c.Write([]byte("x"))
		if left := time.Until(s.last()); left < 29*time.Minute {
			t.Errorf("HTTP/%d: %v for the body", major, left)
		}
		c.interrupt()
		if s.last() != past {
			t.Errorf("HTTP/%d: deadlines %v", major, s.set)
		}
		n := len(s.set)
		_, _ = c.Write([]byte("x"))
		_ = c.FlushError()
		c.end()
		if len(s.set) != n {
			t.Errorf("HTTP/%d: the deadline moves on: %v", major, s.set)
		}
	}
}

// Where nothing has begun, the answer that it is too late has a moment.
func TestInterruptedBeforeTheAnswer(t *testing.T) { // [TR-19]
	for _, major := range []int{1, 2} {
		s, c := newSlow(major)
		c.interrupt()
		if len(s.set) > 0 {
			t.Errorf("HTTP/%d: deadlines %v", major, s.set)
		}
		c.WriteHeader(401)
		if left := time.Until(s.last()); left > time.Minute || left < 59*time.Second || len(s.set) != 1 {
			t.Errorf("HTTP/%d: deadlines %v", major, s.set)
		}
	}
}

// What comes after the request does not touch the next one.
func TestInterruptedAfterTheAnswer(t *testing.T) {
	s, c := newSlow(1)
	c.WriteHeader(200)
	c.end()
	n := len(s.set)
	c.interrupt()
	if len(s.set) != n || s.last() == past {
		t.Errorf("deadlines %v", s.set)
	}
}

// An upgraded connection is closed, whoever of both waits for whom.
func TestInterruptedUpgrade(t *testing.T) { // [TR-19]
	for _, late := range []bool{false, true} {
		s, c := newSlow(1)
		near, far := net.Pipe()
		s.conn = near
		c.WriteHeader(http.StatusSwitchingProtocols)
		if late {
			c.interrupt()
		}
		if _, _, err := c.Hijack(); err != nil {
			t.Fatal(err)
		}
		if !late {
			c.interrupt()
		}
		if _, err := far.Read(make([]byte, 1)); err == nil || len(s.set) > 0 {
			t.Errorf("late %v: %v, deadlines %v", late, err, s.set)
		}
		_ = far.Close()
	}
}
