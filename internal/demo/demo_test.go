package demo

import (
	"errors"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"

	"github.com/bearward/bearward/internal/prove"
)

func TestTakenPorts(t *testing.T) {
	taken, err := net.Listen("tcp", freeAddr)
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	addr := taken.Addr().String()

	l, err := listen(addr, false, false)
	if err != nil {
		t.Fatalf("a default port is replaced: %v", err)
	}
	defer l.Close()
	if l.Addr().String() == addr || !Loopback(l.Addr().String()) {
		t.Errorf("listens on %s", l.Addr())
	}
	if _, err := Start(t.Context(), Options{Addr: addr, Free: true}); err == nil {
		t.Error("a port that was asked for is not replaced")
	}
}

// Two demos at once: the second takes other ports.
func TestTwoDemos(t *testing.T) {
	a, b := start(t, Options{}), start(t, Options{})
	for _, pair := range [][2]string{{a.HTTP, b.HTTP}, {a.Gin, b.Gin}, {a.GRPC, b.GRPC}, {a.Issuer, b.Issuer}, {a.Stranger, b.Stranger}, {a.Control, b.Control}, {a.TLS, b.TLS}} {
		if pair[0] == pair[1] || !strings.Contains(pair[0], "127.0.0.1:") {
			t.Errorf("%v", pair)
		}
	}
}

func TestLoopbackOnly(t *testing.T) {
	for _, addr := range []string{"0.0.0.0:0", "192.0.2.1:80", ":8080", "localhost:8080", "127.0.0.1"} {
		if _, err := Start(t.Context(), Options{Addr: addr, Free: true}); err == nil {
			t.Errorf("%s was taken", addr)
		}
		if _, err := (Call{Addr: addr, Method: listOrders, Token: "t"}).Do(t.Context()); err == nil {
			t.Errorf("%s was called", addr)
		}
	}
	if !Loopback("[::1]:1") || !Loopback("127.9.9.9:1") {
		t.Error("loopback is refused")
	}
}

func TestCall(t *testing.T) {
	for _, method := range []string{"", "List", "/a", "/a/", "//b", "/a/b/c"} {
		if _, err := (Call{Addr: "127.0.0.1:1", Method: method}).Do(t.Context()); err == nil {
			t.Errorf("%q was called", method)
		}
	}
	reply, err := Call{Addr: "127.0.0.1:1", Method: listOrders}.Do(t.Context())
	if err != nil || reply.Status.Code() != codes.Unavailable {
		t.Errorf("%v %v", err, reply)
	}
}

func TestReplyText(t *testing.T) {
	d := start(t, Options{Free: true})
	token, err := d.Mint(t.Context(), url.Values{"scope": {"orders:read"}, "sub": {"alice"}})
	if err != nil {
		t.Fatal(err)
	}
	ofKey, err := d.Mint(t.Context(), url.Values{"scope": {"orders:read"}, "jkt": {d.JKT}})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		call Call
		key  *prove.Key
		want []string
	}{
		{Call{Method: listOrders, Token: token}, nil, []string{`"alice"`, `"honey"`, "grpc-status: 0 OK\n"}},
		{Call{Method: "/" + service + "/Watch", Token: token, Stream: true}, nil, []string{`"tea"`, `"bread"`, "grpc-status: 0 OK\n"}},
		{Call{Method: listOrders}, nil, []string{"grpc-status: 16 UNAUTHENTICATED\n", "reason: TOKEN_MISSING\n", "www-authenticate: Bearer realm="}},
		{Call{Method: "/" + service + "/Create", Token: token}, nil, []string{"grpc-status: 7 PERMISSION_DENIED\n", "grpc-message: ", "reason: INSUFFICIENT_SCOPE\n"}},
		{Call{Method: "/" + service + "/Delete", Token: token}, nil, []string{"grpc-status: 7 PERMISSION_DENIED\n", "reason: POLICY_DENIED\n"}},
		{Call{Method: callPay, Token: ofKey}, d.wallet.key, []string{"grpc-status: 0 OK\n"}},
		{Call{Method: "/" + service + "/Watch", Token: ofKey, Stream: true}, d.wallet.key, []string{`"tea"`, "grpc-status: 0 OK\n"}},
		{Call{Method: listOrders, Token: token}, d.wallet.key, []string{"grpc-status: 16 UNAUTHENTICATED\n", "www-authenticate: DPoP "}},
	} {
		test.call.Addr, test.call.Key = d.GRPC, test.key
		reply, err := test.call.Do(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range test.want {
			if !strings.Contains(reply.String(), want) {
				t.Errorf("%s: no %q in\n%s", test.call.Method, want, reply)
			}
		}
	}
}

func TestState(t *testing.T) {
	t.Setenv("XDG_RUNTIME_DIR", filepath.Join(t.TempDir(), "runtime"))
	if _, err := ReadState(); !errors.Is(err, ErrNotRunning) {
		t.Errorf("%v", err)
	}
	path, err := StatePath()
	if err != nil {
		t.Fatal(err)
	}
	first := State{Issuer: "http://127.0.0.1:1", GRPC: "127.0.0.1:2"}
	second := State{Issuer: "http://127.0.0.1:3", GRPC: "127.0.0.1:4"}
	remove, err := first.Write(path)
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS != "windows" {
		for name, want := range map[string]os.FileMode{path: 0o600, filepath.Dir(path): 0o700} {
			if info, err := os.Stat(name); err != nil || info.Mode().Perm() != want {
				t.Errorf("%s: %v %v", name, info.Mode(), err)
			}
		}
	}
	if got, err := ReadState(); err != nil || got != first {
		t.Errorf("%v %v", got, err)
	}
	removeSecond, err := second.Write(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := remove(); err != nil {
		t.Error(err)
	}
	if got, err := ReadState(); err != nil || got != second {
		t.Errorf("the first demo took away the file of the second: %v %v", got, err)
	}
	if err := removeSecond(); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(filepath.Dir(path)); err != nil || len(left) > 0 {
		t.Errorf("left %v %v", left, err)
	}
}

func TestStateIsOfADemo(t *testing.T) {
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	path, err := StatePath()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []State{
		{Issuer: "http://192.0.2.1:1", GRPC: "127.0.0.1:2"},
		{Issuer: "http://127.0.0.1:1", GRPC: "192.0.2.1:2"},
	} {
		if _, err := s.Write(path); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadState(); err == nil || errors.Is(err, ErrNotRunning) {
			t.Errorf("%v: %v", s, err)
		}
	}
	if err := os.WriteFile(path, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadState(); err == nil {
		t.Error("half a file was read")
	}
}

// A demo that was killed leaves its file behind.
func TestMintWithoutDemo(t *testing.T) {
	l, err := net.Listen("tcp", freeAddr)
	if err != nil {
		t.Fatal(err)
	}
	gone := "http://" + l.Addr().String()
	l.Close()
	if _, err := (State{Issuer: gone}).Mint(t.Context(), url.Values{}); !errors.Is(err, ErrNotRunning) {
		t.Errorf("%v", err)
	}
}

func TestCloseTwice(t *testing.T) {
	d, err := Start(t.Context(), Options{Free: true})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}
}
