package doctor

import (
	"context"
	"crypto/tls"
	"net"
	"net/url"

	"github.com/bearward/bearward/internal/egress"
	"github.com/bearward/bearward/internal/server"
)

var (
	upstreamFine = define("upstream", OK, "the upstream accepts connections", "")
	upstreamAway = define("upstream_away", Error, "the upstream does not accept connections at {host}: {error}", "upstream: http://HOST:PORT of the API behind, which has to run")

	redisFine    = define("redis", OK, "it answers, evicts nothing and outlives a restart", "")
	redisUsable  = define("redis_cache", OK, "it answers; it holds nothing that must not get lost", "")
	redisAway    = define("redis_away", Error, "{error}", "redis.url: redis://USER:PASSWORD@HOST:PORT/DB, or rediss:// with redis.ca_file")
	redisEvicts  = define("redis_evicts", Error, "it may drop what it has to keep when its memory is full (maxmemory-policy {policy})", "in redis.conf: maxmemory-policy noeviction")
	redisForgets = define("redis_forgets", Warning, "it forgets revocations and used proofs when it restarts (appendonly no)", "in redis.conf: appendonly yes, best with appendfsync always")
	redisMute    = define("redis_untold", Info, "it does not tell its settings", "make sure of maxmemory-policy noeviction and appendonly yes")
)

// upstream connects to the API behind, and sends nothing.
func upstream(ctx context.Context, e *exam) {
	u := e.file.Upstream
	if u == nil {
		return
	}
	e.about = "upstream"
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", hostPort(u))
	if err != nil {
		e.say(upstreamAway, "host", u.Host, "error", describeDial(err))
		return
	}
	defer func() { _ = conn.Close() }()
	if u.Scheme == "https" {
		if err := e.handshake(ctx, conn, u.Hostname()); err != nil {
			e.failed(place{what: "the upstream", url: u.String(), key: "upstream", ca: "upstream_ca_file"}, egress.Response{}, err)
			return
		}
	}
	e.say(upstreamFine)
}

func (e *exam) handshake(ctx context.Context, conn net.Conn, name string) error {
	cfg := &tls.Config{ServerName: name, MinVersion: tls.VersionTLS12}
	if ca := e.file.UpstreamCAFile; ca != "" {
		roots, err := server.Roots(ca)
		if err != nil {
			return err
		}
		cfg.RootCAs = roots
	}
	return tls.Client(conn, cfg).HandshakeContext(ctx)
}

func describeDial(err error) string {
	if s := egress.Describe(err); s != "" {
		return s
	}
	return "no connection to the server"
}

func hostPort(u *url.URL) string {
	if u.Port() != "" {
		return u.Host
	}
	return net.JoinHostPort(u.Hostname(), map[string]string{"http": "80", "https": "443"}[u.Scheme])
}

// shared looks at Redis, and writes nothing there.
func shared(ctx context.Context, e *exam) {
	r := e.service.Redis()
	if r == nil {
		return
	}
	e.about = "redis"
	s, err := r.Settings(ctx)
	f := e.file
	keeps := f.Revocation != nil && f.Revocation.List == "redis" || f.DPoP != nil && f.DPoP.Replay == "redis"
	switch {
	case err != nil:
		e.say(redisAway, "error", err.Error())
	case !keeps:
		e.say(redisUsable)
	case !s.Told:
		e.say(redisMute)
	case s.Policy != "noeviction":
		e.say(redisEvicts, "policy", s.Policy)
	case !s.AppendOnly:
		e.say(redisForgets)
	default:
		e.say(redisFine)
	}
}
