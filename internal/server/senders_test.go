package server

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bearward/bearward/bearwardtest"
	"github.com/bearward/bearward/internal/prove"
)

const proven = `public_url: https://api.example.test
forward_headers: {X-Auth-Subject: sub}
rules:
  - {match: "/read", scopes: [read]}
  - {match: "/dpop", binding: dpop}
  - {match: "/nonce", binding: dpop, nonce: required}
  - {match: "/adaptive", nonce: adaptive}
  - {match: "/bearer", schemes: [bearer]}
  - {match: "/open", public: true}
`

// holder is a client with a key, and a token that is bound to it.
type holder struct {
	*served
	key   *prove.Key
	token string
}

func (s *served) holder() *holder {
	s.t.Helper()
	key, err := prove.NewKey("")
	if err != nil {
		s.t.Fatal(err)
	}
	return &holder{s, key, s.bound("jkt", key.Thumbprint())}
}

// bound is a token with a member of cnf.
func (s *served) bound(method, value string) string {
	s.t.Helper()
	return s.issuer.JWT(bearwardtest.Claims{Scope: "read", Extra: map[string]any{"cnf": map[string]any{method: value}}})
}

// proof is a field with one for a request to the path now.
func (h *holder) proof(method, path, nonce string) string {
	h.t.Helper()
	proof, err := h.key.Sign(prove.Claims{Method: method, URL: "https://api.example.test" + path, Token: h.token, Nonce: nonce, Time: h.clock.Now()})
	if err != nil {
		h.t.Fatal(err)
	}
	return "DPoP: " + proof
}

// get asks with a proof that has the nonce.
func (h *holder) get(path, nonce string, fields ...string) answer {
	h.t.Helper()
	return h.ask("GET", path, append(fields, "Authorization: DPoP "+h.token, h.proof("GET", path, nonce))...)
}

// nonce is that of an answer, which has one at most.
func nonce(t *testing.T, a answer) string {
	t.Helper()
	values := a.Header.Values("Dpop-Nonce")
	switch len(values) {
	case 0:
		return ""
	case 1:
		if a.Header.Get("Cache-Control") != "no-store" || len(a.Header.Values("Cache-Control")) != 1 { // [DP-26]
			t.Errorf("a nonce that may be cached: %q", a.Header.Values("Cache-Control"))
		}
		return values[0]
	}
	t.Errorf("%d nonces", len(values)) // [ER-20]
	return values[0]
}

// refused wants a status and, in the challenge of a scheme, an error.
func refused(t *testing.T, name string, a answer, status int, scheme, code string) {
	t.Helper()
	for _, c := range a.Header.Values("Www-Authenticate") {
		if strings.HasPrefix(c, scheme+" ") && strings.Contains(c, `error="`+code+`"`) && a.StatusCode == status {
			return
		}
	}
	t.Errorf("%s: got %d %q, want %d %s %s", name, a.StatusCode, a.Header.Values("Www-Authenticate"), status, scheme, code)
}

