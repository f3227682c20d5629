package server

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/bearward/bearward/bearwardtest"
	"github.com/bearward/bearward/internal/issuer"
	"github.com/bearward/bearward/internal/prove"
	"github.com/bearward/bearward/internal/server/config"
	"github.com/bearward/bearward/middleware"
	"github.com/bearward/bearward/validate"
)

// metric is the value of a series now.
func (s *served) metric(series string) string {
	s.t.Helper()
	_, body := s.state("/metrics")
	for line := range strings.Lines(body) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), series+" "); ok {
			return value
		}
	}
	return ""
}

// TestMetrics: what happens is counted where it happens.
func TestMetrics(t *testing.T) {
	s := serve(t, echo, "dpop: {enabled: true, nonce: required, entries: 10}\npublic_url: https://api.example.test\n"+rules)
	s.loaded()
	name := strings.TrimPrefix(s.issuer.URL, "http://")
	token := s.as("read")
	for range 3 {
		s.ask("GET", "/read", token)
	}
	s.ask("GET", "/read", s.as("other"))
	s.ask("GET", "/read")
	s.ask("GET", "/nowhere", token)
	s.ask("GET", "/open/x", token)
	s.ask("GET", "/read", "Authorization: Bearer "+s.issuer.Wrong("unknown-kid"))
	s.ask("GET", "/read", "Authorization: Bearer "+s.issuer.Wrong("unknown-kid"))
	h := s.holder()
	nonce := h.get("/read", "").Header.Get("Dpop-Nonce")
	if a := h.get("/read", nonce); a.StatusCode != 200 {
		t.Fatalf("got %d", a.StatusCode)
	}
	decided := func(code, class, issuer string) string {
		return fmt.Sprintf("bearward_decisions_total{class=%q,code=%q,issuer=%q,report_only=\"false\"}", class, code, issuer)
	}
	for series, want := range map[string]string{
		decided("accepted", "accepted", name):                             "4",
		decided("accepted", "accepted", "none"):                           "1", // public
		decided("scope_missing", "missing_scope", name):                   "1",
		decided("token_missing", "no_token", "none"):                      "1",
		decided("route_denied", "forbidden", "none"):                      "1",
		decided("key_unknown", "bad_token", name):                         "2",
		decided("nonce_missing", "use_nonce", name):                       "1",
		"bearward_dpop_nonce_challenges_total":                            "1",
		`bearward_jwks_usable{issuer="` + name + `"}`:                     "1",
		`bearward_jwks_fetches_total{issuer="` + name + `"}`:              "2",
		`bearward_jwks_refetches_suppressed_total{issuer="` + name + `"}`: "1",
		"bearward_cache_hits_total":                                       "3",
		"bearward_cache_capacity":                                         "100000",
		"bearward_replay_entries":                                         "1",
		"bearward_replay_capacity":                                        "10",
		`bearward_decision_duration_seconds_count{accepted="true"}`:       "5",
		"bearward_config_last_reload_successful":                          "1",
	} {
		if got := s.metric(series); got != want {
			t.Errorf("%s is %q, want %s", series, got, want)
		}
	}
	for _, series := range []string{"go_goroutines", "process_start_time_seconds", "bearward_config_loaded_timestamp_seconds"} {
		if s.metric(series) == "" {
			t.Errorf("%s is missing", series)
		}
	}
	if a := s.ask("GET", "/metrics"); a.StatusCode != 403 {
		t.Errorf("the API shows metrics: %d", a.StatusCode)
	}
}

