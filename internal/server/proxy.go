package server

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"

	"github.com/bearward/bearward/adapters/httpauth"
	"github.com/bearward/bearward/middleware"
)

// errExpired ends a request whose token is no longer valid.
var errExpired = errors.New("the access token expired")

// proxy forwards what the guard lets through.
type proxy struct {
	*Service
	metadata []string
	document http.Handler
	strip    strip
	reverse  *httputil.ReverseProxy
}

// forward is what ServeHTTP has worked out for the rest.
type forward struct {
	verdict

	url    *url.URL
	denial *middleware.Denial // the answer should the token expire meanwhile
	body   *body              // nil: none
	client client             // what gets the answer
}

type forwardKey struct{}

func (s *Service) proxy() *proxy {
	p := &proxy{
		Service: s, metadata: s.Guard.MetadataPaths(), document: httpauth.Metadata(s.Guard),
		strip: newStrip(s.file),
	}
	p.reverse = &httputil.ReverseProxy{
		Rewrite: p.rewrite, ModifyResponse: p.answered, ErrorHandler: p.failed, FlushInterval: -1,
		Transport: s.upstream, BufferPool: &buffers, ErrorLog: slog.NewLogLogger(s.logger.Handler(), slog.LevelDebug),
	}
	return p
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) { p.serve(w, r, func() {}) }

func (p *proxy) serve(w http.ResponseWriter, r *http.Request, decided func()) {
	in := httpauth.Request(r)
	if slices.Contains(p.metadata, in.RawPath) {
		p.instead(p.document, w, r)
		return
	}
	url, exact := target(p.file.Upstream, r, &in)
	ctx, v := p.judge(r.Context(), in, exact)
	if !v.Allowed {
		p.instead(v.Denial, w, r)
		return
	}
	f := &forward{verdict: v, url: url, client: newClient(w, r, p.Service)}
	if left, denial, ok := p.Guard.Expiry(in, v.Decision); ok { // [TR-19]
		var cancel context.CancelFunc
		ctx, cancel = p.expire(ctx, left, errExpired)
		defer cancel()
		f.denial = denial
	}
	decided()
	r = r.WithContext(context.WithValue(ctx, forwardKey{}, f))
	if carries(r) {
		f.body = carry(w, r, p.silence)
		defer f.body.leave(p.linger)
	}
	defer f.client.leave()
	defer context.AfterFunc(ctx, f.interrupt)() // [TR-19]
	p.reverse.ServeHTTP(&f.client, r)
	f.client.end()
}

// interrupt ends what waits for the client, in both directions.
func (f *forward) interrupt() {
	if f.body != nil {
		f.body.interrupt()
	}
	f.client.interrupt()
}

// rewrite makes the request to the upstream. Headers that the client named in
// Connection are gone already, so it cannot remove what is set here.
func (p *proxy) rewrite(r *httputil.ProxyRequest) {
	f := r.In.Context().Value(forwardKey{}).(*forward)
	r.Out.URL, r.Out.Host = f.url, ""
	p.trailers(r, f.body)
	h := r.Out.Header
	p.strip.from(h, f.preflight, f.Remove)
	if !strings.EqualFold(h.Get("Upgrade"), "websocket") { // any other protocol could carry requests past the rules
		h.Del("Upgrade")
		h.Del("Connection")
	}
	for i, value := range f.identity {
		if value != "" {
			h[p.identity[i].header] = f.identity[i : i+1 : i+1]
		}
	}
	r.SetXForwarded()
	if p.file.PlainBehindTLS {
		h.Set("X-Forwarded-Proto", "https")
	}
}
