package drive

import (
	"bufio"
	"context"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// counting is a server that answers good tokens by 200 and others by 401, and
// counts what it is asked.
func counting(t *testing.T) (address string, asked map[Credentials]int) {
	t.Helper()
	asked = map[Credentials]int{}
	var mu sync.Mutex
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		mu.Lock()
		asked[Credentials{scheme, token, r.Header.Get("Dpop")}]++
		mu.Unlock()
		if !strings.HasPrefix(token, "good") || r.Method != "GET" || r.URL.Path != "/orders" {
			w.WriteHeader(http.StatusUnauthorized)
		}
		_, _ = io.WriteString(w, "body\n\nHTTP/1.1 200 OK\n\n")
	}))
	t.Cleanup(s.Close)
	return s.Listener.Addr().String(), asked
}

func TestOnce(t *testing.T) {
	address, asked := counting(t)
	p := Plan{Address: address, Path: "/orders", Connections: 3, Duration: time.Minute, Once: true, Credentials: []Credentials{
		{"Bearer", "good-1", ""}, {"DPoP", "good-2", "proof"}, {"Bearer", "bad", ""}, {"Bearer", "good-3", ""},
	}}
	r, err := p.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if want := map[int]uint64{200: 3, 401: 1}; !maps.Equal(r.Statuses, want) || r.Latency.Count() != 4 {
		t.Errorf("statuses %v, want %v", r.Statuses, want)
	}
	for _, c := range p.Credentials {
		if asked[c] != 1 {
			t.Errorf("%v was sent %d times", c, asked[c])
		}
	}
	if r.Elapsed <= 0 || r.Rate() <= 0 || r.Latency.Max() <= 0 {
		t.Errorf("%+v", r)
	}
}

func TestDuration(t *testing.T) {
	address, asked := counting(t)
	p := Plan{Address: address, Path: "/orders", Connections: 2, Duration: 50 * time.Millisecond, Credentials: []Credentials{{"Bearer", "good-1", ""}, {"Bearer", "good-2", ""}}}
	r, err := p.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	one, two := asked[p.Credentials[0]], asked[p.Credentials[1]]
	if one+two != int(r.Statuses[200]) || one-two < 0 || one-two > 1 || r.Elapsed < p.Duration {
		t.Errorf("%d and %d requests in %v, %v", one, two, r.Elapsed, r.Statuses)
	}
}

func TestFaults(t *testing.T) {
	address, _ := counting(t)
	good := []Credentials{{"Bearer", "good", ""}}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	deaf := listen(t)
	soon, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	for name, c := range map[string]struct {
		ctx  context.Context
		plan Plan
	}{
		"no connections": {t.Context(), Plan{Address: address, Duration: 1, Credentials: good}},
		"no duration":    {t.Context(), Plan{Address: address, Connections: 1, Credentials: good}},
		"no credentials": {t.Context(), Plan{Address: address, Connections: 1, Duration: 1}},
		"nobody there":   {t.Context(), Plan{Address: "127.0.0.1:1", Connections: 1, Duration: 1, Credentials: good}},
		"ended before":   {ended, Plan{Address: address, Connections: 1, Duration: time.Minute, Credentials: good}},
		"ended meanwhile": {soon, Plan{
			Address: deaf, Path: "/", Connections: 2, Duration: time.Minute, Credentials: good,
		}},
	} {
		if _, err := c.plan.Run(c.ctx); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// listen is an address where nothing is ever answered.
func listen(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l.Addr().String()
}

func TestAnswers(t *testing.T) {
	for answer, want := range map[string]int{
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok":                                    200,
		"HTTP/1.1 503 \r\nX: y\r\ncontent-length:  0 \r\n\r\n":                              503,
		"HTTP/1.1 200 OK\r\n\r\n":                                                           0,
		"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n":                                     0,
		"HTTP/1.1 200 OK\r\nContent-Length: 2x\r\n\r\nok":                                   0,
		"HTTP/1.1 200 OK\r\nContent-Length: 1048577\r\n\r\n" + strings.Repeat("b", 1<<20+1): 0,
		"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok":                                    0,
		"HTTP/1.1 200 OK\r\nContent-Length: 3":                                              0,
		"HTTP/1.1 100 Continue\r\nContent-Length: 0\r\n\r\n":                                0,
		"HTTP/1.1 2x0 OK\r\nContent-Length: 0\r\n\r\n":                                      0,
		"HTTP/1.1 2":   0,
		"HTTP/1.1 2\n": 0,
		"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n":                                       0,
		"HTTP/1.1 200 OK\r\n" + strings.Repeat("A: b\r\n", 64) + "Content-Length: 0\r\n\r\n": 0,
		"HTTP/1.1 200 OK\r\nA: " + strings.Repeat("b", 5000) + "\n":                          0,
		"": 0,
	} {
		if got, err := readAnswer(bufio.NewReader(strings.NewReader(answer))); got != want && err == nil || want != 0 && err != nil {
			t.Errorf("%.60q: %d, %v, want %d", answer, got, err, want)
		}
	}
}

// FuzzAnswer wants an end, and a status that can be counted.
func FuzzAnswer(f *testing.F) {
	f.Add("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
	f.Add("HTTP/1.1 401 Unauthorized\r\nWww-Authenticate: Bearer\r\nContent-Length: 0\r\n\r\n")
	f.Fuzz(func(t *testing.T, answer string) {
		if status, err := readAnswer(bufio.NewReader(strings.NewReader(answer))); err == nil && (status < 200 || status > 599) {
			t.Errorf("status %d", status)
		}
	})
}
