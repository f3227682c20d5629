package server

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/bearward/bearward"
	"github.com/bearward/bearward/adapters/redisstore"
	"github.com/bearward/bearward/bearwardtest"
	"github.com/bearward/bearward/internal/jose"
	"github.com/bearward/bearward/internal/redistest"
	"github.com/bearward/bearward/internal/server/config"
	"github.com/bearward/bearward/middleware"
	"github.com/bearward/bearward/validate/dpop"
	"github.com/bearward/bearward/validate/mtls"
)

// secret is a line of a nonce_keys_file.
func secret(b byte) string { return jose.Encode(bytes.Repeat([]byte{b}, 32)) + "\n" }

// built is the configuration of the guard that a file asks for.
func built(t *testing.T, rest string) bearward.Config {
	t.Helper()
	file := parse(t, "https://login.example.test", "http://127.0.0.1:1", rest)
	b := &builder{file: file, logger: quiet, clock: time.Now}
	shared := b.redis()
	cfg := b.guard(shared)
	if err := file.Faults(b.faults...); err != nil {
		t.Fatal(err)
	}
	if shared != nil {
		if err := shared.Close(); err != nil {
			t.Error(err)
		}
	}
	return cfg
}

// Every key of the file becomes the setting that it names.
func TestSenderSettings(t *testing.T) {
	keys := place(t, t.TempDir(), "keys", secret(1))
	cfg := built(t, `public_url: [https://a.example, https://b.example/v1]
trusted_proxies: [10.0.0.0/8, "::1"]
forwarded: rfc7239
client_cert_header: {name: X-Cert, format: pem-oneline}
dpop: {window: 30s, future: 0s, nonce: adaptive, nonce_keys_file: `+keys+`, stray_proof: refuse, algorithms: [ES256], entries: 7}
rules: [{match: /}]
`)
	if got := fmt.Sprint(cfg.PublicURLs, cfg.TrustedProxies, cfg.Forwarded, cfg.ClientCertHeader, cfg.FAPI); got != "[https://a.example https://b.example/v1] [10.0.0.0/8 ::1/128]rfc7239{X-Cert pem-oneline} false" {
		t.Errorf("got %s", got)
	}
	want := &dpop.Config{
		Algorithms: []string{"ES256"}, Window: 30 * time.Second, Future: -time.Nanosecond,
		Nonce: dpop.NonceAdaptive, NonceKeysFile: keys, RefuseStray: true,
	}
	if diff := cmp.Diff(want, cfg.DPoP, cmpopts.IgnoreFields(dpop.Config{}, "Replay", "Logger", "Clock")); diff != "" {
		t.Error(diff)
	}
	if memory, ok := cfg.DPoP.Replay.(*dpop.Memory); !ok || memory.Health().Capacity != 7 {
		t.Errorf("got %T", cfg.DPoP.Replay)
	}

	cfg = built(t, "rules: [{match: /}]\n")
	if cfg.DPoP != nil || cfg.PublicURLs != nil || cfg.TrustedProxies != nil || cfg.Forwarded != middleware.NotForwarded || cfg.ClientCertHeader != (mtls.Header{}) {
		t.Errorf("defaults: got %+v", cfg)
	}
	cfg = built(t, "dpop: {replay: redis}\nredis: {url: redis://127.0.0.1:1}\nfapi: true\nrevocation: {list: redis}\nrules: [{match: /}]\n")
	if _, ok := cfg.DPoP.Replay.(*redisstore.Replay); !ok || !cfg.FAPI || cfg.DPoP.Nonce != dpop.NonceOff || cfg.DPoP.Future != 10*time.Second || cfg.DPoP.RefuseStray {
		t.Errorf("got %+v with %T", cfg.DPoP, cfg.DPoP.Replay)
	}
}

func TestWords(t *testing.T) {
	for word, want := range map[string]middleware.Binding{"if-bound": middleware.IfBound, "bound": middleware.Bound, "dpop": middleware.DPoP, "mtls": middleware.MTLS} {
		if got := policy(config.Rule{Match: "/", Binding: word}).Binding; got != want || got.String() != word {
			t.Errorf("%s: got %v", word, got)
		}
	}
	for word, want := range map[string]dpop.Nonce{"off": dpop.NonceOff, "adaptive": dpop.NonceAdaptive, "required": dpop.NonceRequired} {
		if got := policy(config.Rule{Match: "/", Nonce: word}).Nonce; got != want || got.String() != word {
			t.Errorf("%s: got %v", word, got)
		}
	}
	for word, got := range families {
		if word != "none" && string(got) != word {
			t.Errorf("%s: got %s", word, got)
		}
	}
}

