package adapters_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/bearward/bearward/adapters/ginauth"
	"github.com/bearward/bearward/adapters/httpauth"
	"github.com/bearward/bearward/middleware"
	"github.com/bearward/bearward/validate"
)

// web is a server on a loopback socket whose handler changes with each case.
type web struct {
	name    string
	server  *httptest.Server
	current atomic.Value // http.Handler
	build   func(*middleware.Guard, middleware.Policy, *sight) http.Handler
}

// handler is wrapped, because atomic.Value wants one type.
type handler struct{ http.Handler }

func newWeb(t *testing.T, name string, build func(*middleware.Guard, middleware.Policy, *sight) http.Handler) *web {
	w := &web{name: name, build: build}
	w.server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.current.Load().(handler).ServeHTTP(rw, r)
	}))
	t.Cleanup(w.server.Close)
	return w
}

// onMux protects every path of a ServeMux.
func onMux(g *middleware.Guard, p middleware.Policy, s *sight) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", httpauth.Protect(g, p)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.see(middleware.FromContext(r.Context()))
		s.header = r.Header
		body, _ := io.ReadAll(r.Body)
		s.body = string(body)
		_, _ = io.WriteString(w, "hello")
	})))
	return mux
}

// onGin protects every path of a gin engine.
func onGin(g *middleware.Guard, p middleware.Policy, s *sight) http.Handler {
	gin.SetMode(gin.ReleaseMode)
	e := gin.New()
	e.Use(ginauth.Protect(g, p))
	e.NoRoute(func(c *gin.Context) {
		token, ok := ginauth.Token(c)
		if fromRequest, also := middleware.FromContext(c.Request.Context()); fromRequest != token || also != ok {
			s.odd = "ginauth.Token and the request's context disagree"
		}
		if len(c.Keys) != 0 {
			s.odd = "something is in gin's Keys"
		}
		s.see(token, ok)
		s.header = c.Request.Header
		body, _ := io.ReadAll(c.Request.Body)
		s.body = string(body)
		c.String(http.StatusOK, "hello")
	})
	return e
}

// sight is what a handler saw.
type sight struct {
	runs   int
	token  *validate.Token
	header http.Header
	body   string
	odd    string
}

func (s *sight) see(token *validate.Token, ok bool) {
	s.runs++
	s.token = token
	if ok != (token != nil) {
		s.odd = "FromContext says one thing and returns another"
	}
}

// answer is what a client got, over any transport.
type answer struct {
	saw    sight
	status int
	header http.Header
	body   string
}

// send writes the request byte by byte onto a socket, or, if no server would
// let its bytes through, hands it to the handler.
func (w *web) send(t *testing.T, g *middleware.Guard, c *testCase, values []string) answer {
	t.Helper()
	a := answer{}
	h := w.build(g, c.policy, &a.saw)
	method, target := c.method, c.target
	if method == "" {
		method = http.MethodGet
	}
	if target == "" {
		target = "/orders"
	}
	var res *http.Response
	if unsendable(values, "\r\n\x00\x01\x7f") {
		r := httptest.NewRequest(method, target, strings.NewReader(c.body))
		r.Header["Authorization"] = values
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, r)
		res = rec.Result()
	} else {
		w.current.Store(handler{h})
		res = w.raw(t, method, target, c, values)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	a.status, a.header, a.body = res.StatusCode, res.Header, string(body)
	return a
}

func unsendable(values []string, bad string) bool {
	for _, v := range values {
		if strings.ContainsAny(v, bad) {
			return true
		}
	}
	return false
}

func (w *web) raw(t *testing.T, method, target string, c *testCase, values []string) *http.Response {
	t.Helper()
	conn, err := net.Dial("tcp", w.server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: api.example.test\r\nConnection: close\r\n", method, target)
	for _, v := range values {
		fmt.Fprintf(&b, "Authorization: %s\r\n", v)
	}
	for _, line := range c.header {
		b.WriteString(line + "\r\n")
	}
	if !strings.Contains(b.String(), "Transfer-Encoding:") {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(c.body))
	}
	b.WriteString("\r\n" + c.body)
	if _, err := io.WriteString(conn, b.String()); err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	if err != nil {
		t.Fatal(err)
	}
	return res
}