// TestMetricsOfIntrospection are there where somebody is asked.
func TestMetricsOfIntrospection(t *testing.T) {
	a := inquire(t, issuer.Config{}, basic)
	a.loaded()
	name := strings.TrimPrefix(a.server.URL(), "http://")
	token := a.opaque()
	for range 2 {
		a.ask("GET", "/read", "Authorization: Bearer "+token)
	}
	a.ask("GET", "/read", "Authorization: Bearer nobody")
	for series, want := range map[string]string{
		`bearward_introspection_calls_total{issuer="%s",outcome="active"}`:   "1",
		`bearward_introspection_calls_total{issuer="%s",outcome="inactive"}`: "1",
		`bearward_introspection_cache_hits_total{issuer="%s"}`:               "1",
		`bearward_introspection_breaker_open{issuer="%s"}`:                   "0",
	} {
		if got := a.metric(fmt.Sprintf(series, name)); got != want {
			t.Errorf("%s is %q, want %s", series, got, want)
		}
	}
}

// explained is what POST /explain says.
func (s *served) explained(body string, header ...string) (int, middleware.Report, string) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, "http://"+s.admin+"/explain", strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(header); i += 2 {
		if header[i] == "Host" {
			r.Host = header[i+1]
		}
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	var report middleware.Report
	if resp.StatusCode == http.StatusOK {
		if err := json.Unmarshal(text, &report); err != nil {
			s.t.Errorf("%s: %v", text, err)
		}
	}
	return resp.StatusCode, report, string(text)
}

// TestExplain: the report is about the rule that the request would meet, and
// nothing is spent, counted or logged.
func TestExplain(t *testing.T) {
	log := &notes{}
	s := serve(t, echo, "dpop: {enabled: true}\npublic_url: https://api.example.test\nreport_only: false\n"+rules, log.log)
	s.loaded()
	body := func(method, url, scheme, token string) string {
		return fmt.Sprintf(`{"method": %q, "url": %q, "headers": {"authorization": [%q]}}`, method, url, scheme+" "+token)
	}
	read, write := s.token("read"), s.token("write")
	for name, c := range map[string]struct {
		body    string
		allowed bool
		code    validate.Code
		status  int
	}{
		"accepted":  {body("GET", "/read?x=1", "Bearer", read), true, "", 200},
		"a URL":     {body("GET", "https://api.example.test/read", "Bearer", read), true, "", 200},
		"no method": {fmt.Sprintf(`{"url": "/read", "headers": {"Authorization": ["Bearer %s"]}}`, read), true, "", 200},
		"scope":     {body("POST", "/read", "Bearer", read), false, validate.ErrScopeMissing, 403},
		"implied":   {body("GET", "/read", "Bearer", write), true, "", 200},
		"no token":  {`{"url": "/read"}`, false, validate.ErrTokenMissing, 401},
		"public":    {`{"url": "/open/x"}`, true, "", 200},
		"no rule":   {body("GET", "/nowhere", "Bearer", read), false, validate.ErrRouteDenied, 403},
		"ambiguous": {body("GET", "/open/%2e%2e/read", "Bearer", read), false, validate.ErrTargetMalformed, 400},
		"preflight": {`{"method": "OPTIONS", "url": "/read", "headers": {"Origin": ["https://a.test"], "Access-Control-Request-Method": ["POST"]}}`, true, "", 200},
		"expired":   {body("GET", "/read", "Bearer", s.issuer.Wrong("expired")), false, validate.ErrExpired, 401},
	} {
		status, report, text := s.explained(c.body)
		if status != 200 || report.Allowed != c.allowed || report.Code != c.code || report.Status != c.status || len(report.Rules) == 0 || report.Rules[0].Rule != "route" {
			t.Errorf("%s: %d %s", name, status, text)
		}
		for _, secret := range []string{read, write, strings.Split(read, ".")[2]} {
			if strings.Contains(text, secret) {
				t.Errorf("%s: the report shows the token", name)
			}
		}
	}
	h := s.holder()
	proof, err := h.key.Sign(prove.Claims{Method: "GET", URL: "https://api.example.test/read", Token: h.token, Time: h.clock.Now()})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, report, text := s.explained(fmt.Sprintf(`{"url": "/read", "headers": {"Authorization": ["DPoP %s"], "DPoP": [%q]}}`, h.token, proof)); !report.Allowed {
			t.Errorf("a proof: %s", text)
		}
	}
	if strings.Contains(log.String(), "refused") || s.metric(`bearward_decisions_total{class="no_token",code="token_missing",issuer="none",report_only="false"}`) != "" {
		t.Errorf("an explanation is logged or counted: %s", log)
	}
}

