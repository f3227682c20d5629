package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"sync/atomic"
	"time"

	"github.com/bearward/bearward/adapters/redisstore"
	"github.com/bearward/bearward/internal/server/config"
)

// Limits of the listeners. There is none on the size and time of bodies and
// answers: they are streamed, and the upstream's own.
const (
	headerTimeout = 10 * time.Second
	idleTimeout   = 120 * time.Second
	bodySilence   = 120 * time.Second // in the middle of a body, of whoever sends or takes it
	lingerTimeout = 5 * time.Second   // for the rest of a body that nobody wants
	headerBytes   = 64 << 10
	graceTimeout  = 10 * time.Second // for requests under way when the server stops
	firstRetry    = time.Second
	lastRetry     = 30 * time.Second
)

// Run serves file until ctx ends and then stops gracefully: it is not ready
// any more, accepts nothing new, and gives requests under way ten seconds. It
// prints "bearward: listening on ADDRESS" to out for each listener once that
// accepts connections, and logs to standard error. It returns nil after a
// graceful stop.
func Run(ctx context.Context, file *config.File, out io.Writer) error {
	s, err := New(ctx, file, Logger(file, os.Stderr))
	if err != nil {
		return err
	}
	return (&runner{Service: s, out: out, grace: graceTimeout}).run(ctx)
}

// Logger is the log that the file asks for.
func Logger(file *config.File, w io.Writer) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(file.Log.Level)) // one of four words
	options := &slog.HandlerOptions{Level: level}
	if file.Log.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

// runner listens, and serves what is current.
type runner struct {
	*Service // of the start
	out      io.Writer
	grace    time.Duration

	current atomic.Pointer[generation]
	admin   *admin
	base    context.Context // of all requests
	servers []*http.Server
	failed  chan error
}

func (r *runner) run(ctx context.Context) error {
	base, abort := context.WithCancel(context.WithoutCancel(ctx))
	defer abort()
	r.base, r.failed = base, make(chan error, 2)
	r.current.Store(newGeneration(r.Service))
	r.admin = &admin{
		guard: r.guard, enter: r.enter, revocations: r.revocations, logger: r.logger,
		documents: r.file.Mode == "ext-authz", local: r.file.AdminIsLocal(), pprof: r.file.Pprof, metrics: r.metered(),
	}
	err := r.look(ctx)
	if err == nil {
		err = r.listen()
	}
	if err == nil {
		loading := make(chan struct{})
		loadCtx, stop := context.WithCancel(ctx)
		go func() {
			defer close(loading)
			r.load(loadCtx)
		}()
		select {
		case <-ctx.Done():
		case err = <-r.failed:
		}
		stop()
		<-loading
	}
	r.admin.stopping.Store(true)
	r.stop(abort)
	return errors.Join(err, r.current.Load().Close())
}

// look asks Redis once. Revocations or used proofs there that may get lost are a
// fault; a Redis that does not answer may come back.
func (r *runner) look(ctx context.Context) error {
	if r.redis == nil {
		return nil
	}
	err := r.redis.Ping(ctx)
	if errors.Is(err, redisstore.ErrEvicts) { // [RV-03 DP-22]
		return r.file.Faults(r.file.Fault("redis.url", err))
	}
	if err != nil {
		r.logger.Error("bearward: redis is not usable at start", "error", err)
	}
	return nil
}

// listen opens every listener before it serves any.
func (r *runner) listen() error {
	type listener struct {
		address string
		server  *http.Server
	}
	all := []listener{{r.file.Listen, r.server(r)}}
	if r.file.Admin != "" {
		admin := r.server(r.admin.handler())
		admin.ReadTimeout = headerTimeout // bodies there are small
		all = append(all, listener{r.file.Admin, admin})
	}
	var open []net.Listener
	for i, l := range all {
		on, err := net.Listen(network(l.address), l.address)
		if err != nil {
			for _, o := range open {
				_ = o.Close()
			}
			return err
		}
		if i == 0 && r.certificate != nil {
			l.server.TLSConfig = &tls.Config{
				GetCertificate: r.certified, MinVersion: tls.VersionTLS12, ClientAuth: r.clientAuth(),
			}
		}
		open = append(open, on)
	}
	r.advise(open[0].Addr())
	for i, l := range all {
		r.servers = append(r.servers, l.server)
		go r.serve(l.server, open[i])
		fmt.Fprintf(r.out, "bearward: listening on %s\n", open[i].Addr())
	}
	return nil
}

