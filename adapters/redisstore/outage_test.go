package redisstore_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bearward/bearward/internal/redistest"
	"github.com/bearward/bearward/validate"
)

const (
	begins = "redis is not used"
	ends   = "redis is used again"
)

// fake is a server that speaks as answer says. It counts its connections.
type fake struct {
	net.Listener
	conns atomic.Int64
	wg    sync.WaitGroup

	mu   sync.Mutex
	open []net.Conn
}

func serve(t *testing.T, answer func(net.Conn)) *fake {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	f := &fake{Listener: l}
	f.wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			f.conns.Add(1)
			f.mu.Lock()
			f.open = append(f.open, c)
			f.mu.Unlock()
			f.wg.Go(func() {
				defer c.Close()
				answer(c)
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		f.mu.Lock()
		for _, c := range f.open {
			_ = c.Close()
		}
		f.mu.Unlock()
		f.wg.Wait()
	})
	return f
}

func (f *fake) url() string { return "redis://" + f.Addr().String() }

// says answers whatever arrives with the same text.
func says(text string) func(net.Conn) {
	return func(c net.Conn) {
		buffer := make([]byte, 64<<10)
		for {
			if _, err := c.Read(buffer); err != nil {
				return
			}
			if _, err := io.WriteString(c, text); err != nil {
				return
			}
		}
	}
}

// broken are answers of what is no Redis, or none that works.
var broken = map[string]func(net.Conn){
	"closes at once":      func(net.Conn) {},
	"closes when asked":   func(c net.Conn) { _, _ = bufio.NewReader(c).ReadByte() },
	"never answers":       func(c net.Conn) { _, _ = io.Copy(io.Discard, c) },
	"HTTP":                says("HTTP/1.1 400 Bad Request\r\n\r\n"),
	"zero bytes":          says(strings.Repeat("\x00", 4096)),
	"no end of line":      says(strings.Repeat("+", 4096)),
	"half a string":       says("$100\r\nabc"),
	"impossible length":   says("$9223372036854775807\r\nabc"),
	"negative length":     says("*-7\r\n$-9\r\n"),
	"impossible array":    says("*9223372036854775807\r\n"),
	"nothing but strings": says("+OK\r\n"),
	"numbers":             says(":1\r\n"),
	"arrays":              says("*1\r\n*1\r\n*0\r\n"),
	"it is loading":       says("-LOADING Redis is loading the dataset in memory\r\n"),
	"part of a cluster":   says("-MOVED 1 127.0.0.1:1\r\n"),
	"user is needed":      says("-NOAUTH Authentication required.\r\n"),
	"an empty error":      says("-\r\n"),
}

// Whatever is at the address, the token's state is unknown, soon, and after
// three failures nobody asks any more for a second. [RV-03]
func TestBrokenServers(t *testing.T) {
	for name, answer := range broken {
		t.Run(name, func(t *testing.T) {
			server := serve(t, answer)
			s := open(t, server.url(), hasty)
			list := s.Revocations(0)
			for range 3 {
				wantUnknown(t, list, s.token())
			}
			conns := server.conns.Load()
			for range 5 {
				wantUnknown(t, list, s.token())
			}
			if h := s.Health(); h.Up || h.LastError == "" {
				t.Errorf("%+v", h)
			}
			if n := s.log.count(begins); n != 1 {
				t.Errorf("logged %d times:\n%s", n, s.log)
			}
			if n := server.conns.Load(); n > conns+3 { // what was accepted late
				t.Errorf("%d connections, then %d", conns, n)
			}
			if err := s.Ping(t.Context()); err == nil {
				t.Error("Ping passes")
			}
		})
	}
}

// A Redis that stops answering costs each caller its timeout, and soon nothing.
func TestPaused(t *testing.T) { // [RV-03]
	server := redistest.Start(t)
	s := open(t, server.URL(), func(c *configOf) { c.Timeout = 500 * time.Millisecond })
	list := s.Revocations(0)
	wantRevoked(t, list, s.token(), false)
	server.Pause()
	within(t, func() {
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() { wantUnknown(t, list, s.token()) })
		}
		wg.Wait()
	})
	wantUnknown(t, list, s.token())
	key := [32]byte{1}
	if v, err := s.Introspection().Get(t.Context(), key); v != nil || err == nil {
		t.Errorf("%q, %v", v, err)
	}
	server.Resume()
	wantUnknown(t, list, s.token()) // not asked before the pause is over
	s.clock.Advance(time.Second)
	wantRevoked(t, list, s.token(), false)
	if s.log.count(begins) != 1 || s.log.count(ends) != 1 || !s.Health().Up {
		t.Errorf("%+v\n%s", s.Health(), s.log)
	}
}

// One caller at a time finds out how Redis is doing.
func TestOneProbe(t *testing.T) {
	asked, answer := make(chan struct{}, 100), make(chan struct{}, 3)
	server := serve(t, func(c net.Conn) {
		if _, err := bufio.NewReader(c).ReadByte(); err == nil {
			asked <- struct{}{}
			<-answer
		}
	})
	s := open(t, server.url(), func(c *configOf) { c.Timeout = 5 * time.Second })
	list := s.Revocations(0)
	for range 3 {
		answer <- struct{}{}
		wantUnknown(t, list, s.token())
		<-asked
	}
	wantUnknown(t, list, s.token())
	s.clock.Advance(time.Second)
	done := make(chan struct{})
	go func() {
		defer close(done)
		wantUnknown(t, list, s.token())
	}()
	<-asked // the probe is under way
	for range 10 {
		wantUnknown(t, list, s.token())
	}
	close(answer)
	<-done
	if len(asked) != 0 || s.log.count(begins) != 1 {
		t.Errorf("%d more asked\n%s", len(asked), s.log)
	}
}

