package server

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/bearward/bearward/adapters/httpauth"
	"github.com/bearward/bearward/internal/server/route"
	"github.com/bearward/bearward/middleware"
	"github.com/bearward/bearward/validate"
)

// errExpired ends a request whose token is no longer valid.
var errExpired = errors.New("the access token expired")

// proxy forwards what the guard lets through.
type proxy struct {
	*Service
	metadata []string
	document http.Handler
	identity identity
	strip    strip
	reverse  *httputil.ReverseProxy
}

// forward is what ServeHTTP has worked out for rewrite.
type forward struct {
	url       *url.URL
	identity  http.Header
	preflight bool
	denial    *middleware.Denial // the answer should the token expire meanwhile
}

type forwardKey struct{}

func (s *Service) proxy() *proxy {
	p := &proxy{
		Service: s, metadata: s.Guard.MetadataPaths(), document: httpauth.Metadata(s.Guard),
		identity: identityOf(s.file.ForwardHeaders), strip: newStrip(s.file),
	}
	p.reverse = &httputil.ReverseProxy{
		Rewrite: p.rewrite, ErrorHandler: p.failed, FlushInterval: -1, Transport: transport(),
		ErrorLog: slog.NewLogLogger(s.logger.Handler(), slog.LevelDebug),
	}
	return p
}

// transport changes nothing on the way and asks no environment for a proxy.
func transport() *http.Transport {
	return &http.Transport{
		DialContext:         (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
		TLSHandshakeTimeout: 10 * time.Second,
		ForceAttemptHTTP2:   true,
		DisableCompression:  true,
		MaxIdleConnsPerHost: 256,
		IdleConnTimeout:     90 * time.Second,
	}
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	in := httpauth.Request(r)
	if slices.Contains(p.metadata, in.RawPath) {
		p.document.ServeHTTP(w, r)
		return
	}
	preflight := isPreflight(r)
	method := in.Method
	if preflight {
		method = r.Header.Get("Access-Control-Request-Method") // [TR-16]
	}
	policy, outcome := p.Match(method, in.RawPath)
	url, exact := target(p.file.Upstream, r, &in)
	switch {
	case outcome == route.Unmatched: // [PV-08]
		p.refuse(w, r, in, validate.ErrRouteDenied)
		return
	case outcome != route.Matched || !exact: // [PV-08]
		p.refuse(w, r, in, validate.ErrTargetMalformed)
		return
	}
	ctx, d := p.Guard.Decide(r.Context(), in, policy)
	if !d.Allowed {
		d.Denial.ServeHTTP(w, r)
		return
	}
	id, err := p.identity.of(d.Token)
	if err != nil { // its policy has refused it before
		p.refuse(w, r, in, validate.ErrInternal)
		return
	}
	f := &forward{url: url, identity: id, preflight: preflight}
	if left, denial, ok := p.Guard.Expiry(in, d); ok { // [TR-19]
		var cancel context.CancelFunc
		ctx, cancel = p.expire(ctx, left, errExpired)
		defer cancel()
		f.denial = denial
	}
	for name, values := range d.Header {
		w.Header()[name] = values
	}
	// An answer may begin before the request's body has ended. Without this
	// the rest of that body would be dropped; HTTP/2 needs no such word.
	_ = http.NewResponseController(w).EnableFullDuplex()
	p.reverse.ServeHTTP(w, r.WithContext(context.WithValue(ctx, forwardKey{}, f)))
}

func (p *proxy) refuse(w http.ResponseWriter, r *http.Request, in middleware.Request, code validate.Code) {
	p.Guard.Deny(r.Context(), in, code).Denial.ServeHTTP(w, r)
}

// isPreflight is the guard's own definition: the rule is chosen by it.
func isPreflight(r *http.Request) bool {
	origin, method := r.Header["Origin"], r.Header["Access-Control-Request-Method"]
	return r.Method == http.MethodOptions && len(origin) == 1 && origin[0] != "" && len(method) == 1 && method[0] != ""
}

// rewrite makes the request to the upstream. Headers that the client named in
// Connection are gone already, so it cannot remove what is set here.
func (p *proxy) rewrite(r *httputil.ProxyRequest) {
	f := r.In.Context().Value(forwardKey{}).(*forward)
	r.Out.URL, r.Out.Host = f.url, ""
	r.Out.Trailer = nil // [TR-14]
	h := r.Out.Header
	p.strip.from(h, f.preflight)
	if !strings.EqualFold(h.Get("Upgrade"), "websocket") { // any other protocol could carry requests past the rules
		h.Del("Upgrade")
		h.Del("Connection")
	}
	for name, values := range f.identity {
		h[name] = values
	}
	r.SetXForwarded()
	if p.file.PlainBehindTLS {
		h.Set("X-Forwarded-Proto", "https")
	}
}

// failed answers in place of an upstream that did not.
func (p *proxy) failed(w http.ResponseWriter, r *http.Request, err error) {
	f := r.Context().Value(forwardKey{}).(*forward)
	if errors.Is(context.Cause(r.Context()), errExpired) {
		f.denial.ServeHTTP(w, r)
		return
	}
	if r.Context().Err() == nil {
		p.logger.Warn("bearward: the upstream did not answer", "error", err)
	}
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusBadGateway)
}
