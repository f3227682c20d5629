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
	"sync"
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
//
// The file is read again when hangup delivers, and when its content or that of a
// file that it names has changed. What it says then applies to the requests that
// come from then on, unless it has a fault.
func Run(ctx context.Context, file *config.File, hangup <-chan os.Signal, out io.Writer) error {
	return RunBehind(ctx, nil, file, hangup, out)
}

// RunBehind is Run with something before mode ext-authz, to which clients may
// speak HTTP/2 without TLS as well.
func RunBehind(ctx context.Context, front Front, file *config.File, hangup <-chan os.Signal, out io.Writer) error {
	level := new(slog.LevelVar)
	r := &runner{out: out, grace: graceTimeout, level: level, hangup: hangup, tick: time.After}
	r.see(file)
	var err error
	if r.Service, err = New(ctx, file, logger(file, level, os.Stderr)); err != nil {
		return err
	}
	r.front = front
	return r.run(ctx)
}

// Logger is the log that the file asks for.
func Logger(file *config.File, w io.Writer) *slog.Logger {
	return logger(file, new(slog.LevelVar), w)
}

// logger is a log whose level may change.
func logger(file *config.File, level *slog.LevelVar, w io.Writer) *slog.Logger {
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

	level   *slog.LevelVar                       // nil: as it is
	hangup  <-chan os.Signal                     // asks for a reload; nil: nobody does
	tick    func(time.Duration) <-chan time.Time // for looks at files; nil: none
	seen    seen                                 // of the files
	swapped chan struct{}                        // a generation was replaced
	retired sync.WaitGroup

	current atomic.Pointer[generation]
	admin   *admin
	base    context.Context // of all requests
	servers []*http.Server
	failed  chan error
}

func (r *runner) run(ctx context.Context) error {
	base, abort := context.WithCancel(context.WithoutCancel(ctx))
	defer abort()
	r.base, r.failed, r.swapped = base, make(chan error, 2), make(chan struct{}, 1)
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
		err = r.work(ctx)
	}
	r.admin.stopping.Store(true)
	if err == nil && len(r.servers) > 0 {
		r.drain()
	}
	r.stop(abort)
	err = errors.Join(err, r.current.Load().retire())
	r.retired.Wait()
	return errors.Join(err, r.current.Load().kept.close())
}

var errNotReady = errors.New("not ready in time (wait_ready): an issuer was not reached")

// work loads keys and follows the file until ctx ends or something fails.
func (r *runner) work(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	ready := make(chan struct{})
	var workers sync.WaitGroup
	defer workers.Wait()
	defer stop()
	workers.Go(func() { r.load(ctx, sync.OnceFunc(func() { close(ready) })) })
	workers.Go(func() { r.follow(ctx) })
	var late <-chan time.Time
	if r.file.WaitReady > 0 {
		late = r.after(r.file.WaitReady)
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-r.failed:
			return err
		case <-ready:
			r.admin.once.Store(true)
			ready, late = nil, nil
		case <-late:
			return errNotReady
		}
	}
}

// drain goes on for as long as the file says, so that whoever sends requests sees
// that the server is not ready any more.
func (r *runner) drain() {
	if d := r.current.Load().file.Drain; d > 0 {
		select {
		case <-r.after(d):
		case err := <-r.failed:
			r.logger.Error("bearward: while stopping", "error", err)
		}
	}
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
	if r.front != nil && r.certificate == nil {
		all[0].server.Protocols = new(http.Protocols)
		all[0].server.Protocols.SetHTTP1(true)
		all[0].server.Protocols.SetUnencryptedHTTP2(true)
	}
	if r.file.Admin != "" {
		admin := r.server(r.admin.handler())
		admin.ReadTimeout, admin.WriteTimeout = headerTimeout, bodySilence // bodies there are small
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
	r.admitReportOnly()
	switch {
	case f.DPoP == nil && (len(f.PublicURL) > 0 || f.Forwarded != "none"):
		r.logger.Warn("bearward: public_url and forwarded are about proofs and not used: dpop is off")
	case f.DPoP == nil || len(f.PublicURL) > 0:
	case f.Mode == "proxy" && f.Forwarded == "none" && !direct: // [DP-12]
		r.logger.Warn("bearward: proofs cannot be judged: set public_url, the URL under which clients reach this API", "listen", at.String())
	case f.Mode == "forward-auth": // [DP-12]
		r.logger.Warn("bearward: proofs are held to the host that the proxy names: set public_url, unless the proxy answers to no other name")
	}
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
// was done once; and again for what comes by a reload.
func (r *runner) load(ctx context.Context, ready func()) {
	for wait := firstRetry; ctx.Err() == nil; wait = min(2*wait, lastRetry) {
		var again <-chan time.Time
		switch err := r.guard().Load(ctx); {
		case err == nil:
			ready()
		case ctx.Err() == nil:
			r.logger.Warn("bearward: an issuer was not reached yet", "error", err)
			again = r.after(wait)
		}
		select {
		case <-ctx.Done():
		case <-again:
		case <-r.swapped:
			wait = firstRetry / 2
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