// network keeps an address of IPv4 to that: net.Listen would take 0.0.0.0 for
// every address there is.
func network(address string) string {
	host, _, _ := net.SplitHostPort(address)
	if ip, err := netip.ParseAddr(host); err == nil && ip.Is4() {
		return "tcp4"
	}
	return "tcp"
}

// advise logs what is legal in the file and most likely not meant. at is the
// address of the API: on loopback the scheme and Host of a request are those that
// its proof names, unless something in front terminates TLS.
func (r *runner) advise(at net.Addr) {
	f := r.file
	tcp, ok := at.(*net.TCPAddr)
	direct := ok && tcp.IP.IsLoopback() && !f.PlainBehindTLS
	if rules := reported(f); len(rules) > 0 {
		r.logger.Warn("bearward: report_only: what these rules refuse is let through", "rules", rules)
	}
	if f.Mode == "proxy" && f.DPoP != nil && len(f.PublicURL) == 0 && f.Forwarded == "none" && !direct { // [DP-12]
		r.logger.Warn("bearward: proofs cannot be judged: set public_url, the URL under which clients reach this API", "listen", at.String())
	}
}

// reported are the rules that only report.
func reported(f *config.File) (rules []string) {
	for _, rule := range f.Rules {
		if !rule.Public && (f.ReportOnly || rule.ReportOnly) {
			rules = append(rules, rule.Match)
		}
	}
	return rules
}

func (r *runner) serve(server *http.Server, on net.Listener) {
	serve := server.Serve
	if server.TLSConfig != nil {
		serve = func(l net.Listener) error { return server.ServeTLS(l, "", "") }
	}
	if err := serve(on); !errors.Is(err, http.ErrServerClosed) {
		r.failed <- fmt.Errorf("%s: %w", on.Addr(), err)
	}
}

func (r *runner) server(handler http.Handler) *http.Server {
	return &http.Server{
		Handler: handler, ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout,
		MaxHeaderBytes:               headerBytes, // [TR-15]
		HTTP2:                        &http.HTTP2Config{SendPingTimeout: pingAfter, WriteByteTimeout: bodySilence},
		DisableGeneralOptionsHandler: true, // OPTIONS * is a request like others
		BaseContext:                  func(net.Listener) context.Context { return r.base },
		ErrorLog:                     slog.NewLogLogger(r.logger.Handler(), slog.LevelDebug),
	}
}

// load fetches the keys of every issuer and finds out where to ask about its
// tokens, so that the server becomes ready without traffic, until all of that
// was done once.
func (r *runner) load(ctx context.Context) {
	for wait := firstRetry; ; wait = min(2*wait, lastRetry) {
		err := r.guard().Load(ctx)
		if err == nil || ctx.Err() != nil {
			return
		}
		r.logger.Warn("bearward: an issuer was not reached yet", "error", err)
		select {
		case <-ctx.Done():
			return
		case <-r.after(wait):
		}
	}
}

// stop ends the servers, the API first. Requests that do not end in time, and
// upgraded connections, which no server waits for, are cut off by abort.
func (r *runner) stop(abort context.CancelFunc) {
	ctx, cancel := context.WithTimeout(context.Background(), r.grace)
	defer cancel()
	for i, s := range r.servers {
		err := s.Shutdown(ctx)
		if i == 0 {
			abort()
		}
		if err != nil {
			r.logger.Warn("bearward: requests were cut off", "error", err)
			_ = s.Close()
		}
	}
}
