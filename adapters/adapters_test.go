// Package adapters_test runs one table through all adapters on one guard: they
// translate, so status, challenge, body and context must be the same.
package adapters_test

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"

	"github.com/bearward/bearward/internal/challengetest"
	"github.com/bearward/bearward/internal/issuer"
	"github.com/bearward/bearward/middleware"
	"github.com/bearward/bearward/validate"
)

// letter is what a class of answers looks like, by the table of codes.
type letter struct {
	status    int
	grpc      codes.Code
	err       string // parameter of the challenge
	reason    string
	challenge bool
}

var letters = map[string]letter{
	"N":   {401, 16, "", "TOKEN_MISSING", true},                                                    // [ER-01 ER-03 GR-03 TR-07]
	"R":   {400, 16, "invalid_request", "INVALID_REQUEST", true},                                   // [ER-05 GR-05 MC-05]
	"T":   {401, 16, "invalid_token", "INVALID_TOKEN", true},                                       // [ER-04 ER-06 GR-03 MC-05]
	"P":   {401, 16, "invalid_dpop_proof", "INVALID_DPOP_PROOF", true},                             // [ER-10 GR-03]
	"U":   {401, 16, "use_dpop_nonce", "USE_DPOP_NONCE", true},                                     // [ER-09 GR-03]
	"A":   {401, 16, "insufficient_user_authentication", "INSUFFICIENT_USER_AUTHENTICATION", true}, // [ER-08 GR-05]
	"S":   {403, 7, "insufficient_scope", "INSUFFICIENT_SCOPE", true},                              // [ER-02 ER-07 GR-04 MC-06]
	"F":   {403, 7, "", "POLICY_DENIED", false},                                                    // [GR-04 AZ-08]
	"H":   {404, 5, "", "NOT_FOUND", false},                                                        // [ER-22]
	"V":   {503, 14, "", "AUTH_BACKEND_UNAVAILABLE", false},                                        // [ER-23 GR-06]
	"E":   {500, 13, "", "", false},                                                                // [PV-07]
	"425": {425, 14, "", "TOO_EARLY", false},                                                       // [TR-20]
}

// Answers that let the request through.
const (
	ok      = "ok"      // with a token
	nothing = "nothing" // without one
)

// testCase is one request by one policy. The zero one sends a right token.
type testCase struct {
	name   string
	kind   string         // of token, a Variant
	claims map[string]any // over the usual ones
	from   func(*world) *issuer.Server
	values func(good string) []string // Authorization values; nil: one right one
	policy middleware.Policy
	compat bool // on the guard with profile compat

	method, target, body string   // of HTTP
	header               []string // of HTTP: "Name: value"
	metadata             []string // of gRPC: "name: value"
	only                 string   // "http" or "grpc" where the other cannot say it

	world func(*world) // changes a world of its own

	reported bool // it is refused, and passes all the same

	want   string            // letter, ok or nothing
	code   validate.Code     // of the event
	params map[string]string // of the challenge beyond realm, error and metadata
	wait   bool              // Retry-After is known
	expose bool              // Access-Control-Expose-Headers names the challenge
}

func TestAdapters(t *testing.T) {
	run := &runner{http: newWeb(t, "net/http", onMux), gin: newWeb(t, "gin", onGin), grpc: newRPC(t)}
	shared := newWorld(t)
	shared.load()
	for _, group := range groups() {
		t.Run(group.name, func(t *testing.T) {
			for _, c := range group.cases {
				t.Run(c.name, func(t *testing.T) {
					w := shared
					if c.world != nil {
						w = newWorld(t)
						c.world(w)
					}
					run.check(t, w, &c)
				})
			}
		})
	}
}

type caseGroup struct {
	name  string
	cases []testCase
}

func groups() []caseGroup {
	return []caseGroup{
		{"tokens", tokenCases()},
		{"headers", headerCases},
		{"elsewhere", elsewhereCases},
		{"policies", policyCases},
		{"outages", outageCases},
		{"http", httpCases},
	}
}

type runner struct {
	http, gin *web
	grpc      *rpc
}