func TestDPoP(t *testing.T) { // [DP-01 TR-13]
	s := serve(t, echo, "dpop: {}\n"+proven)
	h := s.holder()
	for _, path := range []string{"/read", "/dpop"} {
		proof := h.proof("GET", path, "")
		a := s.ask("GET", path+"?query", "Authorization: DPoP "+h.token, proof)
		if a.StatusCode != 200 || !slices.Contains(lines(a), "X-Auth-Subject: user-1") || nonce(t, a) != "" {
			t.Errorf("%s: got %d %v %s", path, a.StatusCode, a.Header, a.body)
		}
		for _, not := range []string{"Authorization", "Dpop", h.token} {
			if strings.Contains(a.body, not) {
				t.Errorf("%s: the upstream sees %s", path, not)
			}
		}
		refused(t, "replay", s.ask("GET", path, "Authorization: DPoP "+h.token, proof), 401, "DPoP", "invalid_dpop_proof") // [DP-20 DP-21]
	}
	as := "Authorization: DPoP " + h.token
	refused(t, "no proof", s.ask("GET", "/read", as), 401, "DPoP", "invalid_dpop_proof")                                                             // [DP-02]
	refused(t, "two proofs", s.ask("GET", "/read", as, h.proof("GET", "/read", ""), h.proof("GET", "/read", "")), 401, "DPoP", "invalid_dpop_proof") // [DP-02]
	refused(t, "another path", s.ask("GET", "/read", as, h.proof("GET", "/dpop", "")), 401, "DPoP", "invalid_dpop_proof")                            // [DP-10]
	refused(t, "another method", s.ask("GET", "/read", as, h.proof("POST", "/read", "")), 401, "DPoP", "invalid_dpop_proof")                         // [DP-09]
	refused(t, "bound token as bearer", s.ask("GET", "/read", "Authorization: Bearer "+h.token), 401, "Bearer", "invalid_token")                     // [DP-16]
	plain := s.token("read")
	refused(t, "plain token as DPoP", s.ask("GET", "/read", "Authorization: DPoP "+plain, h.proof("GET", "/read", "")), 401, "DPoP", "invalid_token") // [DP-17]
	if a := s.ask("GET", "/read", "Authorization: Bearer "+plain, "DPoP: stray"); a.StatusCode != 200 || strings.Contains(a.body, "stray") {          // [DP-19]
		t.Errorf("a proof beside a plain token: got %d %s", a.StatusCode, a.body)
	}
	a := s.ask("GET", "/dpop", "Authorization: Bearer "+plain) // [DP-18]
	if c := a.Header.Values("Www-Authenticate"); a.StatusCode != 401 || len(c) != 1 || !strings.HasPrefix(c[0], "DPoP ") || !strings.Contains(c[0], `algs="ES256 PS256 RS256 `) {
		t.Errorf("binding: dpop with a plain token: got %d %q", a.StatusCode, c)
	}
	refused(t, "scheme not accepted", h.get("/bearer", ""), 401, "Bearer", "invalid_token")
}

// What the file says of proofs is what the guard does.
func TestDPoPSettings(t *testing.T) {
	late := func(h *holder, by time.Duration) answer {
		h.t.Helper()
		proof := h.proof("GET", "/read", "")
		h.clock.Advance(by)
		return h.ask("GET", "/read", "Authorization: DPoP "+h.token, proof)
	}
	s := serve(t, echo, "dpop: {window: 5s, future: 0s}\n"+proven)
	if a := late(s.holder(), 5*time.Second); a.StatusCode != 200 {
		t.Errorf("in the window: got %d", a.StatusCode)
	}
	refused(t, "outside of the window", late(s.holder(), 6*time.Second), 401, "DPoP", "invalid_dpop_proof") // [DP-13]
	refused(t, "from the future", late(s.holder(), -time.Second), 401, "DPoP", "invalid_dpop_proof")        // [DP-13]
	s = serve(t, echo, "dpop: {future: 1m}\n"+proven)
	if a := late(s.holder(), -time.Minute); a.StatusCode != 200 {
		t.Errorf("a minute ahead: got %d", a.StatusCode)
	}

	s = serve(t, echo, "dpop: {algorithms: [EdDSA], stray_proof: refuse}\n"+proven)
	refused(t, "algorithm", s.holder().get("/read", ""), 401, "DPoP", "invalid_dpop_proof")                         // [DP-05]
	refused(t, "stray proof", s.ask("GET", "/read", s.as("read"), "DPoP: stray"), 400, "Bearer", "invalid_request") // [DP-19]

	s = serve(t, echo, "dpop: {entries: 4}\n"+proven)
	h := s.holder()
	if a := h.get("/read", ""); a.StatusCode != 200 {
		t.Errorf("the first of a client: got %d", a.StatusCode)
	}
	if a := h.get("/read", ""); a.StatusCode != 503 { // [DP-22]
		t.Errorf("more than a quarter of the store: got %d", a.StatusCode)
	}

	s = serve(t, echo, "dpop: {enabled: false}\nrules: [{match: /read}]\n")
	refused(t, "switched off", s.ask("GET", "/read", "Authorization: Bearer "+h.token), 401, "Bearer", "invalid_token") // [DP-16]
	if a := s.holder().get("/read", ""); a.StatusCode != 401 || len(a.Header.Values("Www-Authenticate")) != 1 {
		t.Errorf("scheme DPoP while it is off: got %d %v", a.StatusCode, a.Header)
	}
}

