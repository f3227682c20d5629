package redistest_test

import (
	"bufio"
	"io"
	"net"
	"testing"

	"go.uber.org/goleak"

	"github.com/bearward/bearward/internal/redistest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func ping(s *redistest.Server) bool {
	conn, err := net.Dial("tcp", s.Addr())
	if err != nil {
		return false
	}
	defer conn.Close()
	_, _ = io.WriteString(conn, "PING\r\n")
	line, _ := bufio.NewReader(conn).ReadString('\n')
	return line == "+PONG\r\n"
}

func TestServer(t *testing.T) {
	s := redistest.Start(t)
	if !ping(s) {
		t.Fatal("no answer")
	}
	s.Stop()
	s.Stop()
	if ping(s) {
		t.Fatal("it was stopped and answers")
	}
	s.Restart()
	s.Pause()
	s.Resume()
	if !ping(s) {
		t.Fatal("no answer after a restart")
	}
	s.Pause() // the end of the test ends it, too
}
