package server

import (
	"context"
	"errors"
	"fmt"
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

// forward is what ServeHTTP has worked out for the rest.
type forward struct {
	url       *url.URL
	decision  middleware.Decision
	identity  http.Header
	preflight bool
	denial    *middleware.Denial // the answer should the token expire meanwhile
	route     string
	body      *body       // nil: none
	answer    http.Header // what the client gets
}

type forwardKey struct{}

func (s *Service) proxy() *proxy {
	p := &proxy{
		Service: s, metadata: s.Guard.MetadataPaths(), document: httpauth.Metadata(s.Guard),
		identity: identityOf(s.file.ForwardHeaders), strip: newStrip(s.file),
	}
	p.reverse = &httputil.ReverseProxy{
		Rewrite: p.rewrite, ModifyResponse: p.answered, ErrorHandler: p.failed, FlushInterval: -1, Transport: transport(),
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
		p.instead(p.document, w, r)
		return
	}
	preflight := in.Preflight()
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
		p.instead(d.Denial, w, r)
		return
	}
	id, err := p.identity.of(d.Token)
	if err != nil { // its policy has refused it before
		p.refuse(w, r, in, validate.ErrInternal)
		return
	}
	f := &forward{url: url, decision: d, identity: id, preflight: preflight, route: policy.Route, answer: w.Header()}
	if left, denial, ok := p.Guard.Expiry(in, d); ok { // [TR-19]
		var cancel context.CancelFunc
		ctx, cancel = p.expire(ctx, left, errExpired)
		defer cancel()
		f.denial = denial
	}
	r = r.WithContext(context.WithValue(ctx, forwardKey{}, f))
	if carries(r) {
		f.body = carry(w, r, p.silence)
		defer f.body.leave(p.linger)
		defer context.AfterFunc(ctx, f.body.interrupt)() // [TR-19]
	}
	p.reverse.ServeHTTP(w, r)
}

func (p *proxy) refuse(w http.ResponseWriter, r *http.Request, in middleware.Request, code validate.Code) {
	p.instead(p.Guard.Deny(r.Context(), in, code).Denial, w, r)
}

// instead answers in place of the upstream. net/http reads the rest of the
// request's body first, to find the next request: not for as long as a client
// may take to send it.
func (p *proxy) instead(h http.Handler, w http.ResponseWriter, r *http.Request) {
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(p.linger))
	h.ServeHTTP(w, r)
}

// rewrite makes the request to the upstream. Headers that the client named in
// Connection are gone already, so it cannot remove what is set here.
func (p *proxy) rewrite(r *httputil.ProxyRequest) {
	f := r.In.Context().Value(forwardKey{}).(*forward)
	r.Out.URL, r.Out.Host = f.url, ""
	r.Out.Trailer = nil // [TR-14]
	h := r.Out.Header
	p.strip.from(h, f.preflight, f.decision.Remove)
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

// answered looks at the upstream's answer before it is passed on, and adds what
// the decision says: here, because what w has is lost once the upstream sends an
// informational answer. A nonce of the upstream is about other proofs than those
// that are judged here.
func (p *proxy) answered(r *http.Response) error {
	if r.StatusCode < 200 && r.StatusCode != http.StatusSwitchingProtocols {
		return fmt.Errorf("its status is %03d", r.StatusCode)
	}
	f := r.Request.Context().Value(forwardKey{}).(*forward)
	if len(r.Header["Content-Type"]) == 0 { // net/http would guess one
		f.answer["Content-Type"] = nil
	}
	f.body.part(f.answer)
	if p.file.DPoP != nil { // [DP-24]
		r.Header.Del("Dpop-Nonce")
	}
	f.decision.Amend(r.Header)
	return nil
}

// failed answers in place of an upstream that did not.
func (p *proxy) failed(w http.ResponseWriter, r *http.Request, err error) {
	f := r.Context().Value(forwardKey{}).(*forward)
	f.body.part(w.Header())
	f.decision.Amend(w.Header())
	if errors.Is(context.Cause(r.Context()), errExpired) {
		f.denial.ServeHTTP(w, r)
		return
	}
	status := f.body.fault()
	if status == 0 {
		status = http.StatusBadGateway
		if r.Context().Err() == nil {
			p.logger.Warn("bearward: the upstream did not answer", "upstream", p.file.Upstream.Host, "route", f.route, "error", err)
		}
	}
	reply(w, status, "application/problem+json", problem{http.StatusText(status), status})
}

// problem is what denials say, too.
type problem struct {
	Title  string `json:"title"`
	Status int    `json:"status"`
}
