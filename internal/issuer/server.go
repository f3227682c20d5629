// Package issuer is a small authorization server on loopback: the side of it
// that a resource server sees. It publishes metadata (RFC 8414, OpenID Connect
// Discovery) and keys (RFC 7517), mints access tokens (RFC 9068), right ones
// and wrong ones on purpose, answers introspection (RFC 7662, RFC 9701) and
// revocation (RFC 7009), and can be broken on demand.
//
// It hands out tokens to whoever asks, so it listens on loopback only.
package issuer

import (
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/bearward/bearward/internal/forge"
)

// DefaultAudience is what tokens are meant for unless they say otherwise.
const DefaultAudience = "https://api.example.test"

// Config describes a Server. The zero value is complete.
type Config struct {
	Addr          string           // loopback address to listen on; default 127.0.0.1:0
	Path          string           // of the issuer identifier, "/realms/a" for example; default none
	Algorithms    []string         // one signing key each, the first signs; default ES256
	Audience      string           // default DefaultAudience
	Now           func() time.Time // default time.Now
	CacheControl  string           // of the documents; default max-age=300
	TokenEndpoint bool             // serve GET /token, for everybody who can connect

	Clients      []Client       // who may POST /introspect and /revoke; without any there are no such endpoints
	OpaquePrefix string         // how opaque tokens begin; default nothing
	Phantom      bool           // answer introspection with Accept: application/jwt by a JWT
	TokenInfo    bool           // serve POST /tokeninfo in Google's manner, for everybody who can connect
	TLS          bool           // https with a self-made certificate, see RootCAs; asks for client certificates
	ClientCAs    *x509.CertPool // who signs the client certificates of tls_client_auth
}

// Server is a running issuer. It is safe for concurrent use.
type Server struct {
	config Config
	url    string
	moved  string // origin that Redirect leads to
	routes map[string]route
	roots  *x509.CertPool // of the self-made certificate; nil without TLS
	http   http.Server
	serve  sync.WaitGroup

	mu      sync.Mutex
	closed  bool
	active  sync.WaitGroup // handlers; Add only with mu held and closed unset
	keys    keyRing
	faults  [parts]Fault
	changed chan struct{} // closed when a fault changes
	book    book
	counts  map[string]int
	total   int
	arrived chan struct{} // closed when a request arrives
}

// Start listens and serves until Close. It returns every fault of the
// configuration at once.
func Start(config Config) (*Server, error) {
	if err := config.prepare(); err != nil {
		return nil, err
	}
	s := &Server{
		config: config, counts: map[string]int{}, book: newBook(),
		changed: make(chan struct{}), arrived: make(chan struct{}),
	}
	if err := s.keys.rotate(config.Algorithms); err != nil {
		return nil, err
	}
	main, err := listen(config.Addr)
	if err != nil {
		return nil, err
	}
	host, _, _ := net.SplitHostPort(main.Addr().String())
	elsewhere, err := listen(net.JoinHostPort(host, "0"))
	if err != nil {
		return nil, errors.Join(err, main.Close())
	}
	scheme := "http://"
	if config.TLS {
		scheme = "https://"
		if err := s.secure(); err != nil {
			return nil, errors.Join(err, main.Close(), elsewhere.Close())
		}
	}
	s.url = scheme + main.Addr().String() + config.Path
	s.moved = scheme + elsewhere.Addr().String() + movedPrefix
	s.routes = s.table()
	s.http.Handler = s
	s.http.ReadHeaderTimeout = 10 * time.Second
	s.http.ErrorLog = log.New(io.Discard, "", 0)
	// One connection per request: counts are exact, because no client repeats
	// a request on a connection that it believed to be alive.
	s.http.SetKeepAlivesEnabled(false)
	for _, l := range []net.Listener{main, elsewhere} {
		s.serve.Go(func() { _ = s.listen(l) })
	}
	return s, nil
}

func (c *Config) prepare() error {
	var faults []error
	if c.Addr == "" {
		c.Addr = "127.0.0.1:0"
	}
	if c.Path != "" && (c.Path[0] != '/' || strings.Contains(c.Path, "//") || strings.ContainsAny(c.Path, "?#%\\")) {
		faults = append(faults, fmt.Errorf("issuer: path %q must be plain and start with one slash", c.Path))
	}
	faults = append(faults, c.checkClients()...)
	if len(c.Algorithms) == 0 {
		c.Algorithms = []string{"ES256"}
	}
	for _, alg := range c.Algorithms {
		if !forge.Known(alg) {
			faults = append(faults, fmt.Errorf("issuer: no keys are made for algorithm %q", alg))
		}
	}
	if c.Audience == "" {
		c.Audience = DefaultAudience
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.CacheControl == "" {
		c.CacheControl = "max-age=300"
	}
	return errors.Join(faults...)
}

func listen(addr string) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("issuer: %w", err)
	}
	if tcp, ok := l.Addr().(*net.TCPAddr); !ok || !tcp.IP.IsLoopback() {
		return nil, errors.Join(fmt.Errorf("issuer: %s is not a loopback address", l.Addr()), l.Close())
	}
	return l, nil
}

func (s *Server) listen(l net.Listener) error {
	if s.config.TLS {
		return s.http.ServeTLS(l, "", "")
	}
	return s.http.Serve(l)
}

// URL is the issuer identifier.
func (s *Server) URL() string { return s.url }

// Close stops the server and returns when nothing of it runs any more. It can
// be called again.
func (s *Server) Close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	err := s.http.Close()
	s.serve.Wait()
	s.active.Wait()
	return err
}