// TestExplainAsked: in modes that cannot remove headers, what they refuse is in the
// report.
func TestExplainAsked(t *testing.T) {
	for _, mode := range []string{"forward-auth", "ext-authz"} {
		rest := rules
		if mode == "forward-auth" {
			rest = "forward_auth: {headers: x-original}\n" + rules
		}
		s := asks(t, mode, rest)
		for header, want := range map[string]validate.Code{"X-Auth-Subject": validate.ErrForgedIdentity, "X-HTTP-Method-Override": validate.ErrOverride, "X-Other": ""} {
			_, report, text := s.explained(fmt.Sprintf(`{"url": "/open/a", "headers": {%q: ["x"]}}`, header))
			if report.Code != want || report.Allowed != (want == "") || report.Status != map[validate.Code]int{validate.ErrForgedIdentity: 403, validate.ErrOverride: 400, "": 200}[want] {
				t.Errorf("%s, %s: %s", mode, header, text)
			}
		}
	}
}

// TestExplainRefuses what is no description, and what a web page could send.
func TestExplainRefuses(t *testing.T) {
	s := serve(t, echo, rules)
	for name, c := range map[string]struct {
		body   string
		header []string
		status int
	}{
		"not JSON":           {`{`, nil, 400},
		"unknown member":     {`{"url": "/", "token": "x"}`, nil, 400},
		"two documents":      {`{"url": "/"}{"url": "/"}`, nil, 400},
		"no url":             {`{}`, nil, 400},
		"relative":           {`{"url": "read"}`, nil, 400},
		"another scheme":     {`{"url": "ftp://a.test/read"}`, nil, 400},
		"a user":             {`{"url": "https://u:p@a.test/read"}`, nil, 400},
		"a fragment":         {`{"url": "/read#x"}`, nil, 400},
		"no certificate":     {`{"url": "/read", "certificate": "x"}`, nil, 400},
		"a bad certificate":  {`{"url": "/read", "certificate": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"}`, nil, 400},
		"no address":         {`{"url": "/read", "peer": "localhost"}`, nil, 400},
		"too large":          {`{"url": "/read", "method": "` + strings.Repeat("x", 70<<10) + `"}`, nil, 400},
		"a form":             {`{"url": "/"}`, []string{"Content-Type", "text/plain"}, 403},
		"of a page":          {`{"url": "/"}`, []string{"Origin", "https://a.test"}, 403},
		"by another name":    {`{"url": "/"}`, []string{"Host", "rebound.example.test"}, 403},
		"a path alone":       {`{"url": "/"}`, nil, 200},
		"a URL without path": {`{"url": "https://a.test"}`, nil, 200},
		"a URL with a query": {`{"url": "https://a.test?x"}`, nil, 200},
	} {
		if status, _, text := s.explained(c.body, c.header...); status != c.status {
			t.Errorf("%s: %d %s", name, status, text)
		}
	}
}

// TestAdminElsewhere: what is for this machine only is not there on an address
// that others reach.
func TestAdminElsewhere(t *testing.T) {
	a := &admin{metrics: http.NotFoundHandler(), logger: slog.New(slog.DiscardHandler)}
	for _, path := range []string{"/explain", "/debug/pprof/", "/debug/pprof/heap"} {
		for _, method := range []string{"GET", "POST"} {
			if rec := answerOf(a.handler(), method, path); rec != 404 {
				t.Errorf("%s %s: %d", method, path, rec)
			}
		}
	}
	a.pprof = true
	for path, want := range map[string]int{"/debug/pprof/": 200, "/debug/pprof/heap": 200, "/debug/pprof/cmdline": 200, "/debug/pprof/none": 404} {
		if rec := answerOf(a.handler(), "GET", "http://127.0.0.1:1"+path); rec != want {
			t.Errorf("%s: %d", path, rec)
		}
		if rec := answerOf(a.handler(), "GET", "http://rebound.example.test"+path); rec != 403 {
			t.Errorf("%s by another name: %d", path, rec)
		}
	}
}