// The URL that a proof has to name is the configured one, or what a trusted
// proxy says. Everybody else's word does not count.
func TestProofTargets(t *testing.T) { // [DP-10 DP-12]
	const open = "dpop: {}\nrules: [{match: /}]\n"
	const proxy = "trusted_proxies: [127.0.0.1]\nforwarded: "
	for _, c := range []struct {
		name, text string
		fields     []string // beside Host: api.example.test
		good, bad  string
	}{
		{"a single URL", "public_url: https://a.example/v1\n", nil, "https://a.example/v1/x", "https://a.example/x"},
		{"one of two", "public_url: [https://a.example, https://api.example.test/v1]\n", nil, "https://api.example.test/v1/x", "https://a.example/x"},
		{"none of two", "public_url: [https://a.example, https://b.example]\n", nil, "", "https://a.example/x"},
		{"on loopback", "", nil, "http://api.example.test/x", "https://api.example.test/x"},
		{"a stranger's word", "", []string{"X-Forwarded-Proto: https", "X-Forwarded-Host: evil.example"}, "http://api.example.test/x", "https://evil.example/x"},
		{
			"a proxy that is not trusted", "trusted_proxies: [192.0.2.1]\nforwarded: x-forwarded\n",
			[]string{"X-Forwarded-Proto: https", "X-Forwarded-Host: evil.example"},
			"http://api.example.test/x", "https://evil.example/x",
		},
		{"x-forwarded", proxy + "x-forwarded\n", []string{"X-Forwarded-Proto: http, https", "X-Forwarded-Host: evil.example, a.example"}, "https://a.example/x", "https://evil.example/x"},
		{"rfc7239", proxy + "rfc7239\n", []string{"Forwarded: host=evil.example;proto=https, host=a.example;proto=https"}, "https://a.example/x", "https://evil.example/x"},
		{"the other family", proxy + "rfc7239\n", []string{"X-Forwarded-Proto: https", "X-Forwarded-Host: evil.example"}, "", "https://evil.example/x"},
	} {
		s := serve(t, echo, c.text+open)
		h := s.holder()
		for url, good := range map[string]bool{c.good: true, c.bad: false} {
			if url == "" {
				continue
			}
			proof, err := h.key.Sign(prove.Claims{URL: url, Token: h.token, Time: h.clock.Now()})
			if err != nil {
				t.Fatal(err)
			}
			a := h.ask("GET", "/x", append(c.fields, "Authorization: DPoP "+h.token, "DPoP: "+proof)...)
			if got := a.StatusCode == 200; got != good || !good && a.StatusCode < 400 {
				t.Errorf("%s: a proof for %s: got %d", c.name, url, a.StatusCode)
			}
		}
	}
}

// The request line chooses neither origin nor, beside the path that rules and
// upstream see, another path for the proof.
func TestProofRequestLines(t *testing.T) { // [DP-10 DP-12]
	s := serve(t, echo, "dpop: {}\npublic_url: https://api.example.test\nrules: [{match: /}]\n")
	for target, want := range map[string]int{
		"/read":                           200,
		"/read?x=://y/admin":              200,
		"http://api.example.test/read":    200,
		"http://evil.example/read":        200, // the single public URL is what clients call
		"http://api.example.test/admin":   401,
		"http://evil.example/admin?/read": 401,
		"/admin?x=://y/read":              401,
		"x:/admin?://y/read":              400, // what could be read in two ways is no request
		"http:/admin?://y/read":           400,
		"/read#1":                         400,
		"/read#/../admin":                 400,
		"/read%3Fx":                       401,
		"/read%23x":                       401,
	} {
		h := s.holder()
		a := h.ask("GET", target, "Authorization: DPoP "+h.token, h.proof("GET", "/read", ""))
		switch want {
		case 200:
			if a.StatusCode != 200 {
				t.Errorf("%s: got %d %v", target, a.StatusCode, a.Header)
			}
		case 401:
			refused(t, target, a, 401, "DPoP", "invalid_dpop_proof")
		case 400:
			refused(t, target, a, 400, "DPoP", "invalid_request")
		}
	}
}

