package server

import (
	"net/http"
	"strings"

	"github.com/bearward/bearward/middleware"
)

// family names, in Go's canonical spelling, the headers in which a proxy says
// what request it asks about.
type family struct{ method, uri, proto, host string }

// questions are the families of forward_auth.headers.
var questions = map[string]family{
	"x-forwarded": {"X-Forwarded-Method", "X-Forwarded-Uri", "X-Forwarded-Proto", "X-Forwarded-Host"},
	"x-original":  {"X-Original-Method", "X-Original-Uri", "X-Original-Proto", "X-Original-Host"},
}

// of returns the request that a question is about; h are its headers. It
// reports false unless method and URI are there exactly once, and proto and
// host at most once, each of them one value that can be meant: a proxy that
// appends to what the client sent would have the client choose. Scheme and host
// are left to the guard, which reads the same headers.
func (f *family) of(question middleware.Request, h http.Header) (middleware.Request, bool) {
	method, uri := h[f.method], h[f.uri]
	if !one(method, isMethod) || !one(uri, isURI) || // [DP-12]
		!optional(h[f.proto], isProto) || !optional(h[f.host], isHost) { // [DP-12]
		return question, false
	}
	in := question
	in.Method = method[0]
	in.RawPath, in.RawQuery, _ = strings.Cut(uri[0], "?")
	in.Scheme, in.Host, in.Certificate = "", "", nil // those of the proxy
	return in, true
}

// in reports that h has a part of a question.
func (f *family) in(h http.Header) bool { return len(h[f.method])+len(h[f.uri]) > 0 }

func one(values []string, sound func(string) bool) bool {
	return len(values) == 1 && sound(values[0])
}

func optional(values []string, sound func(string) bool) bool {
	return len(values) == 0 || one(values, sound)
}

// isURI accepts a path, and a query perhaps, as a request line has them. Two of
// them that somebody joined are none: there is no telling which is meant.
func isURI(s string) bool {
	return strings.HasPrefix(s, "/") && plain(s) && !strings.Contains(s, ",/")
}

// isProto accepts the schemes of requests, and those of the WebSockets that some
// of them open.
func isProto(s string) bool {
	switch strings.ToLower(s) {
	case "http", "https", "ws", "wss":
		return true
	}
	return false
}

// isHost accepts the characters of a host name or address with its port.
func isHost(s string) bool {
	return s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~%:[]") == ""
}