func answerOf(h http.Handler, method, url string) int {
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, httptest.NewRequest(method, url, nil))
	return rec.Code
}

// TestMetricsOutliveReloads: what was counted stays, and the next generation
// counts on, also about an issuer that is new.
func TestMetricsOutliveReloads(t *testing.T) {
	first, second := bearwardtest.NewIssuer(t), bearwardtest.NewIssuer(t)
	named := func(issuer *bearwardtest.Issuer, name string) *config.File {
		file := parse(t, issuer.URL, "http://127.0.0.1:1", rules)
		file.Issuers[0].Name = name
		return file
	}
	old, err := New(t.Context(), named(first, "one"), quiet)
	if err != nil {
		t.Fatal(err)
	}
	next, err := old.next(t.Context(), named(second, "two"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		s      *Service
		issuer *bearwardtest.Issuer
	}{{old, first}, {old, first}, {next, second}} {
		in := middleware.Request{Method: "GET", RawPath: "/read", Header: http.Header{"Authorization": {"Bearer " + c.issuer.JWT(bearwardtest.Claims{Scope: "read"})}}}
		if _, v := c.s.judge(t.Context(), in, true); !v.Allowed {
			t.Error(v.Err)
		}
	}
	if err := old.retire(); err != nil {
		t.Error(err)
	}
	rec := httptest.NewRecorder()
	next.metrics.Handler().ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	for _, want := range []string{`issuer="one",report_only="false"} 2`, `issuer="two",report_only="false"} 1`} {
		if !strings.Contains(rec.Body.String(), `bearward_decisions_total{class="accepted",code="accepted",`+want) {
			t.Errorf("%s is not in %s", want, rec.Body.String())
		}
	}
	if err := next.Close(); err != nil {
		t.Error(err)
	}
}

// FuzzExplain: whatever is described, there is a report or a complaint.
func FuzzExplain(f *testing.F) {
	for _, body := range []string{
		`{"url": "/read"}`, `{"method": "OPTIONS", "url": "https://a.test/x?y", "headers": {"Origin": ["a"], "Access-Control-Request-Method": ["PUT"]}, "peer": "::1"}`,
		`{"url": "/read", "headers": {"authorization": ["Bearer a.b.c"], "Authorization": ["DPoP x"], "dpop": ["y"]}, "certificate": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"}`,
	} {
		f.Add([]byte(body))
	}
	file, err := config.Parse("serve.yaml", []byte("listen: 127.0.0.1:0\nadmin: 127.0.0.1:0\nmode: proxy\nupstream: http://127.0.0.1:1\nresource: "+resource+
		"\ndpop: {enabled: true}\nissuers: [{issuer: \"https://login.example.test\"}]\n"+rules))
	if err != nil {
		f.Fatal(err)
	}
	s, err := New(f.Context(), file, quiet)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = s.Close() })
	a := &admin{enter: func() (*generation, func()) { return &generation{Service: s}, func() {} }, logger: quiet}
	f.Fuzz(func(t *testing.T, body []byte) {
		rec := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1:1/explain", bytes.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		a.explain(rec, r)
		switch rec.Code {
		case http.StatusBadRequest:
		case http.StatusOK:
			var report middleware.Report
			if err := json.Unmarshal(rec.Body.Bytes(), &report); err != nil || len(report.Rules) == 0 || report.Allowed != (report.Code == "") {
				t.Errorf("%s: %v", rec.Body, err)
			}
		default:
			t.Errorf("status %d", rec.Code)
		}
	})
}
