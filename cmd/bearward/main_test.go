package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/bearward/bearward/internal/demo"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"bearward": main})
}

// Scripts in testdata run without a demo.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		Cmds:                commands,
		Setup:               func(env *testscript.Env) error { return runtimeDir(env) },
	})
}

// Scripts in testdata/running find a running demo; its address is in the
// environment.
func TestScriptsWithDemo(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/running",
		RequireExplicitExec: true,
		Cmds:                commands,
		Setup: func(env *testscript.Env) error {
			if err := runtimeDir(env); err != nil {
				return err
			}
			return startDemo(env)
		},
	})
}

func runtimeDir(env *testscript.Env) error {
	dir := filepath.Join(env.WorkDir, ".runtime")
	env.Setenv("XDG_RUNTIME_DIR", dir)
	env.Setenv("GORACE", "atexit_sleep_ms=0") // no second for each exec
	return os.Mkdir(dir, 0o700)
}

func startDemo(env *testscript.Env) error {
	d, err := demo.Start(context.Background(), demo.Options{Free: true})
	if err != nil {
		return err
	}
	env.Defer(func() { _ = d.Close() })
	env.Setenv("ISSUER", d.Issuer)
	env.Setenv("STRANGER", d.Stranger)
	env.Setenv("GRPC", d.GRPC)
	env.Setenv("RESOURCE", d.Resource)
	env.Setenv("HTTP", d.HTTP)
	_, err = d.Publish(filepath.Join(env.Getenv("XDG_RUNTIME_DIR"), "bearward", "demo.json"))
	env.Setenv("CLIENT", d.Files+"/client-"+d.TLS[strings.LastIndexByte(d.TLS, ':')+1:]+".pem")
	env.Setenv("OTHER", d.Files+"/other-"+d.TLS[strings.LastIndexByte(d.TLS, ':')+1:]+".pem")
	return err
}

// The whole program: it prints, publishes where it is, and goes away without a
// trace when it is told to.
func TestDemoStops(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there is no SIGTERM on Windows")
	}
	for _, sig := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		t.Run(sig.String(), func(t *testing.T) {
			dir := t.TempDir()
			cmd := exec.CommandContext(t.Context(), "bearward", "demo")
			cmd.Env = append(os.Environ(), "XDG_RUNTIME_DIR="+dir)
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			var log strings.Builder
			cmd.Stderr = &log
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			readUntil(t, out, "bearward explain")
			path := filepath.Join(dir, "bearward", "demo.json")
			checkFile(t, path)
			if _, err := demo.ReadKey(filepath.Join(dir, "bearward", "client-key.pem")); err != nil {
				t.Error(err)
			}
			if err := cmd.Process.Signal(sig); err != nil {
				t.Fatal(err)
			}
			if rest, err := io.ReadAll(out); err != nil || len(rest) > 0 {
				t.Errorf("printed %q at the end, %v", rest, err)
			}
			if err := cmd.Wait(); err != nil || log.Len() > 0 {
				t.Errorf("%v: %s", err, log.String())
			}
			if left, err := os.ReadDir(filepath.Dir(path)); err != nil || len(left) > 0 {
				t.Errorf("left: %v, %v", left, err)
			}
		})
	}
}

func readUntil(t *testing.T, from io.Reader, text string) {
	t.Helper()
	lines := bufio.NewReader(from)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			t.Fatalf("no line with %q: %v", text, err)
		}
		if strings.Contains(line, text) {
			return
		}
	}
}

func checkFile(t *testing.T, path string) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var state demo.State
	if err := json.Unmarshal(text, &state); err != nil || !demo.Loopback(state.GRPC) {
		t.Errorf("%s: %v", text, err)
	}
}

// serve prints where it listens, reloads on SIGHUP and stops gracefully.
func TestServeStops(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there is no SIGTERM on Windows")
	}
	file := filepath.Join(t.TempDir(), "bearward.yaml")
	const text = `listen: 127.0.0.1:0
mode: proxy
upstream: http://127.0.0.1:1
resource: https://api.example.com
issuers: [{issuer: "https://127.0.0.1:1", allow_private: true}]
rules: [{match: "GET /healthz", public: true}]
`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "bearward", "serve", "--config", file)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	log, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	readUntil(t, out, "bearward: listening on 127.0.0.1:")
	if err := cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	readUntil(t, log, "the configuration was reloaded")
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}

func TestSelf(t *testing.T) {
	old, args := os.Args, os.Args[0]
	t.Cleanup(func() { os.Args = old })
	t.Chdir(t.TempDir())
	if got := self(); !strings.Contains(args, "go-build") && got != args {
		t.Errorf("outside of the repository: %s", got)
	}
	if err := os.WriteFile("go.mod", []byte("module "+module+"\n\ngo 1.26.0\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := self(); got != "go run ./cmd/bearward" {
		t.Errorf("in the repository: %s", got)
	}
}

// A message never repeats a token or a proof that stood in the wrong place.
func TestWithoutSecrets(t *testing.T) {
	token := strings.Repeat("x", 40)
	for _, args := range [][]string{
		{"explain", token, token},
		{"--tokn=" + token},
		{"explain", "--" + token},
		{"explain", "--proof", token, token},
		{"explain", "--prof=" + token},
		{"explain", "DPoP " + token},
		{"explain", `DPoP: ` + token + "\n"},
		{"explain", `"` + token + `"`},
	} {
		for _, format := range []string{"unexpected %s", "unexpected %q"} {
			message := withoutSecrets(fmt.Sprintf(format, args[len(args)-1]), args)
			if strings.Contains(message, token) {
				t.Errorf("%q", message)
			}
		}
	}
}
