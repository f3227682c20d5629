package introspect

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bearward/bearward/validate"
)

// rawServer answers every request with these bytes and keeps the connection
// open, unless hangUp. It returns its URL.
func rawServer(t *testing.T, bytes string, hangUp bool) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var open []net.Conn
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open = append(open, conn)
			mu.Unlock()
			serving.Go(func() {
				if _, err := http.ReadRequest(bufio.NewReader(conn)); err != nil {
					return
				}
				_, _ = conn.Write([]byte(bytes))
				if hangUp {
					_ = conn.Close()
				}
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		mu.Lock()
		for _, conn := range open {
			_ = conn.Close()
		}
		mu.Unlock()
		serving.Wait()
	})
	return "http://" + l.Addr().String()
}

// Whatever bytes come back, the token's state is not known and the call ends:
// no pass, no 401, and nothing of the request in what is said about it.
func TestHostileBytes(t *testing.T) { // [IN-06 IN-03]
	const head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
	sized := func(body string) string { return fmt.Sprintf("%sContent-Length: %d\r\n\r\n%s", head, len(body), body) }
	chunked := func(rest string) string { return head + "Transfer-Encoding: chunked\r\n\r\n" + rest }
	good := strings.TrimSuffix(yes, "}")
	for name, c := range map[string]struct {
		bytes  string
		hangUp bool
	}{
		"nothing":                   {"", true},
		"nothing, for ever":         {"", false},
		"no HTTP":                   {"active: true\r\n\r\n" + yes, true},
		"101":                       {"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n" + yes, false},
		"100s without end":          {strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 1000), false},
		"a header without end":      {"HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 1<<20), false},
		"two lengths":               {head + "Content-Length: 62\r\nContent-Length: 63\r\n\r\n" + yes, true},
		"negative length":           {head + "Content-Length: -1\r\n\r\n" + yes, true},
		"cut off":                   {head + "Content-Length: 1000\r\n\r\n" + yes, true},
		"cut off, for ever":         {head + "Content-Length: 1000\r\n\r\n" + yes, false},
		"no chunk":                  {chunked("zz\r\n" + yes), true},
		"huge chunk":                {chunked("ffffffffffffffff\r\n" + yes), false},
		"chunks without end":        {chunked(fmt.Sprintf("%x\r\n%s\r\n", len(yes), yes)), true},
		"two bodies":                {chunked(fmt.Sprintf("%x\r\n%s\r\n%x\r\n%s\r\n0\r\n\r\n", len(yes), yes, len(yes), yes)), true},
		"compressed":                {head + "Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\x00", true},
		"redirect":                  {"HTTP/1.1 307 Temporary Redirect\r\nLocation: http://127.0.0.1:1/?token=x\r\nContent-Length: 0\r\n\r\n", true},
		"206":                       {strings.Replace(sized(yes), "200 OK", "206 Partial Content", 1), true},
		"a byte order mark":         {sized("\ufeff" + yes), true},
		"NUL behind":                {sized(yes + "\x00"), true},
		"NUL inside":                {sized(good + ",\"x\":\"\x00\"}"), true},
		"UTF-16":                    {sized("\xff\xfe{\x00}\x00"), true},
		"broken UTF-8":              {sized(good + ",\"x\":\"\xff\"}"), true},
		"half a surrogate":          {sized(good + `,"x":"\ud800"}`), true},
		"deep":                      {sized(good + `,"x":` + strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000) + "}"), true},
		"active twice":              {sized(good + `,"active":true}`), true},
		"active twice, once hidden": {sized(good + `,"\u0061ctive":false}`), true},
		"twice, deep inside":        {sized(good + `,"x":{"active":true,"active":false}}`), true},
		"active in an array":        {sized("[" + yes + "]"), true},
		"active in upper case":      {sized(`{"ACTIVE":true,"aud":"` + api + `"}`), true},
		"active only inside":        {sized(`{"token":` + yes + `}`), true},
		"active as a number":        {sized(`{"active":1,"aud":"` + api + `"}`), true},
		"two answers":               {sized(yes + yes), true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			at := rawServer(t, c.bytes, c.hangUp)
			log := &lines{}
			v, err := New(Config{
				Token: validate.Config{Issuer: at, Audience: []string{api}}, Endpoint: at + "/endpoint-path",
				Auth: Auth{Method: Post, ClientID: "api", Secret: "client-secret"}, AllowHTTP: true,
				Limits: Limits{Timeout: 300 * time.Millisecond}, Logger: slog.New(slog.NewTextHandler(log, nil)),
			})
			if err != nil {
				t.Fatal(err)
			}
			token, err := v.Verify(t.Context(), "presented-token")
			refusal := isRefusal(t, token, err, validate.CodeOf(err))
			if refusal.Code.Class() != validate.Unavailable {
				t.Errorf("got %v", err)
			}
			var said bytes.Buffer
			var outage *Outage
			if !errors.As(err, &outage) {
				t.Errorf("got %v", err)
			}
			for _, told := range []error{err, outage, outage.Unwrap()} {
				fmt.Fprintf(&said, "%v %+v %q\n", told, told, told)
			}
			fmt.Fprintf(&said, "%+v %s", v.Health(), log.buf.String())
			for _, secret := range []string{"presented-token", "client-secret", "endpoint-path", "user-1"} {
				if bytes.Contains(said.Bytes(), []byte(secret)) {
					t.Errorf("%q is told: %s", secret, said.String())
				}
			}
			if err := v.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// What is odd and yet one answer is taken for what it says.
func TestOddButPlainAnswers(t *testing.T) { // [IN-06]
	for name, bytes := range map[string]string{
		"HTTP/1.0 to the end": "HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n" + yes,
		"a hundred first":     "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n" + yes,
		"trailers": fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\nTrailer: Cache-Control\r\n\r\n%x\r\n%s\r\n0\r\nCache-Control: no-store\r\n\r\n",
			len(yes), yes),
	} {
		t.Run(name, func(t *testing.T) {
			at := rawServer(t, bytes, true)
			v, err := New(Config{
				Token: validate.Config{Issuer: at, Audience: []string{api}}, Endpoint: at,
				Auth: Auth{Method: Post, ClientID: "api", Secret: "client-secret"}, AllowHTTP: true,
			})
			if err != nil {
				t.Fatal(err)
			}
			if token, err := v.Verify(t.Context(), opaque); err != nil || token.Subject != "user-1" {
				t.Errorf("got %v, %v", token, err)
			}
			_ = v.Close()
		})
	}
}
