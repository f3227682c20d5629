package redisstore_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"io"
	"net"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/bearward/bearward/internal/redistest"
	"github.com/bearward/bearward/validate"
)

const (
	marker = "bearward:p:since"
	lost   = "redis may have lost used proofs"
	begun  = "redis holds no used proofs yet"
)

var someone = [32]byte{1}

// proof is the id of the nth proof.
func proof(n int) (id [32]byte) {
	binary.BigEndian.PutUint64(id[:], uint64(n))
	return id
}

// use presents a proof of someone.
func (s store) use(n int) (bool, error) {
	return s.Replay().First(context.Background(), someone, proof(n), s.clock.Now().Add(time.Minute))
}

func (s store) wantFirst(t *testing.T, n int, want bool) {
	t.Helper()
	if got, err := s.use(n); got != want || err != nil {
		t.Errorf("proof %d: first %v, %v, want %v", n, got, err, want)
	}
}

// wantUnsure asserts that nobody says whether the proof is the first.
func (s store) wantUnsure(t *testing.T, n int, code validate.Code) {
	t.Helper()
	within(t, func() {
		if first, err := s.use(n); first || validate.CodeOf(err) != code {
			t.Errorf("proof %d: first %v, %v, want %s", n, first, err, code)
		}
	})
}

// wantSince asserts how long ago, by the clock of the process, Redis begins to
// hold everything: a second later than the marker says, as clocks may be apart,
// and give or take what a test may take.
func (s store) wantSince(t *testing.T, marker time.Duration) {
	t.Helper()
	ago := s.clock.Now().Sub(s.Replay().Since())
	if later := marker - ago; later > time.Second || later < time.Second-patience {
		t.Errorf("since %v ago, the marker is from %v ago", ago, marker)
	}
}

// eventually waits for what happens beside the test.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); runtime.Gosched() {
		if time.Now().After(end) {
			t.Fatal(what)
		}
	}
}

// pretend makes Redis one that holds all proofs of the last hour.
func pretend(t *testing.T, client *redis.Client) {
	t.Helper()
	set(t, client, runID(t, client), -time.Hour)
}

func runID(t *testing.T, client *redis.Client) string {
	t.Helper()
	_, run, _ := strings.Cut(client.Info(t.Context(), "server").Val(), "run_id:")
	run, _, _ = strings.Cut(run, "\r\n")
	return run
}

// set writes a marker by the time of Redis.
func set(t *testing.T, client *redis.Client, run string, age time.Duration) {
	t.Helper()
	value := run + " " + strconv.FormatInt(client.Time(t.Context()).Val().Add(age).UnixMicro(), 10)
	must(t, client.Set(t.Context(), marker, value, 0).Err())
}

// between is a server in front of another one. It is told each command before
// that one gets it.
func between(t *testing.T, server *redistest.Server, tell func(command string)) *fake {
	t.Helper()
	return serve(t, func(c net.Conn) {
		to, err := net.Dial("tcp", server.Addr())
		if err != nil {
			return
		}
		defer to.Close()
		commands, replies := bufio.NewReader(c), bufio.NewReader(to)
		for {
			command, err := message(commands)
			if err != nil {
				return
			}
			tell(command)
			if _, err := io.WriteString(to, command); err != nil {
				return
			}
			reply, err := message(replies)
			if err != nil {
				return
			}
			if _, err := io.WriteString(c, reply); err != nil {
				return
			}
		}
	})
}

// message reads one value of the protocol, as it is written.
func message(r *bufio.Reader) (string, error) {
	line, err := r.ReadString('\n')
	if err != nil {
		return "", err
	}
	n, _ := strconv.Atoi(strings.TrimSpace(line[1:]))
	switch line[0] {
	case '$':
		text := make([]byte, max(n+2, 0))
		if n >= 0 {
			_, err = io.ReadFull(r, text)
			line += string(text)
		}
	case '*':
		for range n {
			var item string
			if item, err = message(r); err != nil {
				break
			}
			line += item
		}
	}
	return line, err
}
