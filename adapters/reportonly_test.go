package adapters_test

import (
	"net/http"
	"net/http/httptest"
	"reflect"
	"testing"

	"github.com/bearward/bearward"
	"github.com/bearward/bearward/adapters/httpauth"
	"github.com/bearward/bearward/middleware"
	"github.com/bearward/bearward/validate"
	"github.com/bearward/bearward/validate/dpop"
)

// TestReportOnly runs the same table on policies that only report: whatever is
// refused there reaches the handler, without a token and without credentials,
// and is counted as what it is. What is broken on our side stays refused.
func TestReportOnly(t *testing.T) {
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
					c.reportOnly()
					run.check(t, w, &c)
				})
			}
		})
	}
}

// reportOnly turns the case into one of a policy that only reports.
func (c *testCase) reportOnly() {
	if reflect.DeepEqual(c.policy, middleware.Public()) { // nothing is judged there
		return
	}
	c.policy.ReportOnly = true
	_, refused := letters[c.want]
	if refused && c.want != "E" && c.code != validate.ErrGuardClosed {
		c.reported, c.want, c.wait, c.expose, c.params = true, nothing, false, false, nil
	}
}

// TestReportOnlySenders: of a refused proof or certificate nothing passes
// either, and a client that has no nonce gets one, or it would be reported for
// ever.
func TestReportOnlySenders(t *testing.T) {
	s := newSenders(t)
	s.each(t, func(t *testing.T, d delivery) {
		g := s.guarding(func(c *bearward.Config) { c.DPoP.Nonce, c.ReportOnly = dpop.NonceRequired, true })
		token := s.token(s.byKey())
		for name, c := range map[string]struct {
			m     message
			p     middleware.Policy
			code  validate.Code
			nonce bool
		}{
			"no nonce":       {s.proven(d, token), read, validate.ErrNonceMissing, true},
			"bad nonce":      {s.proven(d, token, with("bad")), read, validate.ErrNonceInvalid, true},
			"no proof":       {message{header: authorize("DPoP", token)}, read, validate.ErrProofMissing, false},
			"stolen":         {message{header: authorize("Bearer", token)}, read, validate.ErrConfirmationUnproven, false},
			"not bound":      {message{header: authorize("Bearer", s.token(nil))}, read.WithDPoP(), validate.ErrBindingRequired, false},
			"no certificate": {message{header: authorize("Bearer", s.token(s.byCert()))}, read, validate.ErrCertificateMissing, false},
		} {
			s.events.take()
			got := d.send(t, g, c.p, c.m)
			if got.saw.runs != 1 || got.saw.token != nil || got.saw.odd != "" || got.grpc != 0 || len(got.challenges) != 0 {
				t.Errorf("%s: %+v", name, got)
			}
			if (len(got.nonces) == 1) != c.nonce {
				t.Errorf("%s: nonces %q", name, got.nonces)
			}
			for _, field := range []string{"Authorization", "Dpop"} {
				if v := got.saw.header[field]; v != nil {
					t.Errorf("%s: the handler sees %s", name, field)
				}
			}
			if e := s.events.take(); len(e) != 1 || e[0].Code != c.code || !e[0].Allowed || !e[0].ReportOnly || e[0].Token != nil {
				t.Errorf("%s: %+v", name, e)
			}
		}
		good := d.send(t, g, read, s.proven(d, token, with(s.nonce(t, d, s.guarding(func(c *bearward.Config) { c.DPoP.Nonce = dpop.NonceRequired }), read))))
		good.is(t, ok)
		if good.saw.header["Authorization"] == nil || good.saw.header["Dpop"] == nil {
			t.Error("what is accepted loses its credentials")
		}
	})
}

// TestReportOnlyNested: what an outer policy only reports is nothing that an
// inner one may build on, and what an outer one accepts is hidden where an inner
// one does not.
func TestReportOnlyNested(t *testing.T) {
	w := newWorld(t)
	w.load()
	reports := func(p middleware.Policy) middleware.Policy {
		p.ReportOnly = true
		return p
	}
	good, bad := w.mint(w.main, "", scopes("orders:read")), w.mint(w.main, "expired", nil)
	for name, c := range map[string]struct {
		token        string
		outer, inner middleware.Policy
		status       int
		seen         bool
		codes        [2]validate.Code
	}{
		"refused outside":             {bad, reports(middleware.Policy{}), middleware.Policy{}, 401, false, [2]validate.Code{validate.ErrExpired, validate.ErrTokenMissing}},
		"scope missing outside":       {good, reports(middleware.Scopes("x")), middleware.Policy{}, 401, false, [2]validate.Code{validate.ErrScopeMissing, validate.ErrTokenMissing}},
		"refused outside, optional":   {bad, reports(middleware.Policy{}), optional, 200, false, [2]validate.Code{validate.ErrExpired, ""}},
		"accepted outside":            {good, reports(middleware.Policy{}), middleware.Scopes("orders:read"), 200, true, [2]validate.Code{}},
		"refused inside":              {good, middleware.Policy{}, middleware.Scopes("x"), 403, false, [2]validate.Code{"", validate.ErrScopeMissing}},
		"reported inside":             {good, middleware.Policy{}, reports(middleware.Scopes("x")), 200, false, [2]validate.Code{"", validate.ErrScopeMissing}},
		"reported outside and inside": {bad, reports(middleware.Policy{}), reports(middleware.Policy{}), 200, false, [2]validate.Code{validate.ErrExpired, validate.ErrTokenMissing}},
	} {
		w.events.take()
		saw := &sight{}
		rec := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodGet, "/orders", nil)
		r.Header.Set("Authorization", "Bearer "+c.token)
		httpauth.Protect(w.strict, c.outer)(onMux(w.strict, c.inner, saw)).ServeHTTP(rec, r)
		if rec.Code != c.status || (saw.token != nil) != c.seen || (saw.runs == 1) != (c.status == 200) || saw.odd != "" {
			t.Errorf("%s: status %d, %+v", name, rec.Code, saw)
		}
		if e := w.events.take(); len(e) != 2 || e[0].Code != c.codes[0] || e[1].Code != c.codes[1] {
			t.Errorf("%s: %+v", name, e)
		}
	}
}
