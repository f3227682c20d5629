package interop

import (
	"fmt"
	"net/http"
	"slices"
	"testing"

	"github.com/bearward/bearward/validate"
)

// formats are those of the provider's access tokens.
var formats = []string{"jwt", "opaque"}

// holder is a client with one token and what that is bound to.
type holder struct {
	library, client  string
	key, certificate string
	token            string
}

// issue has a client get a token in a format: bound to its certificate, if it
// has one, and to its key, if it has one.
func (w *world) issue(h holder, format, scope string) holder {
	w.t.Helper()
	h.client = clientID
	if h.certificate != "" {
		h.client += "-mtls"
	}
	r := w.do(command{
		Do: "token", Library: h.library, Issuer: w.provider.URL(), Client: h.client,
		Key: h.key, Certificate: h.certificate, Resource: audience + "?format=" + format, Scope: scope,
	})
	if r.Token == "" || (len(r.Nonces) > 0) != (h.key != "") {
		w.t.Fatalf("%+v: got %+v", h, r)
	}
	h.token = r.Token
	return h
}

// call is a GET as the library makes it.
func (w *world) call(h holder, url string, change ...func(*command)) reply {
	w.t.Helper()
	c := command{
		Do: "call", Library: h.library, Issuer: w.provider.URL(), Client: h.client,
		Key: h.key, Certificate: h.certificate, Token: h.token, URL: url, Method: http.MethodGet,
	}
	for _, f := range change {
		f(&c)
	}
	return w.do(c)
}

// accepted reports a call that did not pass, or took other than so many proofs
// without nonces and with one.
func (w *world) accepted(t testing.TB, h holder, r reply, without, with int) {
	t.Helper()
	if r.Status != http.StatusOK || r.Body != h.client {
		t.Errorf("got %+v", r)
	}
	empty := 0
	for _, n := range r.Nonces {
		if n == "" {
			empty++
		}
	}
	if empty != without || len(r.Nonces)-empty != with {
		t.Errorf("proofs with nonces %q, want %d without and %d with", r.Nonces, without, with)
	}
}

// refused reports a call with another outcome than 401, or 403, an error in the
// challenge of a scheme, and its reason. Every challenge has to be one that the
// library could read.
func (w *world) refused(t testing.TB, r reply, status int, scheme, errorCode string, code validate.Code) {
	t.Helper()
	if r.Status != status || len(r.Challenges) == 0 {
		t.Errorf("got %+v, want %d", r, status)
		return
	}
	schemes := []string{}
	for _, c := range r.Challenges {
		schemes = append(schemes, c.Scheme)
		p := c.Parameters
		if p["realm"] != audience || p["resource_metadata"] == "" || (p["algs"] != "") != (c.Scheme == "dpop") {
			t.Errorf("challenge %+v", c)
		}
		wantError, wantWhy := "", ""
		if c.Scheme == scheme {
			wantError, wantWhy = errorCode, code.Phrase()
		}
		if p["error"] != wantError || p["error_description"] != wantWhy {
			t.Errorf("challenge %+v, want %q, %q", c, wantError, wantWhy)
		}
	}
	if both := []string{"bearer", "dpop"}; !slices.Equal(schemes, both) && !slices.Equal(schemes, both[1:]) {
		t.Errorf("challenges for %q", schemes)
	}
}

// wrongClock is five minutes slow.
func wrongClock(c *command) { c.Skew = -300 }

// Clients that nobody here wrote prove possession of their keys everywhere, ask
// once for a nonce where one is needed, and go on with it.
func TestClientsProve(t *testing.T) { // [DP-01 DP-15 DP-23 DP-24 DP-27 DP-29 IN-10]
	w := newWorld(t)
	for library, alg := range map[string]string{
		"oauth4webapi": "ES256", "openid-client": "PS256", "dpop": "Ed25519", "jose": "RS256",
	} {
		for _, format := range formats {
			h := w.issue(holder{library: library, key: alg + "/" + format}, format, "orders:read")
			for server, url := range w.servers {
				t.Run(fmt.Sprintf("%s/%s/%s", library, format, server), func(t *testing.T) {
					for _, path := range []string{"/off", "/off?query=%20", "/dpop", "/adaptive"} {
						w.accepted(t, h, w.call(h, url+path), 1, 0)
					}
					w.accepted(t, h, w.call(h, url+"/required"), 1, 1)
					for _, path := range []string{"/required", "/adaptive", "/off"} { // the nonce is for all of the server
						w.accepted(t, h, w.call(h, url+path), 0, 1)
					}
				})
			}
		}
	}
}

