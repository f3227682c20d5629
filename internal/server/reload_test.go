package server

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/bearward/bearward/bearwardtest"
	"github.com/bearward/bearward/internal/server/config"
	"github.com/bearward/bearward/validate"
)

// reloading is a server whose file can change.
type reloading struct {
	*served
	path, head string
	hangup     chan os.Signal
	ticks      chan time.Time
	turns      chan struct{} // one each time the server has done what it was asked for
	log        notes
	runner     *runner
}

// reload starts a server in front of upstream. Its file ends with rest.
func reload(t *testing.T, upstream http.HandlerFunc, rest string) *reloading {
	t.Helper()
	behind := httptest.NewServer(upstream)
	t.Cleanup(behind.Close)
	iss := bearwardtest.NewIssuer(t)
	r := &reloading{path: filepath.Join(t.TempDir(), "serve.yaml"), hangup: make(chan os.Signal), ticks: make(chan time.Time), turns: make(chan struct{}, 1000)}
	r.head = fmt.Sprintf("listen: 127.0.0.1:0\nadmin: 127.0.0.1:0\nmode: proxy\nupstream: %s\nresource: %s\n", behind.URL, resource)
	r.write(t, oneIssuer(iss)+rest)
	file, err := config.Load(r.path)
	if err != nil {
		t.Fatal(err)
	}
	r.runner = &runner{grace: 10 * time.Second, hangup: r.hangup, tick: func(time.Duration) <-chan time.Time {
		r.turns <- struct{}{}
		return r.ticks
	}}
	r.runner.see(file)
	r.served = startWith(t, iss.Clock, file, r.runner, r.log.log)
	r.issuer = iss
	<-r.turns
	return r
}

func oneIssuer(iss *bearwardtest.Issuer) string {
	return fmt.Sprintf("issuers:\n  - {issuer: \"%s\", allow_http: true}\n", iss.URL)
}

// write replaces the file, from issuers on.
func (r *reloading) write(t *testing.T, rest string) {
	place(t, filepath.Dir(r.path), "serve.yaml", r.head+rest)
}

// hup reloads and returns what was logged meanwhile.
func (r *reloading) hup() string {
	r.t.Helper()
	return r.logged(func() { r.hangup <- syscall.SIGHUP })
}

// look lets the server look at the files once.
func (r *reloading) look() string {
	r.t.Helper()
	return r.logged(func() { r.ticks <- time.Time{} })
}

func (r *reloading) logged(ask func()) string {
	before := len(r.log.String())
	ask()
	<-r.turns
	return r.log.String()[before:]
}

// change reloads with another file, which has no fault.
func (r *reloading) change(rest string) {
	r.t.Helper()
	r.write(r.t, rest)
	if log := r.hup(); !strings.Contains(log, "the configuration was reloaded") {
		r.t.Fatalf("not reloaded: %s", log)
	}
}

// caches counts the token caches that are there.
func caches() int {
	stacks := make([]byte, 4<<20)
	return bytes.Count(stacks[:runtime.Stack(stacks, true)], []byte("ristretto/v2.(*Cache[...]).processItems("))
}

