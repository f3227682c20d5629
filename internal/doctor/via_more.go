package doctor

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/bearward/bearward/internal/egress"
)

var (
	viaBroken     = define("via_400_lost", Error, "the proxy makes {status} of the server's 400, and of its 503: clients take their own mistake for ours", "forward_auth: {status_for_400: 401} where the proxy cannot (nginx); others: let it pass on the status")
	viaMerged     = define("via_authorization_cut", Warning, "of two Authorization lines the proxy passes on one: what is judged is not all that was sent", "let the proxy refuse such requests, or pass on both lines")
	viaLeak       = define("via_unmatched_open", Error, "a path that no rule matches gets status {status}: nobody asked the server", "let the proxy ask for every location (auth_request, forward_auth, ext_authz), with no exception")
	viaTokens     = define("via_credentials_seen", Warning, "the upstream gets its clients' tokens", "let the proxy remove Authorization and DPoP after the server's answer (nginx: proxy_set_header Authorization \"\")")
	viaNoDocument = define("via_metadata_lost", Warning, "the document that challenges point to is not at {path}: status {status}", "let the proxy lead {path} to the server, without asking first; or metadata: false")
	viaDocument   = define("via_metadata", OK, "the document that challenges point to is there", "")
	viaPreflight  = define("via_preflight", Warning, "a CORS preflight for {method} {path} gets status {status}: pages of other origins cannot call the API", "let the proxy pass on Origin and Access-Control-Request-Method, and ask nobody else about OPTIONS")
)

// crooked sends credentials that are malformed, and such that are repeated.
func crooked(f *front) {
	resp, err := f.send(f.closed, http.Header{"Authorization": {"Bearer doctor, doctor"}})
	if err == nil && resp.Status >= http.StatusInternalServerError {
		f.say(viaBroken, "status", strconv.Itoa(resp.Status))
	}
	resp, err = f.send(f.closed, http.Header{"Authorization": {stray, stray}})
	challenge := strings.Join(resp.Header.Values(challengeName), ", ")
	switch {
	case err != nil:
	case resp.Status/100 == 2:
		f.say(viaOpen, "method", f.closed.method, "path", f.closed.path, "status", strconv.Itoa(resp.Status))
	case resp.Status == http.StatusUnauthorized && strings.Contains(challenge, `error="invalid_token"`):
		f.say(viaMerged)
	}
}

// unmatchedPath is refused by the server, or unknown to the proxy.
func unmatchedPath(f *front) {
	if f.unmatched.path == "" {
		return
	}
	resp, err := f.send(f.unmatched, nil)
	if err == nil && resp.Status/100 == 2 {
		f.say(viaLeak, "status", strconv.Itoa(resp.Status))
	}
}

// credentialsSeen looks for credentials at an upstream that shows what it gets.
func credentialsSeen(f *front) {
	if f.public.path == "" {
		return
	}
	echo, err := f.send(f.public, http.Header{"X-Doctor": {f.mark}})
	if err != nil || !f.shows(echo) {
		f.say(viaNoEcho)
		return
	}
	if f.file.ForwardCredentials {
		return // said already
	}
	for _, name := range []string{"Authorization", "Dpop"} {
		resp, err := f.send(f.public, http.Header{name: {"Bearer " + f.mark}})
		if err == nil && f.shows(resp) {
			f.say(viaTokens)
			return
		}
	}
}

// document is that of RFC 9728.
func document(f *front) {
	paths := f.service.Guard.MetadataPaths()
	if len(paths) == 0 {
		return
	}
	own := *f.base
	own.Path, own.RawPath = "", ""
	resp, err := f.client.Do(f.ctx, egress.Request{Method: http.MethodGet, URL: own.String() + paths[0]})
	if err != nil && !errors.Is(err, egress.ErrRedirect) {
		return
	}
	if resp.Status != http.StatusOK || member(resp.Body, "resource") != f.file.Resource {
		f.say(viaNoDocument, "path", paths[0], "status", strconv.Itoa(resp.Status))
		return
	}
	f.say(viaDocument)
}

// preflight asks as a browser does before it sends credentials.
func preflight(f *front) {
	resp, err := f.send(target{http.MethodOptions, f.closed.path}, http.Header{
		"Origin": {"https://doctor.invalid"}, "Access-Control-Request-Method": {f.closed.method}, "Access-Control-Request-Headers": {"authorization"},
	})
	if err == nil && (resp.Status == http.StatusUnauthorized || resp.Status == http.StatusForbidden) {
		f.say(viaPreflight, "method", f.closed.method, "path", f.closed.path, "status", strconv.Itoa(resp.Status))
	}
}