func TestFAPI(t *testing.T) { // [HS-03 HS-04]
	s := serve(t, echo, "fapi: true\nrevocation: {list: memory}\ndpop: {}\npublic_url: https://api.example.test\nrules: [{match: /}]\n")
	h := s.holder()
	if a := h.get("/read", ""); a.StatusCode != 200 {
		t.Errorf("bound token: got %d", a.StatusCode)
	}
	refused(t, "plain token", s.ask("GET", "/read", s.as("read")), 401, "Bearer", "invalid_token")
	if a := s.ask("GET", "/dpop"); !strings.Contains(strings.Join(a.Header.Values("Www-Authenticate"), ", "), `algs="PS256 ES256 `) {
		t.Errorf("got %v", a.Header)
	}
}

// Which nonces are asked for, where, and how they are renewed.
func TestNonces(t *testing.T) { // [DP-23 DP-25]
	s := serve(t, echo, "dpop: {}\n"+proven)
	h := s.holder()
	a := h.get("/nonce", "")
	refused(t, "without", a, 401, "DPoP", "use_dpop_nonce")
	first := nonce(t, a)
	if a := h.get("/nonce", first); a.StatusCode != 200 || nonce(t, a) != "" {
		t.Errorf("with: got %d %v", a.StatusCode, a.Header)
	}
	s.clock.Advance(4 * time.Minute)
	a = h.get("/nonce", first)
	second := nonce(t, a)
	if a.StatusCode != 200 || second == "" || second == first { // [DP-26]
		t.Errorf("one that ends soon: got %d %v", a.StatusCode, a.Header)
	}
	s.clock.Advance(2 * time.Minute)
	h.token = s.bound("jkt", h.key.Thumbprint())
	refused(t, "stale", h.get("/nonce", first), 401, "DPoP", "use_dpop_nonce")
	if a := h.get("/nonce", second); a.StatusCode != 200 {
		t.Errorf("the renewed one: got %d", a.StatusCode)
	}
	refused(t, "foreign", h.get("/nonce", "foreign"), 401, "DPoP", "use_dpop_nonce") // [DP-24]

	if a := h.get("/adaptive", ""); a.StatusCode != 200 || nonce(t, a) != "" {
		t.Errorf("adaptive, in the window: got %d %v", a.StatusCode, a.Header)
	}
	proof := h.proof("GET", "/adaptive", "")
	s.clock.Advance(2 * time.Minute)
	a = s.ask("GET", "/adaptive", "Authorization: DPoP "+h.token, proof)
	refused(t, "adaptive, outside of it", a, 401, "DPoP", "use_dpop_nonce")
	if a := h.get("/adaptive", nonce(t, a)); a.StatusCode != 200 || nonce(t, a) != "" {
		t.Errorf("adaptive, with a nonce: got %d %v", a.StatusCode, a.Header)
	}

	s = serve(t, echo, "dpop: {nonce: required}\npublic_url: https://api.example.test\nrules: [{match: /}]\n")
	refused(t, "everywhere", s.holder().get("/read", ""), 401, "DPoP", "use_dpop_nonce")
}

