// Package redistest runs a real redis-server for tests.
package redistest

import (
	"bufio"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

const attempts = 20 // at a port that somebody else takes meanwhile

// SamePort stands, among the options of a server, for Server.Port: with
// "--port", "0", "--tls-port", SamePort it speaks TLS only.
const SamePort = "PORT"

// Server is a redis-server on loopback without a configuration file. Its
// methods are for the test's goroutine.
type Server struct {
	Port int    // on 127.0.0.1
	Dir  string // where it stores what it stores; nothing by default

	tb     testing.TB
	binary string
	args   []string
	cmd    *exec.Cmd
	said   *strings.Builder
	ended  chan struct{}
}

// Start runs a server until the test ends. It stores nothing, unless args, the
// server's own options, say otherwise. Without redis-server in PATH the test is
// skipped, or fails if BEARWARD_REQUIRE_ALL=1.
func Start(tb testing.TB, args ...string) *Server {
	tb.Helper()
	binary, err := exec.LookPath("redis-server")
	switch {
	case err == nil:
	case os.Getenv("BEARWARD_REQUIRE_ALL") == "1":
		tb.Fatal("redis-server is not in PATH")
	default:
		tb.Skip("redis-server is not in PATH")
	}
	s := &Server{tb: tb, binary: binary, args: args, Dir: tb.TempDir()}
	tb.Cleanup(s.Stop)
	for range attempts {
		s.Port = pickPort(tb)
		if s.run() {
			return s
		}
		if !strings.Contains(s.said.String(), "Address already in use") {
			break
		}
	}
	tb.Fatalf("redis-server did not start:\n%s", s.said)
	return nil
}

// Addr is host:port.
func (s *Server) Addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.Port)) }

// URL is where it is, for redisstore.Config.
func (s *Server) URL() string { return "redis://" + s.Addr() + "/0" }

// Stop kills the server. Nothing happens if it does not run.
func (s *Server) Stop() {
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Kill() // ends it even while it is paused
	<-s.ended
	_ = s.cmd.Wait()
	s.cmd = nil
}

// Restart starts a server that was stopped, at the same address.
func (s *Server) Restart() {
	s.tb.Helper()
	s.Stop()
	for range attempts {
		if s.run() {
			return
		}
	}
	s.tb.Fatalf("redis-server did not start again:\n%s", s.said)
}

// run reports whether the server got ready.
func (s *Server) run() bool {
	s.tb.Helper()
	options := []string{
		"--port", strconv.Itoa(s.Port), "--bind", "127.0.0.1",
		"--save", "", "--appendonly", "no", "--daemonize", "no", "--dir", s.Dir,
	}
	for _, arg := range s.args {
		if arg == SamePort {
			arg = strconv.Itoa(s.Port)
		}
		options = append(options, arg)
	}
	s.cmd = exec.Command(s.binary, options...) //nolint:gosec // a binary from PATH, for tests
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		s.tb.Fatal(err)
	}
	s.cmd.Stderr = s.cmd.Stdout
	if err := s.cmd.Start(); err != nil {
		s.tb.Fatal(err)
	}
	s.said, s.ended = &strings.Builder{}, make(chan struct{})
	ready := make(chan bool, 1)
	go s.listen(out, ready)
	if <-ready {
		return true
	}
	s.Stop()
	return false
}

// listen reads what the server says, until it ends.
func (s *Server) listen(out io.Reader, ready chan<- bool) {
	defer close(s.ended)
	up := false
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if up {
			continue
		}
		s.said.WriteString(lines.Text() + "\n")
		if up = strings.Contains(lines.Text(), "Ready to accept connections"); up {
			ready <- true
		}
	}
	if !up {
		ready <- false
	}
}

// pickPort returns a free port below the range that the system hands out by
// itself, so that it stays free while the server restarts.
func pickPort(tb testing.TB) int {
	tb.Helper()
	for range 1000 {
		port := 11_000 + rand.IntN(9_000) //nolint:gosec // no secret
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err == nil {
			_ = l.Close()
			return port
		}
	}
	tb.Fatal("no free port on loopback")
	return 0
}