func (r *runner) check(t *testing.T, w *world, c *testCase) {
	w.t = t
	guard := w.strict
	if c.compat {
		guard = w.compat
	}
	from := w.main
	if c.from != nil {
		from = c.from(w)
	}
	values := []string{"Bearer " + w.mint(from, c.kind, c.claims)}
	if c.values != nil {
		values = c.values(strings.TrimPrefix(values[0], "Bearer "))
	}
	c = c.with(w.mint(w.main, "", nil))
	w.events.take()
	var first *answer
	if c.only != "grpc" {
		a, b := r.http.send(t, guard, c, values), r.gin.send(t, guard, c, values)
		c.checkHTTP(t, &a)
		c.checkSight(t, &b.saw)
		c.checkWait(t, &b)
		sameHTTP(t, &a, &b)
		w.oneEvent(t, c, 2)
		first = &a
	}
	if c.only != "http" {
		unary, stream := r.grpc.send(t, guard, c, values)
		for _, got := range []*reply{&unary, &stream} {
			c.checkGRPC(t, got, first)
			c.checkSight(t, &got.saw)
		}
		w.oneEvent(t, c, 2)
	}
}

// with puts a right token wherever the case wants one beside the header.
func (c *testCase) with(good string) *testCase {
	out := *c
	put := func(s string) string { return strings.ReplaceAll(s, "TOKEN", good) }
	out.target, out.body, out.header, out.metadata = put(c.target), put(c.body), nil, nil
	for _, line := range c.header {
		out.header = append(out.header, put(line))
	}
	for _, line := range c.metadata {
		out.metadata = append(out.metadata, put(line))
	}
	return &out
}

// oneEvent demands one event for each of n requests, with the case's code.
func (w *world) oneEvent(t *testing.T, c *testCase, n int) {
	t.Helper()
	events := w.events.take()
	if len(events) != n {
		t.Errorf("%d events for %d requests", len(events), n)
	}
	for _, e := range events {
		if e.Code != c.code || e.Allowed != (c.code == "" || c.reported) || e.ReportOnly != c.reported || (e.Status == 0) != e.Allowed {
			t.Errorf("event: allowed %t, report only %t, status %d, code %q (%v), want %q", e.Allowed, e.ReportOnly, e.Status, e.Code, e.Err, c.code)
		}
	}
}

func (c *testCase) checkSight(t *testing.T, s *sight) {
	t.Helper()
	runs, token := 0, false
	if c.want == ok || c.want == nothing {
		runs, token = 1, c.want == ok
	}
	if c.reported && (s.header["Authorization"] != nil || s.header["Dpop"] != nil) {
		t.Errorf("the handler sees credentials that were refused")
	}
	if s.runs != runs || (s.token != nil) != token || s.odd != "" {
		t.Errorf("the handler ran %d times, token %v %s; want %d, %t", s.runs, s.token, s.odd, runs, token)
	}
}

func (c *testCase) checkHTTP(t *testing.T, a *answer) {
	t.Helper()
	c.checkSight(t, &a.saw)
	c.checkWait(t, a)
	want, refused := letters[c.want]
	if !refused {
		if a.status != 200 || a.body != "hello" && c.method != http.MethodHead || a.header.Get("Www-Authenticate") != "" {
			t.Errorf("status %d, body %q, %v", a.status, a.body, a.header)
		}
		if a.saw.body != c.body && !c.reported {
			t.Errorf("the handler reads the body %q, want %q", a.saw.body, c.body)
		}
		return
	}
	body := `{"title":` + strconv.Quote(http.StatusText(want.status)) + `,"status":` + strconv.Itoa(want.status)
	if want.err != "" {
		body += `,"error":"` + want.err + `"`
	}
	if a.status != want.status || a.body != body+"}\n" && c.method != http.MethodHead { // [ER-25]
		t.Errorf("status %d, body %q; want %d", a.status, a.body, want.status)
	}
	if a.header.Get("Cache-Control") != "no-store" || a.header.Get("Content-Type") != "application/problem+json" { // [ER-24]
		t.Errorf("%v", a.header)
	}
	c.checkChallenge(t, a.header["Www-Authenticate"], want)
	expose := ""
	if c.expose { // [TR-17]
		expose = "WWW-Authenticate"
	}
	if got := a.header.Get("Access-Control-Expose-Headers"); got != expose {
		t.Errorf("Access-Control-Expose-Headers: %q, want %q", got, expose)
	}
}