// While requests are made in parallel, ten reloads change the rules and what the
// upstream is told: each answer is all by one file or all by the other, none is
// lost, and nothing is left of what was replaced.
func TestReloadUnderLoad(t *testing.T) {
	files := [2]string{
		"rules: [{match: \"GET /read\", scopes: [read]}]\nforward_headers: {X-Auth-Subject: sub}\n",
		"rules: [{match: \"GET /read\", any_scope: [read, write]}]\nforward_headers: {X-Auth-Client: client_id}\n",
	}
	s := reload(t, echo, files[0])
	s.loaded()
	before := caches()
	token := s.as("read")
	want := [2]string{"X-Auth-Subject: user-1", "X-Auth-Client: client-1"}
	done := make(chan struct{})
	var all sync.WaitGroup
	var mu sync.Mutex
	var seen [2]int
	all.Go(func() {
		for {
			select {
			case <-s.expire: // no token expires here
			case <-done:
				return
			}
		}
	})
	for range 4 {
		all.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				a := s.ask("GET", "/read", token)
				var by [2]bool
				for n := range by {
					by[n] = slices.Contains(lines(a), want[n])
				}
				if a.StatusCode != 200 || by[0] == by[1] {
					t.Errorf("got %d %s", a.StatusCode, a.body)
					return
				}
				mu.Lock()
				for n := range by {
					if by[n] {
						seen[n]++
					}
				}
				mu.Unlock()
			}
		})
	}
	for n := range 10 {
		for mark := counted(&mu, &seen, n%2); counted(&mu, &seen, n%2) == mark && !t.Failed(); { // somebody was served by it
			runtime.Gosched()
		}
		s.change(oneIssuer(s.issuer) + files[(n+1)%2])
	}
	close(done)
	all.Wait()
	s.runner.retired.Wait()
	if n := s.issuer.Requests("/jwks"); n != 1 {
		t.Errorf("keys were fetched %d times", n)
	}
	after := caches()
	for range 1000 { // a goroutine that was waited for may not have left its stack yet
		if after == before {
			break
		}
		runtime.Gosched()
		after = caches()
	}
	if after != before || before == 0 {
		t.Errorf("%d caches at first, %d after the reloads", before, after)
	}
	if got := s.metric(`bearward_config_reloads_total{result="ok"}`); got != "10" {
		t.Errorf("%s reloads are counted", got)
	}
}

func counted(mu *sync.Mutex, seen *[2]int, n int) int {
	mu.Lock()
	defer mu.Unlock()
	return seen[n]
}

// A file with faults changes nothing, and each fault is logged with its place.
func TestReloadOfAFaultyFile(t *testing.T) {
	s := reload(t, echo, rules)
	none := filepath.Join(t.TempDir(), "none")
	for name, c := range map[string]struct {
		rest string
		want []string
	}{
		"syntax":          {"issuers: [", []string{"serve.yaml:7:1: this is not valid YAML"}},
		"a key":           {oneIssuer(s.issuer) + "ruls: []\n" + rules, []string{"serve.yaml:8:1: unknown key \\\"ruls\\\"; did you mean \\\"rules\\\"?"}},
		"two":             {oneIssuer(s.issuer) + "realm: ~\nforwarded: x\n" + rules, []string{"serve.yaml:8:1: ", "serve.yaml:9:12: "}},
		"a file":          {"issuers: [{issuer: \"https://a.example\", jwks_file: " + none + "}]\n" + rules, []string{"serve.yaml:6:", "no such file"}},
		"the guard":       {"issuers: [{issuer: \"https://10.0.0.1\"}]\n" + rules, []string{"serve.yaml:6:"}},
		"a policy":        {oneIssuer(s.issuer) + "rules: [{match: /, audience: other}]\n", []string{"serve.yaml:8:"}},
		"redis":           {oneIssuer(s.issuer) + "redis: {url: 'redis://127.0.0.1:1'}\nrevocation: {list: redis}\n" + rules, []string{"serve.yaml:8:8: redis cannot change without a restart", "serve.yaml:9:13: revocation cannot"}},
		"tls":             {oneIssuer(s.issuer) + "tls: {cert_file: a, key_file: b}\n" + rules, []string{"serve.yaml:8:6: tls cannot change without a restart"}},
		"log and pprof":   {oneIssuer(s.issuer) + "log: {format: json}\npprof: true\n" + rules, []string{"serve.yaml:8:15: log.format cannot", "serve.yaml:9:8: pprof cannot"}},
		"no fault at all": {oneIssuer(s.issuer) + rules, nil},
	} {
		s.write(t, c.rest)
		log := s.hup()
		if ok := strings.Contains(log, "was reloaded"); ok != (c.want == nil) {
			t.Errorf("%s: %s", name, log)
		}
		for _, want := range c.want {
			if !strings.Contains(log, want) {
				t.Errorf("%s: %q is missing in %s", name, want, log)
			}
		}
		if a := s.ask("GET", "/read", s.as("read")); a.StatusCode != 200 {
			t.Errorf("%s: got %d", name, a.StatusCode)
		}
	}
	if failed, ok := s.metric(`bearward_config_reloads_total{result="failed"}`), s.metric(`bearward_config_reloads_total{result="ok"}`); failed != "9" || ok != "1" {
		t.Errorf("counted: %s failed, %s ok", failed, ok)
	}
}

