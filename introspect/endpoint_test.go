package introspect

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/bearward/bearward/validate"
)

// metadata serves the issuer's metadata and the endpoints that it may name.
type metadata struct {
	mu       sync.Mutex
	e        *endpoint
	members  string // further members of the metadata
	status   int
	lookups  int
	handlers map[string]http.HandlerFunc
}

func discovered(t *testing.T) (*metadata, Config) {
	t.Helper()
	m := &metadata{status: 200, handlers: map[string]http.HandlerFunc{}}
	e, cfg := started(t, m.serve)
	m.e = e
	cfg.Endpoint = ""
	m.members = `,"introspection_endpoint":"` + e.URL + `/a"`
	return m, cfg
}

func (m *metadata) serve(w http.ResponseWriter, r *http.Request) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if r.URL.Path == "/.well-known/openid-configuration" {
		m.lookups++
		says(m.status, `{"issuer":"`+m.e.URL+`","jwks_uri":"`+m.e.URL+`/keys"`+m.members+`}`)(w, r)
		return
	}
	if r.Method != http.MethodPost {
		http.NotFound(w, r)
		return
	}
	if h := m.handlers[r.URL.Path]; h != nil {
		h(w, r)
		return
	}
	says(200, yes)(w, r)
}

func (m *metadata) set(change func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	change()
}

func (m *metadata) count() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.lookups
}

// posted returns the paths of the introspection requests.
func (m *metadata) posted() (paths []string) {
	for _, a := range m.e.requests() {
		if a.method == http.MethodPost {
			paths = append(paths, a.path)
		}
	}
	return paths
}

func TestDiscovery(t *testing.T) {
	m, cfg := discovered(t)
	now := newClock()
	cfg.Token.Clock = now.Now
	c := asking(t, cfg)
	if c.known() {
		t.Error("known before it was looked up")
	}
	ask := func(wantPath string, wantLookups int) {
		t.Helper()
		if r, f := c.ask(t.Context(), opaque); f != nil || !r.active {
			t.Fatalf("got %+v, %v", r, f)
		}
		if got := m.posted(); got[len(got)-1] != wantPath || m.count() != wantLookups {
			t.Errorf("asked at %v after %d lookups, want %s after %d", got, m.count(), wantPath, wantLookups)
		}
	}
	if f := c.load(t.Context()); f != nil || !c.known() {
		t.Fatal(f)
	}
	ask("/a", 1)
	ask("/a", 1)
	m.set(func() { m.members = `,"introspection_endpoint":"` + m.e.URL + `/b"` })
	now.add(rediscover - time.Second)
	ask("/a", 1)
	m.set(func() { m.status = 500 })
	now.add(time.Second)
	c.load(t.Context())
	lookups := m.count()
	ask("/a", lookups) // the old one is kept, and not looked up at each request
	m.set(func() { m.status = 200 })
	now.add(rediscoverRetry)
	ask("/b", lookups+1)
}

func TestMovedEndpoint(t *testing.T) {
	m, cfg := discovered(t)
	now := newClock()
	cfg.Token.Clock = now.Now
	c := asking(t, cfg)
	if _, f := c.ask(t.Context(), opaque); f != nil {
		t.Fatal(f)
	}
	m.set(func() {
		m.members = `,"introspection_endpoint":"` + m.e.URL + `/b"`
		m.handlers["/a"] = says(404, `{}`)
	})
	for range 3 {
		if _, f := c.ask(t.Context(), opaque); f == nil || !f.counts {
			t.Fatalf("got %+v", f)
		}
	}
	if m.count() != 1 {
		t.Errorf("%d lookups within a minute", m.count())
	}
	now.add(rediscoverPause)
	if _, f := c.ask(t.Context(), opaque); f != nil || m.count() != 2 {
		t.Errorf("after %d lookups: %v", m.count(), f)
	}
}

func TestNoEndpoint(t *testing.T) { // [IN-17]
	m, cfg := discovered(t)
	for name, change := range map[string]func(){
		"not named":   func() { m.members = "" },
		"plain http":  func() { m.members = `,"introspection_endpoint":"http://127.0.0.1:1/"` },
		"no URL":      func() { m.members = `,"introspection_endpoint":"nowhere"` },
		"no metadata": func() { m.status = 500 },
	} {
		m.set(func() { m.status = 200; change() })
		_, f := asking(t, cfg).ask(t.Context(), opaque)
		if f == nil || f.code != validate.ErrIntrospectionUnavailable || !f.counts {
			t.Errorf("%s: %+v", name, f)
		}
	}
	if got := m.posted(); len(got) != 0 {
		t.Errorf("the token went to %v", got)
	}
}
