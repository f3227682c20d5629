package redisstore

import (
	"bytes"
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// replay is a connection to a server that knows in advance what it says to each
// thing that it is told.
type replay struct {
	net.Conn
	says []string
	said bytes.Buffer
}

func (r *replay) Read(p []byte) (int, error) { return r.said.Read(p) }

func (r *replay) Write(p []byte) (int, error) {
	if len(r.says) > 0 {
		r.said.WriteString(r.says[0])
		r.says = r.says[1:]
	}
	return len(p), nil
}

func (r *replay) Close() error                     { return nil }
func (r *replay) SetDeadline(time.Time) error      { return nil }
func (r *replay) SetReadDeadline(time.Time) error  { return nil }
func (r *replay) SetWriteDeadline(time.Time) error { return nil }
func (r *replay) RemoteAddr() net.Addr             { return &net.UnixAddr{} }

// hears returns a store whose Redis answers so.
func hears(tb testing.TB, answer string) *Replay {
	tb.Helper()
	r, err := Open(Config{URL: "redis://127.0.0.1:1", Timeout: maxTimeout})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = r.Close() })
	_ = r.client.Close()
	o := *r.client.Options()
	o.Dialer = func(context.Context, string, string) (net.Conn, error) {
		return &replay{says: []string{"-ERR unknown command 'hello'\r\n", answer}}, nil
	}
	r.client = redis.NewClient(&o)
	return r.Replay()
}

const (
	taken = "+OK\r\n"
	there = "$-1\r\n"
	full  = "-OOM command not allowed when used memory > 'maxmemory'.\r\n"
	since = "*4\r\n$8\r\nab 12345\r\n:1000\r\n:0\r\n:40\r\n"
)

func TestReplayAnswers(t *testing.T) { // [DP-20 DP-21 DP-22]
	for answer, want := range map[string]struct {
		firsts []bool
		reason error
	}{
		taken + since:         {firsts: []bool{true}},
		there + since:         {firsts: []bool{false}},
		taken + there + since: {firsts: []bool{true, false}},
		there + taken + since: {firsts: []bool{false, true}},
		since:                 {firsts: []bool{}},

		full + since:         {[]bool{false}, errFull},
		taken + full + since: {[]bool{false, false}, errFull},
		there + full + since: {[]bool{false, false}, errFull},
		taken + full:         {[]bool{false}, errFull},
		there + full:         {[]bool{false}, errFull},

		"+QUEUED\r\n" + since:        {[]bool{false}, errNonsense},
		"+ok\r\n" + since:            {[]bool{false}, errNonsense},
		":1\r\n" + since:             {[]bool{false}, errNonsense},
		"$0\r\n\r\n" + since:         {[]bool{false}, errNonsense},
		"*1\r\n:1\r\n" + since:       {[]bool{false}, errNonsense},
		taken + "$-1\r\n":            {[]bool{false}, errNonsense},
		taken + "*-1\r\n":            {[]bool{false}, errNonsense},
		taken + "*0\r\n":             {[]bool{false}, errNonsense},
		taken + "$8\r\nab 12345\r\n": {[]bool{false}, errNonsense},
		taken + "*3\r\n$8\r\nab 12345\r\n:1000\r\n:0\r\n":                       {[]bool{false}, errNonsense},
		taken + "*5\r\n$8\r\nab 12345\r\n:1000\r\n:0\r\n:40\r\n:0\r\n":          {[]bool{false}, errNonsense},
		taken + "*4\r\n:1\r\n:1000\r\n:0\r\n:40\r\n":                            {[]bool{false}, errNonsense},
		taken + "*4\r\n$0\r\n\r\n:1000\r\n:0\r\n:40\r\n":                        {[]bool{false}, errNonsense},
		taken + "*4\r\n$8\r\nab 12345\r\n:-1\r\n:0\r\n:40\r\n":                  {[]bool{false}, errNonsense},
		taken + "*4\r\n$8\r\nab 12345\r\n:9223372036854775807\r\n:0\r\n:40\r\n": {[]bool{false}, errNonsense},
		taken + "*4\r\n$8\r\nab 12345\r\n$4\r\n1000\r\n:0\r\n:40\r\n":           {[]bool{false}, errNonsense},
		taken + "*4\r\n$8\r\nab 12345\r\n:1000\r\n$-1\r\n:40\r\n":               {[]bool{false}, errNonsense},
		taken + "*4\r\n$8\r\nab 12345\r\n:1000\r\n:0\r\n-ERR x\r\n":             {[]bool{false}, errNonsense},
		taken + "-WRONGTYPE Operation against a key\r\n":                        {[]bool{false}, errForeign},
		taken + "-NOPERM this user has no permissions\r\n":                      {[]bool{false}, errNotPermits},
		"-READONLY You can't write against a read only replica.\r\n" + since:    {[]bool{false}, errReadOnly},
		taken: {[]bool{false}, errUnreachable},
		"":    {[]bool{false}, errUnreachable},
	} {
		p := hears(t, answer)
		batch := make([]*use, len(want.firsts))
		for i := range batch {
			batch[i] = p.use([32]byte{}, [32]byte{byte(i)}, time.Now())
		}
		firsts, err := p.ask(t.Context(), batch)
		if (want.reason == nil) != (err == nil) || err != nil && (!errors.Is(err, want.reason) || firsts != nil) {
			t.Errorf("%q: %v, want %v", answer, err, want.reason)
			continue
		}
		for i := range firsts {
			if firsts[i] != want.firsts[i] {
				t.Errorf("%q: %v", answer, firsts)
			}
		}
		if moved := p.marker != ""; moved != (err == nil) {
			t.Errorf("%q: the marker is %q", answer, p.marker)
		}
	}
}

// Whatever the script returns, it is understood or refused. Each bit of shape
// makes one thing other than it should be.
func FuzzSighted(f *testing.F) { // [DP-22]
	f.Add("ab 12345", int64(1000), int64(0), int64(40), uint8(0))
	f.Add("", int64(-1), int64(1), int64(0), uint8(0))
	f.Add(" 1", int64(maxAge), int64(1), int64(0), uint8(0))
	f.Add("ab 1", int64(maxAge+1), int64(2), int64(-1), uint8(0))
	for bit := range 8 {
		f.Add("ab 12345", int64(1000), int64(0), int64(40), uint8(1)<<bit)
	}
	f.Fuzz(func(t *testing.T, marker string, age, made, run int64, shape uint8) {
		values := []any{marker, age, made, run}
		for i, wrong := range []any{age, marker, nil, []any{run}} {
			if shape>>i&1 == 1 {
				values[i] = wrong
			}
		}
		var value any = values
		var failed error
		switch shape >> 4 {
		case 0:
		case 1:
			value = values[:3]
		case 2:
			value = append(values, run)
		case 3:
			value = marker
		case 4:
			value = nil
		case 5:
			failed = redis.Nil
		default:
			failed = errors.New("redis is away")
		}
		s, err := sighted(redis.NewCmdResult(value, failed))
		right := shape == 0 && marker != "" && age >= 0 && age <= maxAge
		if right != (err == nil) {
			t.Errorf("%v: %v", value, err)
		}
		if err == nil && (s.marker != marker || s.age < 0 || s.age.Microseconds() != age) {
			t.Errorf("%v: %+v", value, s)
		}
		if errors.Is(err, redis.Nil) {
			t.Error("nothing is taken for a success")
		}
	})
}