// An issuer that is removed is refused from then on; about one that is unchanged
// nothing is asked, even if it is down; one that comes and cannot be reached takes
// no readiness away.
func TestReloadOfIssuers(t *testing.T) {
	s := reload(t, echo, rules)
	s.loaded()
	other := bearwardtest.NewIssuer(t)
	if a := s.ask("GET", "/read", s.as("read")); a.StatusCode != 200 {
		t.Fatalf("got %d", a.StatusCode)
	}
	theirs := func() int {
		return s.ask("GET", "/read", "Authorization: Bearer "+other.JWT(bearwardtest.Claims{Scope: "read"})).StatusCode
	}
	if status := theirs(); status != 401 {
		t.Errorf("an unknown issuer: got %d", status)
	}
	s.issuer.Break(bearwardtest.Down)
	asked := s.issuer.Requests("")
	both := oneIssuer(s.issuer) + fmt.Sprintf("  - {issuer: \"%s\", allow_http: true}\n", other.URL) + rules
	s.change(both)
	if status := theirs(); status != 200 {
		t.Errorf("an added issuer: got %d", status)
	}
	s.change(oneIssuer(s.issuer) + rules)
	if status := theirs(); status != 401 {
		t.Errorf("a removed issuer: got %d", status)
	}
	other.Break(bearwardtest.Down)
	s.change(both)
	if status, body := s.state("/readyz"); status != 200 || !strings.Contains(body, `"ready":false`) {
		t.Errorf("with an issuer that is down: got %d %s", status, body)
	}
	if status := theirs(); status != 503 {
		t.Errorf("an issuer that is down: got %d", status)
	}
	if a := s.ask("GET", "/read", s.as("read")); a.StatusCode != 200 {
		t.Errorf("an unchanged issuer: got %d", a.StatusCode)
	}
	if n := s.issuer.Requests(""); n != asked {
		t.Errorf("the unchanged issuer was asked %d times", n-asked)
	}
	s.change(strings.Replace(both, "allow_http: true}", "allow_http: true, audience: elsewhere}", 1))
	if a := s.ask("GET", "/read", s.as("read")); a.StatusCode != 401 || s.issuer.Requests("") != asked { // it has its keys still
		t.Errorf("another audience: got %d after %d requests", a.StatusCode, s.issuer.Requests("")-asked)
	}
}

