package doctor

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/bearward/bearward/internal/issuer"
)

// asked is the text of a file in mode forward-auth.
func (s *scene) asked(t *testing.T) string {
	t.Helper()
	text := s.text(start(t, issuer.Config{}).URL())
	text = strings.Replace(text, "mode: proxy\nupstream: "+s.upstream, "mode: forward-auth\ntrusted_proxies: [127.0.0.0/8]\nforward_auth: {headers: x-forwarded}", 1)
	return text
}

// behind examines a file through a proxy that asks its server.
func (s *scene) behind(t *testing.T, text string, a *asker) Report {
	t.Helper()
	a.auth = serving(t, text)
	if a.upstream == "" {
		a.upstream = s.upstream
	}
	return s.examine(text, Options{Via: inFront(t, a)})
}

// fronts are mistakes of proxies, each with what finds it and words of its fix.
var fronts = []struct {
	name  string
	plant func(*testing.T, *scene) Report
	found *Kind
	words []string
}{
	{"a proxy that asks", func(t *testing.T, s *scene) Report {
		s.top = "forward_headers: {X-Auth-Subject: sub}\n"
		s.upstream = echoes(t)
		r := s.behind(t, s.asked(t), &asker{})
		healthy(t, r)
		return r
	}, viaFine, nil},
	{"a proxy that asks in the other family", func(t *testing.T, s *scene) Report {
		r := s.behind(t, strings.Replace(s.asked(t), "headers: x-forwarded", "headers: x-original", 1), &asker{family: "X-Original-"})
		healthy(t, r)
		return r
	}, viaForgedFine, nil},
	{"a proxy that asks as Envoy does", func(t *testing.T, s *scene) Report {
		s.top = "forward_headers: {X-Auth-Subject: sub}\nadmin: 127.0.0.1:0\n"
		text := strings.Replace(strings.Replace(s.asked(t), "mode: forward-auth", "mode: ext-authz", 1), "forward_auth: {headers: x-forwarded}", "", 1)
		api, admin := served(t, text)
		r := s.examine(text, Options{Via: inFront(t, &asker{auth: api, documents: admin, same: true, upstream: echoes(t)})})
		healthy(t, r)
		return r
	}, viaForgedFine, nil},
	{"the document of challenges", func(t *testing.T, s *scene) Report { return s.behind(t, s.asked(t), &asker{}) }, viaDocument, nil},
	{"the server itself", func(t *testing.T, s *scene) Report {
		s.top = "forward_headers: {X-Auth-Subject: sub}\n"
		s.upstream = echoes(t)
		text := s.text(start(t, issuer.Config{}).URL())
		r := s.examine(text, Options{Via: serving(t, text)})
		healthy(t, r)
		return r
	}, viaFine, nil},
	{"an upstream that shows nothing", func(t *testing.T, s *scene) Report { return s.behind(t, s.asked(t), &asker{}) }, viaNoEcho, nil},

	{"no URL", func(t *testing.T, s *scene) Report { return s.examine(s.asked(t), Options{Via: "api.example.test"}) }, viaURL, []string{"--via https://"}},
	{"no authorities", func(t *testing.T, s *scene) Report {
		return s.examine(s.asked(t), Options{Via: "https://api.example.test", ViaCA: "none.pem"})
	}, viaURL, []string{"none.pem"}},
	{"plain http for everybody", func(t *testing.T, s *scene) Report { return s.examine(s.asked(t), Options{Via: "http://8.8.8.8"}) }, viaPlain, []string{"https"}},
	{"an authority of one's own in front", func(t *testing.T, s *scene) Report { return s.examine(s.asked(t), Options{Via: secure(t).URL}) }, authority, []string{"--via-ca"}},
	{"public rules only", func(t *testing.T, s *scene) Report {
		s.rules = "  - {match: /, public: true}\n"
		return s.behind(t, s.asked(t), &asker{})
	}, viaNoRule, nil},
	{"reports only", func(t *testing.T, s *scene) Report {
		s.top = "report_only: true\n"
		return s.behind(t, s.asked(t), &asker{})
	}, viaNoRule, nil},
	{"a server that does not answer", func(t *testing.T, s *scene) Report {
		hang := make(chan struct{})
		slow := listening(t, func(_ http.ResponseWriter, r *http.Request) {
			select {
			case <-hang:
			case <-r.Context().Done():
			}
		})
		t.Cleanup(func() { close(hang) })
		return s.examine(s.asked(t), Options{Via: slow, Timeout: 500 * time.Millisecond})
	}, tooSlow, []string{"--timeout"}},
	{"another public URL", func(t *testing.T, s *scene) Report {
		s.top = "dpop: {}\npublic_url: https://api.example.test\n"
		return s.behind(t, s.asked(t), &asker{})
	}, viaPublic, []string{"public_url: http://127.0.0.1:"}},

	{"no server behind the proxy", func(t *testing.T, s *scene) Report {
		a := &asker{auth: "http://" + closedPort(t), upstream: s.upstream}
		return s.examine(s.asked(t), Options{Via: inFront(t, a)})
	}, viaAway, []string{"bearward serve", "127.0.0.1:0"}},
	{"a location that is not asked about", func(t *testing.T, s *scene) Report {
		return s.behind(t, s.asked(t), &asker{unasked: func(r *http.Request) bool { return r.URL.Path == "/read" }})
	}, viaOpen, []string{"auth_request"}},
	{"all other locations are not asked about", func(t *testing.T, s *scene) Report {
		return s.behind(t, s.asked(t), &asker{unasked: func(r *http.Request) bool { return r.URL.Path != "/read" }})
	}, viaLeak, []string{"every location"}},
	{"trusted_proxies is another proxy", func(t *testing.T, s *scene) Report {
		return s.behind(t, strings.Replace(s.asked(t), "127.0.0.0/8", "10.0.0.0/8", 1), &asker{})
	}, viaUntold, []string{"trusted_proxies"}},
	{"a challenge that is eaten", func(t *testing.T, s *scene) Report {
		return s.behind(t, s.asked(t), &asker{challenge: func(h http.Header) { h.Del(challengeName) }})
	}, viaEaten, []string{"auth_request_set"}},
	{"one line of two", func(t *testing.T, s *scene) Report {
		s.top = "dpop: {}\n"
		return s.behind(t, s.asked(t), &asker{challenge: func(h http.Header) { h[challengeName] = h[challengeName][:min(1, len(h[challengeName]))] }})
	}, viaOneLine, []string{"forward_auth: {single_line_challenge: true}"}},
	{"a challenge of the proxy", func(t *testing.T, s *scene) Report {
		return s.behind(t, s.asked(t), &asker{challenge: func(h http.Header) { h.Set(challengeName, `Basic realm="proxy"`) }})
	}, viaForeign, nil},
	{"a status of the proxy", func(t *testing.T, s *scene) Report {
		return s.behind(t, s.asked(t), &asker{status: func(int) int { return http.StatusNotFound }})
	}, viaStatus, nil},
	{"a page to sign in", func(t *testing.T, s *scene) Report {
		return s.behind(t, s.asked(t), &asker{instead: func(w http.ResponseWriter) {
			w.Header().Set("Location", "https://login.example.test/")
			w.WriteHeader(http.StatusFound)
		}})
	}, viaRedirect, []string{"https://login.example.test/"}},
	{"500 for 400", func(t *testing.T, s *scene) Report {
		return s.behind(t, s.asked(t), &asker{status: func(status int) int {
			if status != 401 && status != 403 {
				return http.StatusInternalServerError
			}
			return status
		}})
	}, viaBroken, []string{"forward_auth: {status_for_400: 401}"}},
	{"one Authorization of two", func(t *testing.T, s *scene) Report {
		return s.behind(t, s.asked(t), &asker{client: func(r *http.Request) {
			if all := r.Header["Authorization"]; len(all) > 1 {
				r.Header["Authorization"] = all[:1]
			}
		}})
	}, viaMerged, []string{"both lines"}},

	{"the client's X-Forwarded-Host", func(t *testing.T, s *scene) Report {
		return s.behind(t, s.asked(t), &asker{set: []string{"Method", "Uri", "Proto"}})
	}, viaForged, []string{"X-Forwarded-Host", "proxy_set_header"}},
	{"the client's X-Original-Method", func(t *testing.T, s *scene) Report {
		sent := ""
		text := strings.Replace(s.asked(t), "headers: x-forwarded", "headers: x-original", 1)
		return s.behind(t, text, &asker{
			family: "X-Original-",
			client: func(r *http.Request) { sent = r.Header.Get("X-Original-Method") },
			question: func(q *http.Request) {
				if sent != "" {
					q.Header.Set("X-Original-Method", sent)
				}
			},
		})
	}, viaForged, []string{"X-Original-Method"}},
	{"the client's whole family", func(t *testing.T, s *scene) Report {
		return s.behind(t, s.asked(t), &asker{family: "X-Original-"})
	}, viaForged, []string{"X-Forwarded-*"}},
	{"a proxy that drops what it does not know", func(t *testing.T, s *scene) Report {
		r := s.behind(t, s.asked(t), &asker{client: func(r *http.Request) {
			if r.Header.Get("X-Original-Host") != "" {
				panic(http.ErrAbortHandler)
			}
		}})
		if strings.Contains(r.String(), viaForgedFine.Name) {
			t.Errorf("silence is a pass:\n%s", r)
		}
		return r
	}, viaSilent, []string{"2 of"}},
	{"a host for proofs", func(t *testing.T, s *scene) Report {
		s.top = "dpop: {}\nforwarded: x-forwarded\ntrusted_proxies: [127.0.0.0/8]\n"
		text := s.text(start(t, issuer.Config{}).URL())
		return s.examine(text, Options{Via: serving(t, text)})
	}, viaHostUntold, []string{"public_url"}},
	{"the client's certificate header", func(t *testing.T, s *scene) Report {
		s.top = "client_cert_header: {name: Client-Cert, format: rfc9440}\n"
		return s.behind(t, s.asked(t), &asker{})
	}, viaCertificate, []string{"Client-Cert", "proxy_set_header"}},
	{"the client's certificate header, where 400 is 401", func(t *testing.T, s *scene) Report {
		s.top = "client_cert_header: {name: Client-Cert, format: rfc9440}\n"
		text := strings.Replace(s.asked(t), "{headers: x-forwarded}", "{headers: x-forwarded, status_for_400: 401}", 1)
		return s.behind(t, text, &asker{})
	}, viaCertificate, []string{"401 invalid_request", "401 invalid_token"}},
	{"a certificate header of the proxy", func(t *testing.T, s *scene) Report {
		s.top = "client_cert_header: {name: Client-Cert, format: rfc9440}\n"
		r := s.behind(t, s.asked(t), &asker{client: func(r *http.Request) { r.Header.Del("Client-Cert") }})
		healthy(t, r)
		return r
	}, viaFine, nil},
	{"the client's identity headers", func(t *testing.T, s *scene) Report {
		s.top = "forward_headers: {X-Auth-Subject: sub}\n"
		return s.behind(t, s.asked(t), &asker{upstream: echoes(t), hides: []string{"X-Auth-Subject", "X_Auth_Subject"}, leaks: true})
	}, viaIdentity, []string{"X-Auth-Subject"}},
	{"identity headers that cannot be seen", func(t *testing.T, s *scene) Report {
		s.top = "forward_headers: {X-Auth-Subject: sub}\n"
		s.rules = "  - {match: /, scopes: [read]}\n"
		r := s.behind(t, s.asked(t), &asker{})
		healthy(t, r)
		return r
	}, viaBehindUnseen, []string{"X-Auth-Subject"}},
	{"the client's tokens for the upstream", func(t *testing.T, s *scene) Report {
		return s.behind(t, s.asked(t), &asker{upstream: echoes(t), leaks: true})
	}, viaTokens, []string{"proxy_set_header Authorization"}},
	{"no document", func(t *testing.T, s *scene) Report {
		return s.behind(t, s.asked(t), &asker{metadata: true})
	}, viaNoDocument, []string{"/.well-known/oauth-protected-resource"}},
	{"another document", func(t *testing.T, s *scene) Report {
		other := listening(t, func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"resource":"https://other.example.test"}`)
		})
		return s.behind(t, s.asked(t), &asker{documents: other})
	}, viaNoDocument, nil},
	{"rules that tell nothing come first", func(t *testing.T, s *scene) Report {
		s.rules = "  - {match: /maybe, optional: true}\n  - {match: /dry, report_only: true}\n  - {match: \"/{any...}\", hide: true}\n  - {match: \"GET /{$}\"}\n" + s.rules
		return s.behind(t, s.asked(t), &asker{})
	}, viaFine, nil},
	{"no preflight", func(t *testing.T, s *scene) Report {
		return s.behind(t, s.asked(t), &asker{hides: []string{"Access-Control-Request-Method"}})
	}, viaPreflight, []string{"Access-Control-Request-Method"}},
}

// TestFronts: each mistake of a proxy is found, and its fix is named.
func TestFronts(t *testing.T) {
	for _, f := range fronts {
		t.Run(f.name, func(t *testing.T) { expect(t, f.plant(t, newScene(t)), f.found, f.words...) })
	}
}
