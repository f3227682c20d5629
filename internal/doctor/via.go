package doctor

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/bearward/bearward/internal/egress"
	"github.com/bearward/bearward/internal/server"
	"github.com/bearward/bearward/middleware"
)

var (
	viaFine     = define("via", OK, "a request without credentials gets the server's own answer, challenges included", "")
	viaURL      = define("via_url", Error, "{url} is not the URL of an API", "--via https://HOST, with the prefix that clients use")
	viaNoRule   = define("via_rules", Info, "every rule is public, optional, hidden or only reports: nothing shows from outside whether the server is asked", "")
	viaPlain    = define("via_plain", Warning, "clients send their tokens over plain http to {host}", "let the proxy serve https only, and --via https://{host}")
	viaAway     = define("via_unserved", Error, "the proxy has no answer of the server: status {status}", "start bearward serve; let the proxy ask it at listen ({listen})")
	viaOpen     = define("via_open", Error, "{method} {path} without credentials gets status {status}: nobody asked the server", "let the proxy ask for every location (auth_request, forward_auth, ext_authz), with no exception that covers this path")
	viaUntold   = define("via_untrusted", Error, "a request without credentials gets 403 in place of {want}: the server does not believe the proxy", "trusted_proxies: the address from which the proxy connects; forward_auth.headers: the family that it sends")
	viaEaten    = define("via_challenge_lost", Error, "the proxy takes the challenge off the answer {status}: clients do not learn what to do", "nginx: auth_request_set $challenge $upstream_http_www_authenticate; add_header www-authenticate $challenge always; others: let the header through")
	viaOneLine  = define("via_challenge_cut", Error, "of {want} challenges {got} arrive: the proxy passes on one line", "forward_auth: {single_line_challenge: true}")
	viaForeign  = define("via_challenge_foreign", Warning, "the challenge is not the server's: {challenge}", "let the proxy pass on the server's challenge, and ask nobody else for credentials here")
	viaStatus   = define("via_status", Error, "a request without credentials gets status {status} in place of {want}", "let the proxy pass on the server's status as it is")
	viaRedirect = define("via_redirect", Warning, "a request without credentials is sent to {location}, in place of {want}", "let the proxy pass on the server's answer; --via that URL, if it is where clients of the API go")
	viaPublic   = define("via_public_url", Warning, "clients reach the API at {url}, which is below no public_url ({list}): their proofs are refused", "public_url: {url}")
	viaSilent   = define("via_silent", Warning, "{silent} of {all} requests through the proxy got no answer: not all could be told", "see the proxy's log; doctor waits longer with --timeout")
	viaNoEcho   = define("via_upstream_unseen", Info, "what the upstream gets could not be told: it does not show the requests that it gets", "to see it, let the proxy lead to a server that echoes its requests, and run doctor again")
)

const challengeName = "Www-Authenticate" // only read here

// front is the proxy in front, asked as a client would.
type front struct {
	*exam
	ctx    context.Context //nolint:containedctx // of one examination
	client *egress.Client
	base   *url.URL
	mark   string // nobody else has sent it

	closed, public, unmatched target
	bare                      egress.Response // to closed, without credentials

	sent, silent int // requests, and those without an answer
}

// viaChecks run one after another, if the server is reached through the proxy.
var viaChecks = []func(*front){crooked, families, identities, certificateHeader, unmatchedPath, credentialsSeen, document, preflight}