// What was used stays used, and what was revoked stays revoked, whatever else
// changes.
func TestReloadForgetsNothing(t *testing.T) { // [DP-21 RV-03]
	const kept = "revocation: {list: memory}\n"
	s := reload(t, echo, kept+"dpop: {enabled: true}\n"+proven)
	h := &holder{served: s.served}
	*h = *s.holder()
	field := h.proof("GET", "/read", "")
	use := func() int { return h.ask("GET", "/read", "Authorization: DPoP "+h.token, field).StatusCode }
	if status := use(); status != 200 {
		t.Fatalf("got %d", status)
	}
	revoked := "Authorization: Bearer " + s.issuer.JWT(bearwardtest.Claims{Scope: "read", Subject: "gone"})
	err := s.runner.revocations.Revoke(t.Context(), validate.RevocationEntry{Issuer: s.issuer.URL, Subject: "gone", Before: s.clock.Now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	for _, dpop := range []string{"{enabled: true}", "{window: 5m}", "{nonce: adaptive}", "{window: 5s, nonce: off}", "", "{window: 5m, future: 1m}"} {
		text := kept
		if dpop != "" {
			text += "dpop: " + dpop + "\n"
		} else {
			text += "dpop: {enabled: false}\n"
		}
		if dpop != "" {
			text += proven
		} else {
			text += "rules: [{match: /read, scopes: [read]}]\n"
		}
		s.change(oneIssuer(s.issuer) + text)
		if status := use(); status != 401 {
			t.Errorf("dpop: %s: the proof again: got %d", dpop, status)
		}
		s.clock.Advance(45 * time.Second)
		if status := use(); status != 401 {
			t.Errorf("dpop: %s: the proof again, later: got %d", dpop, status)
		}
		if a := s.ask("GET", "/read", revoked); a.StatusCode != 401 {
			t.Errorf("dpop: %s: the revoked token: got %d", dpop, a.StatusCode)
		}
	}
	if got := h.get("/read", ""); got.StatusCode != 200 {
		t.Errorf("a new proof: got %d", got.StatusCode)
	}
	s.write(t, oneIssuer(s.issuer)+kept+"dpop: {entries: 7}\n"+proven)
	if log := s.hup(); !strings.Contains(log, "serve.yaml:9:17: dpop.entries cannot") {
		t.Errorf("another size: %s", log)
	}
}

// A stream goes on while the file changes, also without the rule that let it
// through, and ends with its token.
func TestReloadOfStreams(t *testing.T) { // [TR-19]
	next, ended := make(chan string), make(chan error, 1)
	s := reload(t, events(next, ended), rules)
	_, body := s.stream("GET", "/read")
	for range 3 {
		s.change(oneIssuer(s.issuer) + "rules: [{match: /nothing}]\n")
		s.runner.retired.Wait() // it is not kept open by the stream
		next <- "on"
		if line, err := body.ReadString('\n'); err != nil || line != "data: on\n" {
			t.Fatalf("got %q %v", line, err)
		}
		_, _ = body.ReadString('\n')
	}
	if a := s.ask("GET", "/read", s.as("read")); a.StatusCode != 403 {
		t.Errorf("a new request: got %d", a.StatusCode)
	}
	s.end()
	if _, err := body.ReadString('\n'); err == nil {
		t.Error("the stream outlives its token")
	}
	<-ended
}

// The content of the file and of those that it names is looked at, and nothing is
// done as long as it is the same.
func TestReloadOnChange(t *testing.T) {
	dir := t.TempDir()
	first, _ := pair(t)
	second, _ := pair(t)
	certFile, keyFile := files(t, dir, first)
	named := "tls: {cert_file: " + certFile + ", key_file: " + keyFile + "}\n"
	s := reload(t, echo, named+rules)
	shown := func() []byte {
		conn, err := tls.Dial("tcp", s.api, &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		return conn.ConnectionState().PeerCertificates[0].Raw
	}
	quiet := func(what string) {
		t.Helper()
		if log := s.look(); strings.Contains(log, "reload") {
			t.Errorf("%s: %s", what, log)
		}
	}
	done := func(what, want string) {
		t.Helper()
		quiet(what + ", a moment ago") // somebody may still be writing
		if log := s.look(); strings.Count(log, want) != 1 {
			t.Errorf("%s: %s", what, log)
		}
		quiet(what + ", again")
	}
	quiet("nothing has changed")
	if !bytes.Equal(shown(), first.Certificate[0]) {
		t.Error("another certificate")
	}
	files(t, dir, second)
	done("the certificate", "was reloaded")
	if !bytes.Equal(shown(), second.Certificate[0]) {
		t.Error("the certificate of before")
	}
	half, _ := os.ReadFile(certFile)
	files(t, dir, first)
	place(t, dir, "cert.pem", string(half))
	done("half a certificate", "was not reloaded")
	if !bytes.Equal(shown(), second.Certificate[0]) {
		t.Error("the certificate that works is gone")
	}
	files(t, dir, first)
	done("the other half", "was reloaded")
	s.write(t, oneIssuer(s.issuer)+named+strings.Replace(rules, "scopes: [read]", "scopes: [other]", 1))
	done("the rules", "was reloaded")
	s.write(t, oneIssuer(s.issuer)+named+"rules: [{match: \"/read\", public: true}]\n") // somebody writes the rest
	quiet("half of the rules")
	s.write(t, oneIssuer(s.issuer)+named+rules)
	done("all of them", "was reloaded")
	s.write(t, "faulty")
	done("a fault", "was not reloaded")
	if err := os.Remove(s.path); err != nil {
		t.Fatal(err)
	}
	done("no file", "was not reloaded")
	s.write(t, oneIssuer(s.issuer)+named+rules)
	done("it is back", "was reloaded")
	if err := os.Remove(certFile); err != nil {
		t.Fatal(err)
	}
	done("no certificate", "was not reloaded")
	files(t, dir, second)
	done("it is back too", "was reloaded")
	if err := os.Remove(keyFile); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(keyFile, 0o700); err != nil { // a pipe, which would keep us waiting, is no regular file either
		t.Fatal(err)
	}
	done("not a file", "no regular file")
}

// files writes a certificate and its key.
func files(t *testing.T, dir string, c tls.Certificate) (certFile, keyFile string) {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	block := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	return place(t, dir, "cert.pem", block("CERTIFICATE", c.Certificate[0])), place(t, dir, "key.pem", block("PRIVATE KEY", der))
}

// The level of the log follows the file.
func TestReloadOfTheLevel(t *testing.T) {
	s := reload(t, echo, rules)
	level := new(slog.LevelVar)
	s.runner.level = level
	s.change(oneIssuer(s.issuer) + "log: {level: debug}\n" + rules)
	if level.Level() != slog.LevelDebug {
		t.Errorf("got %v", level)
	}
}

// A request that has come before a generation is replaced is decided about by it,
// and one that comes when everything is closed is refused.
func TestEnter(t *testing.T) {
	file := parse(t, "https://login.example.test", "http://127.0.0.1:1", rules)
	one, err := New(t.Context(), file, quiet)
	if err != nil {
		t.Fatal(err)
	}
	two, err := one.next(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	first, second := newGeneration(one), newGeneration(two)
	r := &runner{}
	r.current.Store(first)
	read := func(g *generation) int {
		w := httptest.NewRecorder()
		g.handler.ServeHTTP(w, httptest.NewRequest("GET", "/read", nil))
		return w.Code
	}
	g, release := r.enter()
	r.current.Store(second)
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		_ = first.retire()
	}()
	for !first.over.Load() {
		runtime.Gosched()
	}
	if status := read(g); g != first || status != 401 {
		t.Errorf("a request of before: got %d", status)
	}
	if g, release := r.enter(); g != second {
		t.Error("a request of after: judged by the generation of before")
	} else {
		release()
	}
	release()
	release()
	<-closed
	if err := errors.Join(second.retire(), second.kept.close()); err != nil {
		t.Error(err)
	}
	g, release = r.enter()
	defer release()
	if status := read(g); status != 503 {
		t.Errorf("when all is closed: got %d", status)
	}
}

// With wait_ready a start without issuer fails; without it the server waits.
func TestWaitReady(t *testing.T) {
	issuer := bearwardtest.NewIssuer(t)
	issuer.Break(bearwardtest.Down)
	file := parse(t, issuer.URL, "http://127.0.0.1:1", "wait_ready: 5s\n"+rules)
	waits := make(chan time.Duration, 10)
	late := make(chan time.Time)
	service := &Service{file: file, logger: quiet, clock: issuer.Clock.Now, after: func(d time.Duration) <-chan time.Time {
		waits <- d
		if d == 5*time.Second {
			return late
		}
		return nil
	}}
	if err := service.assemble(t.Context()); err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() { done <- (&runner{Service: service, out: io.Discard}).run(t.Context()) }()
	if a, b := <-waits, <-waits; a+b != 6*time.Second { // for the next attempt too
		t.Errorf("waits %v and %v", a, b)
	}
	late <- time.Time{}
	if err := <-done; err == nil || !strings.Contains(err.Error(), "wait_ready") {
		t.Errorf("got %v", err)
	}
}

// Told to stop, the server says so first and goes on serving for drain.
func TestDrain(t *testing.T) {
	s := serve(t, echo, "drain: 10s\n"+rules)
	s.loaded()
	s.stop()
	over := <-s.waits
	if status, body := s.state("/readyz"); status != 503 || !strings.Contains(body, "stopping") {
		t.Errorf("readyz: got %d %s", status, body)
	}
	if a := s.ask("GET", "/read", s.as("read")); a.StatusCode != 200 {
		t.Errorf("meanwhile: got %d", a.StatusCode)
	}
	over <- time.Time{}
	if err := s.wait(); err != nil {
		t.Error(err)
	}
}
