package doctor

import (
	"bufio"
	"cmp"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/bearward/bearward/internal/server"
	"github.com/bearward/bearward/internal/server/config"
)

// serving runs the server of a file until the test ends and returns its origin.
func serving(t *testing.T, text string) string {
	t.Helper()
	api, _ := served(t, text)
	return api
}

// served returns that of admin, too, if there is one.
func served(t *testing.T, text string) (api, admin string) {
	t.Helper()
	file, err := config.Parse("serve.yaml", []byte(text+"log: {level: error}\n"))
	if err != nil {
		t.Fatal(err)
	}
	out, in := io.Pipe()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- server.Run(ctx, file, nil, in)
		_ = in.Close()
	}()
	lines := bufio.NewReader(out)
	next := func() string {
		line, err := lines.ReadString('\n')
		if err != nil {
			t.Fatal(err, <-done)
		}
		return "http://" + strings.TrimSpace(line[strings.LastIndexByte(line, ' '):])
	}
	api = next()
	if file.Admin != "" {
		admin = next()
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return api, admin
}

// asker is a proxy that asks a server about each request, as nginx, Caddy and
// Traefik do. Its zero value with addresses does it right, in the family
// X-Forwarded; every field is a mistake that is made there.
type asker struct {
	auth, upstream string
	documents      string // where the document is; "" is auth
	same           bool   // asks with the method and path of the request, as Envoy does

	set       []string                  // members that it sets; nil: all four
	family    string                    // prefix; "" is X-Forwarded-
	unasked   func(*http.Request) bool  // are let through
	hides     []string                  // headers of the client that it keeps from the server
	leaks     bool                      // credentials and identity of the client reach the upstream
	status    func(int) int             // of a refusal
	challenge func(http.Header)         // of a refusal
	instead   func(http.ResponseWriter) // of the answer
	metadata  bool                      // has no location for the document
	question  func(*http.Request)       // before it is sent
	client    func(*http.Request)       // what came, before anything
}

func (a *asker) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if a.client != nil {
		a.client(r)
	}
	if strings.HasPrefix(r.URL.Path, "/.well-known/oauth-protected-resource") && !a.metadata {
		a.pass(w, a.clean(r, cmp.Or(a.documents, a.auth)+r.URL.RequestURI()))
		return
	}
	out := r.Clone(r.Context())
	if a.unasked == nil || !a.unasked(r) {
		answer := a.ask(w, r)
		if answer == nil {
			return
		}
		defer answer.Body.Close()
		for name, values := range answer.Header {
			if strings.HasPrefix(name, "X-Auth-") && (!a.leaks || values[0] != "") {
				out.Header[name] = values
			}
		}
	}
	next := a.clean(out, a.upstream+r.URL.RequestURI())
	if !a.leaks {
		next.Header.Del("Authorization")
		next.Header.Del("Dpop")
	}
	a.pass(w, next)
}

// clean is a request like r to another URL.
func (a *asker) clean(r *http.Request, url string) *http.Request {
	next, err := http.NewRequestWithContext(r.Context(), r.Method, url, http.NoBody)
	if err != nil {
		panic(err)
	}
	next.Header = r.Header.Clone()
	return next
}

// ask returns the answer of the server if the request may pass, and writes it
// otherwise.
func (a *asker) ask(w http.ResponseWriter, r *http.Request) *http.Response {
	q := a.clean(r, a.auth+"/")
	q.Method = http.MethodGet
	if a.same {
		q = a.clean(r, a.auth+r.URL.RequestURI())
	}
	prefix := a.family
	if prefix == "" {
		prefix = "X-Forwarded-"
	}
	members := map[string]string{"Method": r.Method, "Uri": r.URL.RequestURI(), "Host": r.Host, "Proto": "http"}
	if a.set == nil {
		a.set = []string{"Method", "Uri", "Host", "Proto"}
	}
	for _, name := range a.set {
		q.Header.Set(prefix+name, members[name])
	}
	for _, name := range a.hides {
		q.Header.Del(name)
	}
	if a.question != nil {
		a.question(q)
	}
	answer, err := http.DefaultTransport.RoundTrip(q)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return nil
	}
	if answer.StatusCode == http.StatusOK {
		return answer
	}
	defer answer.Body.Close()
	if a.instead != nil {
		a.instead(w)
		return nil
	}
	for name, values := range answer.Header {
		w.Header()[name] = values
	}
	if a.challenge != nil {
		a.challenge(w.Header())
	}
	status := answer.StatusCode
	if a.status != nil {
		status = a.status(status)
	}
	w.WriteHeader(status)
	_, _ = io.Copy(w, answer.Body)
	return nil
}

func (a *asker) pass(w http.ResponseWriter, r *http.Request) {
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	defer answer.Body.Close()
	for name, values := range answer.Header {
		w.Header()[name] = values
	}
	w.WriteHeader(answer.StatusCode)
	_, _ = io.Copy(w, answer.Body)
}

// inFront serves a until the test ends.
func inFront(t *testing.T, a *asker) string {
	t.Helper()
	s := httptest.NewServer(a)
	t.Cleanup(func() {
		s.Close()
		http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	})
	return s.URL
}

// echoes is an upstream that shows what it gets.
func echoes(t *testing.T) string {
	t.Helper()
	return listening(t, func(w http.ResponseWriter, r *http.Request) { _ = r.Header.Write(w) })
}