// via sends harmless requests through the proxy. Which answers could tell what
// happened to them inside is in docs/adr/0021.
func via(ctx context.Context, e *exam) {
	if e.Via == "" {
		return
	}
	e.about = "via"
	base, err := url.Parse(e.Via)
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" || base.User != nil || base.RawQuery != "" || base.Fragment != "" {
		e.say(viaURL, "url", e.Via)
		return
	}
	cfg := egress.Config{AllowPrivate: true, AllowHTTP: true, Connect: e.ViaAt, Timeout: callTimeout}
	if e.ViaCA != "" {
		if cfg.RootCAs, err = server.Roots(e.ViaCA); err != nil {
			e.say(viaURL, "url", e.ViaCA)
			return
		}
	}
	client, err := egress.New(cfg)
	if err != nil {
		return // its settings are fixed here
	}
	defer client.CloseIdle()
	f := &front{exam: e, ctx: ctx, client: client, base: base, mark: "doctor" + rand.Text()}
	f.origin()
	f.targets()
	if f.closed.path == "" {
		e.say(viaNoRule)
		return
	}
	if !f.uncredentialed() {
		return
	}
	for _, check := range viaChecks {
		check(f)
	}
	if f.silent > 0 {
		e.say(viaSilent, "silent", strconv.Itoa(f.silent), "all", strconv.Itoa(f.sent))
	}
}

// origin compares the URL with what proofs name.
func (f *front) origin() {
	if f.base.Scheme == "http" && !loopback(hostPort(f.base)) {
		f.say(viaPlain, "host", f.base.Host)
	}
	public := f.file.PublicURL
	if f.file.DPoP != nil && len(public) > 0 && !within(f.base.String(), public) {
		f.say(viaPublic, "url", f.base.String(), "list", strings.Join(public, " "))
	}
}

// send makes one request with these headers and no others.
func (f *front) send(t target, header http.Header) (egress.Response, error) {
	resp, err := f.client.Do(f.ctx, egress.Request{
		Method: t.method, URL: strings.TrimSuffix(f.base.String(), "/") + t.path, Header: header,
	})
	f.sent++
	if resp.Status == 0 {
		f.silent++
	}
	return resp, err
}

// uncredentialed compares the answer to a request without credentials with the
// server's own. It reports that there is something to go on with.
func (f *front) uncredentialed() bool {
	policy, _ := f.service.Match(f.closed.method, f.closed.path)
	_, d := f.service.Guard.Decide(f.ctx, middleware.Request{
		Method: f.closed.method, Scheme: f.base.Scheme, Host: f.base.Host, RawPath: f.closed.path, Header: http.Header{},
	}, policy)
	if d.Denial == nil {
		f.say(viaNoRule)
		return false
	}
	resp, err := f.send(f.closed, nil)
	want := strconv.Itoa(d.Denial.Status)
	words := []string{"method", f.closed.method, "path", f.closed.path, "status", strconv.Itoa(resp.Status), "want", want, "listen", f.file.Listen}
	f.bare = resp
	switch {
	case errors.Is(err, egress.ErrRedirect):
		f.say(viaRedirect, append(words, "location", resp.Header.Get("Location"))...)
	case err != nil && resp.Status == 0:
		f.failed(place{what: "the API", url: f.base.String(), key: "--via", ca: "--via-ca"}, resp, err)
	case resp.Status == d.Denial.Status:
		f.challenges(d.Denial.Header, words)
		return true
	case resp.Status/100 == 2:
		f.say(viaOpen, words...)
	case resp.Status == http.StatusForbidden:
		f.say(viaUntold, words...)
		families(f) // what if a client says what the proxy does not?
	case resp.Status == http.StatusBadGateway, resp.Status == http.StatusServiceUnavailable, resp.Status == http.StatusGatewayTimeout:
		f.say(viaAway, words...)
	default:
		f.say(viaStatus, words...)
	}
	return false
}

// challenges compares those that arrive with those of the server.
func (f *front) challenges(own http.Header, words []string) {
	want, got := own.Values(challengeName), f.bare.Header.Values(challengeName)
	all := strings.Join(got, ", ")
	arrived := 0
	for _, c := range want {
		if strings.Contains(all, c) {
			arrived++
		}
	}
	switch {
	case len(got) == 0:
		f.say(viaEaten, words...)
	case arrived == len(want):
		f.say(viaFine)
	case arrived > 0:
		f.say(viaOneLine, append(words, "want", strconv.Itoa(len(want)), "got", strconv.Itoa(arrived))...)
	default:
		f.say(viaForeign, "challenge", all)
	}
}