// checkWait demands Retry-After where a time is known. [ER-23]
func (c *testCase) checkWait(t *testing.T, a *answer) {
	t.Helper()
	seconds, err := strconv.Atoi(a.header.Get("Retry-After"))
	if (err == nil && seconds > 0) != c.wait {
		t.Errorf("Retry-After: %q, want one: %t", a.header.Get("Retry-After"), c.wait)
	}
}

// checkChallenge holds the challenge to its grammar and to exactly the
// parameters that the answer must have.
func (c *testCase) checkChallenge(t *testing.T, lines []string, want letter) map[string]string {
	t.Helper()
	if !want.challenge {
		if len(lines) != 0 {
			t.Errorf("challenge %q where none belongs", lines)
		}
		return nil
	}
	if len(lines) != 1 { // one field line for each challenge [ER-17]
		t.Errorf("challenges: %q", lines)
		return nil
	}
	got, err := challengetest.Parse(lines[0])
	if err != nil {
		t.Fatal(err) // [ER-12 ER-13 ER-15]
	}
	params := map[string]string{
		"realm":             api,                                                             // [ER-11]
		"resource_metadata": "https://api.example.test/.well-known/oauth-protected-resource", // [MD-06 MC-03]
	}
	if want.err != "" {
		params["error"] = want.err
		params["error_description"] = c.code.Phrase() // [ER-16]
	}
	maps.Copy(params, c.params)
	if got.Scheme != "Bearer" || !maps.Equal(got.Params, params) {
		t.Errorf("challenge %s %v\nwant %v", got.Scheme, got.Params, params)
	}
	return got.Params
}

// sameHTTP demands that two HTTP adapters say the same.
func sameHTTP(t *testing.T, a, b *answer) {
	t.Helper()
	ignored := []string{"Date", "Content-Length", "Connection", "Retry-After"} // Retry-After is checked for each
	for _, h := range []http.Header{a.header, b.header} {
		for _, name := range ignored {
			h.Del(name)
		}
	}
	if a.status == 200 { // handlers differ in their own type
		a.header.Del("Content-Type")
		b.header.Del("Content-Type")
	}
	if a.status != b.status || a.body != b.body || !maps.EqualFunc(a.header, b.header, slices.Equal) {
		t.Errorf("net/http: %d %q %v\ngin: %d %q %v", a.status, a.body, a.header, b.status, b.body, b.header)
	}
}

func (c *testCase) checkGRPC(t *testing.T, got *reply, web *answer) {
	t.Helper()
	want, refused := letters[c.want]
	if !refused {
		if got.status.Code() != codes.OK {
			t.Errorf("gRPC: %v", got.status)
		}
		return
	}
	if got.status.Code() != want.grpc { // [GR-03 GR-04 GR-05 GR-06]
		t.Errorf("gRPC: %v, want %v", got.status, want.grpc)
	}
	message := c.code.Phrase()
	if c.want == "H" || message == "" {
		message = want.grpc.String()
	}
	if got.status.Message() != message {
		t.Errorf("gRPC: message %q, want %q", got.status.Message(), message)
	}
	trailer := got.trailer.Get("www-authenticate") // [GR-09]
	params := c.checkChallenge(t, trailer, want)
	if web != nil && !slices.Equal(trailer, web.header["Www-Authenticate"]) {
		t.Errorf("gRPC: challenge %q, over HTTP %q", trailer, web.header["Www-Authenticate"])
	}
	info, retry := details(got.status)
	if (retry.GetRetryDelay().AsDuration() > 0) != c.wait || (len(got.trailer.Get("retry-after")) > 0) != c.wait { // [GR-06]
		t.Errorf("RetryInfo %v, retry-after %q; want one: %t", retry, got.trailer.Get("retry-after"), c.wait)
	}
	if want.reason == "" {
		if info != nil {
			t.Errorf("ErrorInfo %v where none belongs", info)
		}
		return
	}
	delete(params, "realm")
	delete(params, "error_description")
	if info.GetReason() != want.reason || info.GetDomain() != middleware.ErrorDomain || !maps.Equal(info.GetMetadata(), params) { // [GR-08]
		t.Errorf("ErrorInfo %v\nwant %s %v", info, want.reason, params)
	}
	for _, key := range []string{"content-type", "cache-control", "access-control-expose-headers"} {
		if key != "content-type" && len(got.trailer.Get(key)) > 0 {
			t.Errorf("trailer %s: %q", key, got.trailer.Get(key))
		}
	}
}