// What is wrong with the file of secrets is said at its place.
func TestNonceKeysFaults(t *testing.T) { // [DP-27]
	dir := t.TempDir()
	for name, content := range map[string]string{"empty": "", "short": "AAAA\n", "junk": "hunter2\n", "none": ""} {
		path := filepath.Join(dir, name)
		if name != "none" {
			place(t, dir, name, content)
		}
		file := parse(t, "https://login.example.test", "http://127.0.0.1:1", "dpop: {nonce: required, nonce_keys_file: "+path+"}\nrules: [{match: /}]\n")
		_, err := New(t.Context(), file, quiet)
		var faults *config.Faults
		if !errors.As(err, &faults) || !strings.Contains(err.Error(), "serve.yaml:8:42: ") || strings.Contains(err.Error(), "hunter2") || len(faults.List) != 1 {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// What is legal and most likely not meant is told at the start.
func TestAdvice(t *testing.T) { // [DP-12]
	remote, local := &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 443}, &net.TCPAddr{IP: net.IPv6loopback, Port: 443}
	every := &net.TCPAddr{IP: net.IPv6zero, Port: 443}
	const own = "public_url: https://a.example\n"
	const proxy = "trusted_proxies: [10.0.0.1]\nforwarded: x-forwarded\n"
	for _, c := range []struct {
		text string
		at   net.Addr
		want string
	}{
		{"dpop: {}\n", remote, "set public_url"},
		{"dpop: {}\n", every, "set public_url"},
		{"dpop: {}\n", local, ""},
		{"dpop: {}\nplain_behind_tls: true\n", local, "set public_url"},
		{"dpop: {}\n" + own, remote, ""},
		{"dpop: {}\n" + proxy, remote, ""},
		{"", remote, ""},
		{own, local, "public_url and forwarded are about proofs and not used"},
		{proxy, local, "public_url and forwarded are about proofs and not used"},
		{"dpop: {enabled: false}\n", remote, ""},
	} {
		var told notes
		s := &Service{file: parse(t, "https://login.example.test", "http://127.0.0.1:1", c.text+"rules: [{match: /}]\n")}
		told.log(s)
		(&runner{Service: s}).advise(c.at)
		if got := told.String(); c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%s at %v: got %q", c.text, c.at, got)
		}
	}
	for own, want := range map[string]string{"": "set public_url", own: ""} { // the proxy's word decides
		var told notes
		file, err := config.Parse("serve.yaml", []byte("listen: 127.0.0.1:0\nmode: forward-auth\nforward_auth: {headers: x-original}\ntrusted_proxies: [127.0.0.1]\n"+
			"resource: https://a.example\nissuers: [{issuer: https://login.example}]\ndpop: {}\nrules: [{match: /}]\n"+own))
		if err != nil {
			t.Fatal(err)
		}
		s := &Service{file: file}
		told.log(s)
		(&runner{Service: s}).advise(local)
		if got := told.String(); want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("forward-auth with %q: got %q", own, got)
		}
	}
	var told notes
	serve(t, echo, "dpop: {}\nplain_behind_tls: true\nrules: [{match: /}]\n", told.log)
	if !strings.Contains(told.String(), "set public_url") {
		t.Errorf("at the start: got %q", told.String())
	}
}

// Two processes that share a Redis and the secrets of nonces are one: what was
// used at one of them is used, and nonces of both are good.
func TestProofsOnRedis(t *testing.T) { // [DP-20 DP-21 DP-27]
	store := redistest.Start(t)
	keys := place(t, t.TempDir(), "keys", secret(1))
	text := onRedis(store.URL()) + "dpop: {replay: redis, nonce_keys_file: " + keys + "}\n" + proven
	iss := bearwardtest.NewIssuer(t)
	file := parse(t, iss.URL, upstream(t), text)
	a, b := start(t, iss, file), start(t, iss, file)
	h := a.holder()
	a.clock.Advance(-30 * time.Second)
	before := h.proof("GET", "/read", "")
	a.clock.Advance(30 * time.Second)
	if got := a.ask("GET", "/read", "Authorization: DPoP "+h.token, before); got.StatusCode != 503 { // it may have been used before redis was there
		t.Errorf("a proof from before the first that redis sees: got %d", got.StatusCode)
	}
	proof, as := h.proof("GET", "/read", ""), "Authorization: DPoP "+h.token
	if got := a.ask("GET", "/read", as, proof); got.StatusCode != 200 {
		t.Errorf("got %d", got.StatusCode)
	}
	refused(t, "replayed elsewhere", b.ask("GET", "/read", as, proof), 401, "DPoP", "invalid_dpop_proof")
	fresh := nonce(t, h.get("/nonce", ""))
	if got := b.ask("GET", "/nonce", as, h.proof("GET", "/nonce", fresh)); got.StatusCode != 200 {
		t.Errorf("a nonce of the other process: got %d", got.StatusCode)
	}
	store.Stop()
	if got := h.get("/read", ""); got.StatusCode != 503 || got.Header.Get("Retry-After") == "" { // [DP-22]
		t.Errorf("while redis is away: got %d %v", got.StatusCode, got.Header)
	}
	if got := a.ask("GET", "/read", a.as("read")); got.StatusCode != 200 {
		t.Errorf("a token without proof meanwhile: got %d", got.StatusCode)
	}
}

// A Redis that may drop used proofs ends the start.
func TestProofsOnARedisThatEvicts(t *testing.T) { // [DP-22]
	store := redistest.Start(t, "--maxmemory-policy", "allkeys-lru")
	file := parse(t, "https://login.example.test", "http://127.0.0.1:1", onRedis(store.URL())+"dpop: {replay: redis}\nrules: [{match: /}]\n")
	s, err := New(t.Context(), file, quiet)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	err = (&runner{Service: s}).look(t.Context())
	if err == nil || !strings.Contains(err.Error(), "serve.yaml:8:14: ") || !strings.Contains(err.Error(), "noeviction") {
		t.Errorf("got %v", err)
	}
}