// Where nonces are adaptive, a client with a wrong clock is asked for one, and
// with it the clock of the server counts.
func TestClientsWithWrongClock(t *testing.T) { // [DP-13 DP-23 DP-27]
	w := newWorld(t)
	for _, library := range []string{"oauth4webapi", "openid-client", "jose"} {
		h := w.issue(holder{library: library, key: "ES256/slow"}, "jwt", "orders:read")
		for server, url := range w.servers {
			t.Run(library+"/"+server, func(t *testing.T) {
				if r := w.call(h, url+"/off", wrongClock); library != "jose" { // which reads no challenges
					w.refused(t, r, http.StatusUnauthorized, "dpop", "invalid_dpop_proof", validate.ErrProofExpired)
				}
				w.accepted(t, h, w.call(h, url+"/adaptive", wrongClock), 1, 1)
				w.accepted(t, h, w.call(h, url+"/adaptive", wrongClock), 0, 1)
			})
		}
	}
}

// What is wrong is refused in words that the libraries understand.
func TestClientsRefused(t *testing.T) { // [DP-09 DP-10 DP-15 DP-16 DP-17 DP-18 DP-21 ER-18 ER-19]
	w := newWorld(t)
	const unauthorized, forbidden = http.StatusUnauthorized, http.StatusForbidden
	for _, library := range []string{"oauth4webapi", "openid-client"} {
		bound := w.issue(holder{library: library, key: "ES256/own"}, "jwt", "orders:read")
		free := w.issue(holder{library: library}, "jwt", "orders:read")
		otherKey, asBearer, asBound := bound, bound, free
		otherKey.key, asBearer.key, asBound.key = "ES256/other", "", "ES256/own"
		for server, url := range w.servers {
			elsewhere := func(c *command) { c.Meddle = &meddle{URL: url + "/off?x"} }
			otherMethod := func(c *command) { c.Meddle = &meddle{Method: http.MethodDelete} }
			replayed := func(c *command) { c.Meddle = &meddle{Again: true} }
			asItIs := func(*command) {}
			for name, c := range map[string]struct {
				holder holder
				path   string
				change func(*command)
				status int
				scheme string
				err    string
				code   validate.Code
			}{
				"bound, as bearer":    {asBearer, "/off", asItIs, unauthorized, "bearer", "invalid_token", validate.ErrConfirmationUnproven},
				"unbound, as bound":   {asBound, "/off", asItIs, unauthorized, "dpop", "invalid_token", validate.ErrTokenNotBound},
				"unbound, key wanted": {free, "/dpop", asItIs, unauthorized, "dpop", "invalid_token", validate.ErrBindingRequired},
				"other binding":       {bound, "/mtls", asItIs, unauthorized, "dpop", "invalid_token", validate.ErrBindingRequired},
				"other key":           {otherKey, "/off", asItIs, unauthorized, "dpop", "invalid_token", validate.ErrProofKeyMismatch},
				"other URL":           {bound, "/dpop", elsewhere, unauthorized, "dpop", "invalid_dpop_proof", validate.ErrProofTargetMismatch},
				"other method":        {bound, "/off", otherMethod, unauthorized, "dpop", "invalid_dpop_proof", validate.ErrProofMethodMismatch},
				"replay":              {bound, "/off", replayed, unauthorized, "dpop", "invalid_dpop_proof", validate.ErrProofReplayed},
				"other scope":         {bound, "/write", asItIs, forbidden, "dpop", "insufficient_scope", validate.ErrScopeMissing},
			} {
				t.Run(fmt.Sprintf("%s/%s/%s", library, server, name), func(t *testing.T) {
					w.refused(t, w.call(c.holder, url+c.path, c.change), c.status, c.scheme, c.err, c.code)
				})
			}
		}
	}
}