// Redis is killed and comes back with what it had saved.
func TestKilled(t *testing.T) { // [RV-02 RV-03]
	server := redistest.Start(t, "--appendonly", "yes", "--appendfsync", "always")
	s := open(t, server.URL())
	list, key := s.Revocations(0), [32]byte{1}
	must(t, list.Revoke(t.Context(), validate.RevocationEntry{Issuer: iss, ID: "t1"}))
	must(t, s.Introspection().Set(t.Context(), key, []byte("x"), time.Hour))
	wantRevoked(t, list, s.token(), true)
	server.Stop()
	for range 10 {
		wantUnknown(t, list, s.token())
		if v, err := s.Introspection().Get(t.Context(), key); v != nil || err == nil {
			t.Errorf("%q, %v", v, err)
		}
		if err := list.Revoke(t.Context(), validate.RevocationEntry{Issuer: iss, ID: "t2"}); err == nil {
			t.Error("an entry is taken that Redis does not have")
		}
	}
	s.clock.Advance(time.Second)
	wantUnknown(t, list, s.token()) // the probe
	server.Restart()
	s.clock.Advance(time.Second)
	wantRevoked(t, list, s.token(), true)
	if v, err := s.Introspection().Get(t.Context(), key); string(v) != "x" || err != nil {
		t.Errorf("%q, %v", v, err)
	}
	if s.log.count(begins) != 1 || s.log.count(ends) != 1 || s.log.count("lost its data") != 1 {
		t.Errorf("log:\n%s", s.log)
	}
}

// A restart that nobody noticed costs nobody anything.
func TestRestartedUnnoticed(t *testing.T) {
	for name, use := range servers(t) {
		t.Run(name, func(t *testing.T) {
			server, change, url := use(t)
			s := open(t, url, change)
			list := s.Revocations(0)
			var wg sync.WaitGroup
			for range 50 { // several connections
				wg.Go(func() { wantRevoked(t, list, s.token(), false) })
			}
			wg.Wait()
			server.Restart()
			for range 50 {
				wantRevoked(t, list, s.token(), false)
			}
			if s.log.count("redis has lost its data") != 1 {
				t.Errorf("log:\n%s", s.log)
			}
		})
	}
}

// A caller who gives up early says nothing about Redis.
func TestImpatientCallers(t *testing.T) {
	server := redistest.Start(t)
	s := open(t, server.URL())
	list := s.Revocations(0)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	late, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	for range 10 {
		for _, ctx := range []context.Context{gone, late} {
			if _, err := list.Revoked(ctx, s.token()); validate.CodeOf(err) != validate.ErrRevocationUnavailable {
				t.Errorf("%v", err)
			}
		}
	}
	wantRevoked(t, list, s.token(), false)
	if !s.Health().Up || s.log.count(begins) != 0 {
		t.Errorf("%+v\n%s", s.Health(), s.log)
	}
}

func TestClosed(t *testing.T) { // [RV-03]
	server := redistest.Start(t)
	s := open(t, server.URL())
	list := s.Revocations(0)
	wantRevoked(t, list, s.token(), false)
	must(t, s.Close())
	must(t, s.Close())
	wantUnknown(t, list, s.token())
	if s.Ping(t.Context()) == nil {
		t.Error("Ping passes")
	}
}

// No error and no log line tells the password or an address.
func TestErrorsAreQuiet(t *testing.T) {
	server := redistest.Start(t, "--requirepass", "s3cr3t-right")
	s := open(t, "redis://u5er:s3cr3t-wrong@"+server.Addr())
	list := s.Revocations(0)
	for range 4 {
		_, err := list.Revoked(t.Context(), s.token())
		err2 := list.Revoke(t.Context(), validate.RevocationEntry{Issuer: iss, ID: "t1"})
		for _, text := range []string{err.Error(), err2.Error(), s.log.String(), s.Health().LastError} {
			if strings.Contains(text, "s3cr3t") || strings.Contains(text, "u5er") || strings.Contains(text, server.Addr()) {
				t.Errorf("%s", text)
			}
		}
	}
	if h := s.Health(); h.LastError != "refuses the user and password" {
		t.Errorf("%+v", h)
	}
}

func TestWrongCertificate(t *testing.T) {
	server, _, url := secured(t)
	s := open(t, url) // of a CA that the system does not know
	wantUnknown(t, s.Revocations(0), s.token())
	if h := s.Health(); h.LastError != "has a certificate that is not trusted" {
		t.Errorf("%+v", h)
	}
	conn, err := tls.Dial("tcp", strings.TrimPrefix(url, "rediss://"), &tls.Config{InsecureSkipVerify: true})
	must(t, err)
	_ = conn.Close()
	server.Stop()
}
