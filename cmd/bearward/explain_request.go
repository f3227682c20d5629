package main

import (
	"crypto/x509"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"github.com/bearward/bearward/internal/demo"
	"github.com/bearward/bearward/internal/jose"
	"github.com/bearward/bearward/internal/server/config"
	"github.com/bearward/bearward/internal/strictjson"
	"github.com/bearward/bearward/middleware"
	"github.com/bearward/bearward/validate/dpop"
)

// presented is what came with a request.
type presented struct {
	scheme, token string
	proof         string // "" for none
	certificate   *x509.Certificate
}

func (c *explainCmd) presented(in io.Reader) (p presented, err error) {
	if c.Token == "-" && c.Proof == "-" {
		return p, usage("standard input is one thing: the token or the proof")
	}
	given, err := text(c.Token, in)
	if err != nil {
		return p, err
	}
	if p.scheme, p.token = schemed(given); p.token == "" {
		return p, usage("the token is empty")
	}
	if p.proof, err = text(c.Proof, in); err != nil {
		return p, err
	}
	if p.proof == "" && c.Proof != "" {
		return p, usage("the proof is empty")
	}
	if p.scheme == "" {
		p.scheme = "Bearer"
		if p.proof != "" {
			p.scheme = "DPoP"
		}
	}
	if c.Certificate != "" {
		p.certificate, err = readCertificate(c.Certificate)
	}
	return p, err
}

// asked is a request as far as it was told.
type asked struct {
	method, origin, path, query string // empty: not told
}

func (c *explainCmd) asked() (a asked, err error) {
	if c.Request == "" {
		return a, nil
	}
	method, target, ok := strings.Cut(c.Request, " ")
	if scheme, rest, whole := strings.Cut(target, "://"); whole && (scheme == "http" || scheme == "https") {
		host, path, _ := strings.Cut(rest, "/")
		a.origin, target = scheme+"://"+host, "/"+path
		ok = ok && host != "" && !strings.ContainsAny(host, "?#@ \t\r\n")
	}
	if !ok || method == "" || !strings.HasPrefix(target, "/") || strings.ContainsAny(target, " \t\r\n") {
		return a, usage("--request is a method and a path, like 'GET /read', or a method and a URL")
	}
	a.method = method
	a.path, a.query, _ = strings.Cut(target, "?")
	return a, nil
}

// request is one that carries what was sent. What is not told about it is as the
// proof says, which for a proof that is right is true.
func (by *judge) request(a asked, sent presented) middleware.Request {
	method, target := aim(sent.proof)
	origin, path := by.split(target)
	if a.method == "" {
		a.method, a.path = method, path
	}
	if a.origin == "" {
		a.origin = origin
	}
	r := middleware.Request{
		Method: a.method, Scheme: "https", RawPath: a.path, RawQuery: a.query,
		Header: http.Header{"Authorization": {sent.scheme + " " + sent.token}}, Certificate: sent.certificate,
	}
	if u, err := url.Parse(a.origin); err == nil && u.Host != "" {
		r.Scheme, r.Host = u.Scheme, u.Host
	}
	if by.believed {
		r.Local = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	if sent.proof != "" {
		r.Header = http.Header{"Authorization": {sent.scheme + " " + sent.token}, "Dpop": {sent.proof}}
	}
	return r
}

// split takes the URL of a proof apart: an origin that is the API's, the first
// if none fits, and the path as it arrives there.
func (by *judge) split(target string) (origin, path string) {
	normal, err := dpop.NormalizeTarget(target)
	if err != nil {
		normal = ""
	}
	for _, o := range by.origins {
		before, err := dpop.NormalizeTarget(o)
		if err != nil {
			continue
		}
		before = strings.TrimSuffix(before, "/")
		if rest, ok := strings.CutPrefix(normal, before); ok && strings.HasPrefix(rest, "/") {
			return o, rest
		}
	}
	_, rest, _ := strings.Cut(normal, "://")
	_, path, _ = strings.Cut(rest, "/")
	if len(by.origins) > 0 {
		origin = by.origins[0]
	}
	return origin, "/" + path
}

// at says where the server of a file is reached.
func (by *judge) at(file *config.File) {
	by.origins = file.PublicURL
	if len(by.origins) > 0 {
		return
	}
	scheme := "http"
	if file.TLS != nil {
		scheme = "https"
	}
	by.origins = []string{scheme + "://" + file.Listen}
	by.believed = demo.Loopback(file.Listen) || file.Forwarded != "none" // a proxy would say what --request does
}

// aim is the request that a proof says it is for. Nothing of it is verified, and
// nothing need be: the guard judges the proof.
func aim(proof string) (method, target string) {
	method = http.MethodGet
	parts, err := jose.Split(proof)
	if err != nil {
		return method, ""
	}
	payload, err := jose.DecodeText(parts.Payload)
	if err != nil {
		return method, ""
	}
	r := strictjson.Open(payload)
	htm, htu := "", ""
	for name, ok := r.Next(); ok; name, ok = r.Next() {
		switch name {
		case "htm":
			htm = r.Text()
		case "htu":
			htu = r.Text()
		}
	}
	if r.Err() != nil {
		return method, ""
	}
	if htm != "" {
		method = htm
	}
	return method, htu
}
