package server

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/bearward/bearward/internal/server/config"
	"github.com/bearward/bearward/internal/server/route"
	"github.com/bearward/bearward/middleware"
	"github.com/bearward/bearward/validate"
)

const (
	explainPath = "/explain"
	maxExplain  = 64 << 10
)

// Explain is the report about a request by the rule that match finds for it.
func Explain(ctx context.Context, guard *middleware.Guard, match func(method, rawPath string) (middleware.Policy, route.Outcome), r middleware.Request) middleware.Report {
	method := r.Method
	if r.Preflight() {
		method = r.Header.Values("Access-Control-Request-Method")[0] // [TR-16]
	}
	policy, outcome := match(method, r.RawPath)
	switch outcome {
	case route.Matched:
		report := guard.Explain(ctx, r, policy)
		report.Rules = slices.Insert(report.Rules, 0, validate.Finding{
			Rule: "route", Status: validate.Passed, Source: "project", Found: policy.Route,
		})
		return report
	case route.Unmatched:
		return unrouted(validate.ErrRouteDenied, http.StatusForbidden)
	}
	return unrouted(validate.ErrTargetMalformed, http.StatusBadRequest)
}

// unrouted is the report about a request for which no rule decides: no token
// is read.
func unrouted(code validate.Code, status int) middleware.Report {
	return middleware.Report{Code: code, Status: status, Rules: []validate.Finding{{
		Rule: "route", Status: validate.Failed, Code: code, Source: "project", Fix: code.Fix(),
	}}}
}

// described is the body of POST /explain: a request as the API would receive it.
type described struct {
	Method      string              `json:"method,omitzero"`      // default GET
	URL         string              `json:"url"`                  // or the path alone, with its query
	Headers     map[string][]string `json:"headers,omitzero"`     // Authorization, DPoP and what else matters
	Certificate string              `json:"certificate,omitzero"` // PEM, of the client on the connection
	Peer        netip.Addr          `json:"peer,omitzero"`        // address of the connection's other end
}

var errDescription = errors.New("this is not an object with method, url, headers, certificate (PEM) and peer")

// explain answers with the report about a request that the body describes. The
// listener is on loopback; what a browser could be made to send there is refused.
// Nothing is spent and nothing forwarded.
func (a *admin) explain(w http.ResponseWriter, r *http.Request) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" || r.Header["Origin"] != nil || !local(r.Host) {
		complain(w, http.StatusForbidden, "send application/json from this machine, and not from a web page")
		return
	}
	var body described
	if err := json.UnmarshalRead(io.LimitReader(r.Body, maxExplain), &body, json.RejectUnknownMembers(true)); err != nil {
		complain(w, http.StatusBadRequest, errDescription.Error())
		return
	}
	s, release := a.enter()
	defer release()
	in, err := body.request(s.file)
	if err != nil {
		complain(w, http.StatusBadRequest, err.Error())
		return
	}
	reply(w, http.StatusOK, "application/json", s.explain(r.Context(), in))
}

// explain is the report about a request in the mode of the file.
func (g *generation) explain(ctx context.Context, in middleware.Request) middleware.Report {
	mode, ok := g.handler.(interface {
		unfit(h http.Header) validate.Code
	})
	if header, isHTTP := in.Header.(http.Header); ok && isHTTP {
		switch code := mode.unfit(header); code {
		case "":
		case validate.ErrOverride:
			return unrouted(code, http.StatusBadRequest)
		default:
			return unrouted(code, http.StatusForbidden)
		}
	}
	return Explain(ctx, g.Guard, g.Match, in)
}

// request is the one that is described, received by the server of the file.
func (d *described) request(file *config.File) (middleware.Request, error) {
	r := middleware.Request{Method: d.Method, Scheme: "http", Host: file.Listen, Peer: d.Peer}
	if r.Method == "" {
		r.Method = http.MethodGet
	}
	if file.TLS != nil {
		r.Scheme = "https"
	}
	if file.ListensLocally() { // Host counts there
		r.Local = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	target := d.URL
	if scheme, rest, whole := strings.Cut(d.URL, "://"); whole && !strings.HasPrefix(d.URL, "/") {
		u, err := url.Parse(d.URL)
		if err != nil || u.Host == "" || u.User != nil || scheme != "http" && scheme != "https" {
			return r, errors.New("url is an http or https URL, or a path")
		}
		r.Scheme, r.Host = scheme, u.Host
		target = "/"
		if i := strings.IndexAny(rest, "/?"); i >= 0 {
			target = "/" + strings.TrimPrefix(rest[i:], "/")
		}
	}
	if !strings.HasPrefix(target, "/") || strings.ContainsAny(target, "# \t\r\n") {
		return r, errors.New("url is an http or https URL, or a path that begins with /")
	}
	r.RawPath, r.RawQuery, _ = strings.Cut(target, "?")
	header := http.Header{}
	for name, values := range d.Headers {
		name = http.CanonicalHeaderKey(name)
		header[name] = append(header[name], values...)
	}
	r.Header = header
	if d.Certificate == "" {
		return r, nil
	}
	block, _ := pem.Decode([]byte(d.Certificate))
	if block == nil || block.Type != "CERTIFICATE" {
		return r, errors.New("certificate is one in PEM")
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return r, errors.New("certificate cannot be read")
	}
	r.Certificate = certificate
	return r, nil
}