// dated is a handler whose answers have nonces and cache rules of their own.
func dated(w http.ResponseWriter, r *http.Request) {
	w.Header()["Dpop-Nonce"] = []string{"theirs"}
	w.Header().Set("Cache-Control", "public, max-age=60")
	switch {
	case r.URL.Path == "/read":
		w.WriteHeader(401)
	case r.URL.Query().Has("early"):
		w.Header().Set("Link", "</style.css>; rel=preload")
		w.Header().Set("Connection", "keep-alive")
		w.WriteHeader(http.StatusEarlyHints)
		w.Header().Del("Connection")
	case r.URL.Query().Has("announced"):
		w.Header().Set("Trailer", "Dpop-Nonce, X-Sum")
		defer w.Header().Set("X-Sum", "1")
	case r.URL.Query().Has("trailer"):
		w.(http.Flusher).Flush()
		defer w.Header().Set("Trailer:X-Sum", "1")
		defer w.Header().Set("Trailer:Dpop-Nonce", "theirs")
		defer w.Header().Set("Trailer:Connection", "close")
	case r.URL.Query().Has("panic"):
		panic(http.ErrAbortHandler)
	}
	echo(w, r)
}

// A fresh nonce is in the answer that the upstream gives, once, whatever else
// that says; and in ours where it gives none.
func TestNonceInAnswers(t *testing.T) { // [DP-26 ER-20]
	s := serve(t, dated, "dpop: {}\n"+proven)
	h := s.holder()
	old := nonce(t, h.get("/nonce", ""))
	s.clock.Advance(4 * time.Minute)
	for target, want := range map[string]int{"/nonce": 200, "/nonce?early": 200, "/nonce?announced": 200, "/nonce?trailer": 200, "/nonce?panic": 502} {
		path, _, _ := strings.Cut(target, "?")
		from := s.connect("GET " + target + " HTTP/1.1\r\nHost: h\r\nConnection: close\r\nAuthorization: DPoP " + h.token + "\r\n" + h.proof("GET", path, old) + "\r\n\r\n")
		a := read(t, from, "GET")
		if a.StatusCode == http.StatusEarlyHints {
			if a.Header.Get("Link") == "" || a.Header.Get("Connection") != "" || nonce(t, a) != "" {
				t.Errorf("%s: got the hint %v", target, a.Header)
			}
			a = read(t, from, "GET")
		}
		if sum := target == "/nonce?announced" || target == "/nonce?trailer"; sum != (a.Trailer.Get("X-Sum") == "1") || len(a.Trailer) > 1 {
			t.Errorf("%s: got the trailers %v", target, a.Trailer)
		}
		if fresh := nonce(t, a); a.StatusCode != want || fresh == "" || fresh == old || fresh == "theirs" {
			t.Errorf("%s: got %d %v", target, a.StatusCode, a.Header)
		}
	}
	for _, target := range []string{"/read", "/open"} { // without one of ours, theirs would be used here
		if a := h.get(target, ""); len(a.Header["Dpop-Nonce"]) != 0 || a.Header.Get("Cache-Control") != "public, max-age=60" {
			t.Errorf("%s: got %v", target, a.Header)
		}
	}
	s = serve(t, dated, "rules: [{match: /, public: true}]\n")
	if a := s.ask("GET", "/"); a.Header.Get("Dpop-Nonce") != "theirs" {
		t.Errorf("dpop is off: got %v", a.Header)
	}
}

func TestNonceOfAWebSocket(t *testing.T) { // [DP-26]
	s := serve(t, shout, "dpop: {}\n"+proven)
	h := s.holder()
	old := nonce(t, h.get("/nonce", ""))
	s.clock.Advance(4 * time.Minute)
	from, conn := s.dial("GET /nonce HTTP/1.1\r\nHost: h\r\nAuthorization: DPoP " + h.token + "\r\n" + h.proof("GET", "/nonce", old) +
		"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	resp, err := http.ReadResponse(from, nil)
	if err != nil {
		t.Fatal(err)
	}
	if fresh := nonce(t, answer{resp, ""}); resp.StatusCode != 101 || fresh == "" || fresh == old {
		t.Errorf("got %d %v", resp.StatusCode, resp.Header)
	}
	_, _ = conn.Write([]byte("word\n"))
	if line, err := from.ReadString('\n'); err != nil || line != "WORD\n" {
		t.Errorf("got %q %v", line, err)
	}
}

// upstream is the URL of one that echoes.
func upstream(t *testing.T) string {
	t.Helper()
	behind := httptest.NewServer(http.HandlerFunc(echo))
	t.Cleanup(behind.Close)
	return behind.URL
}
