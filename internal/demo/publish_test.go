package demo

import (
	"bytes"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

func publish(t *testing.T, d *Demo) (remove func() error) {
	t.Helper()
	path, err := StatePath()
	if err != nil {
		t.Fatal(err)
	}
	if remove, err = d.Publish(path); err != nil {
		t.Fatal(err)
	}
	return remove
}

// What is private is its user's, and goes when the demo goes.
func TestPublish(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "runtime")
	t.Setenv("XDG_RUNTIME_DIR", dir)
	if _, err := ClientKey(); !errors.Is(err, ErrNotRunning) {
		t.Errorf("%v", err)
	}
	d := start(t, Options{Free: true})
	remove := publish(t, d)
	files, err := os.ReadDir(filepath.Join(dir, "bearward"))
	if err != nil || len(files) != 5 {
		t.Fatalf("%v %v", files, err)
	}
	for _, f := range files {
		if info, err := f.Info(); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v %v", f.Name(), info.Mode(), err)
		}
	}
	if key, err := ClientKey(); err != nil || key.Thumbprint() != d.JKT {
		t.Errorf("%v %v", key, err)
	}
	if s, err := ReadState(); err != nil || s != d.State || s.Files == "" {
		t.Errorf("%+v %v", s, err)
	}
	pair, err := tls.LoadX509KeyPair(d.file(clientCertificate), d.file(clientCertificate))
	if err != nil || Thumbprint(pair.Leaf) != d.X5T {
		t.Errorf("%v", err)
	}
	text, err := os.ReadFile(d.file(serverCertificate))
	if err != nil {
		t.Fatal(err)
	}
	if block, rest := pem.Decode(text); block == nil || block.Type != "CERTIFICATE" || len(rest) > 0 {
		t.Errorf("%s", text)
	}
	var out bytes.Buffer
	if err := d.Check(t.Context(), &out); err != nil {
		t.Errorf("%v\n%s", err, out.String())
	}
	if err := remove(); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(filepath.Join(dir, "bearward")); err != nil || len(left) > 0 {
		t.Errorf("left %v %v", left, err)
	}
}

// Two demos at once have the same client, so that the lines of both work, and
// the one that is asked for keeps its files.
func TestPublishTwo(t *testing.T) {
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	a, b := start(t, Options{Free: true}), start(t, Options{Free: true})
	removeA := publish(t, a)
	removeB := publish(t, b)
	if a.JKT != b.JKT || a.X5T == b.X5T || a.Nonce == b.Nonce {
		t.Errorf("%+v\n%+v", a.State, b.State)
	}
	for _, d := range []*Demo{a, b} {
		var out bytes.Buffer
		if err := d.Check(t.Context(), &out); err != nil {
			t.Errorf("%v\n%s", err, out.String())
		}
	}
	if err := removeA(); err != nil {
		t.Error(err)
	}
	if key, err := ClientKey(); err != nil || key.Thumbprint() != b.JKT {
		t.Errorf("%v", err)
	}
	if _, err := os.Stat(b.file(otherCertificate)); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(a.file(otherCertificate)); err == nil {
		t.Error("the certificates of the first demo are left")
	}
	if err := removeB(); err != nil {
		t.Error(err)
	}
	if _, err := ClientKey(); !errors.Is(err, ErrNotRunning) {
		t.Errorf("%v", err)
	}
}

// A key that cannot be read is replaced, a place that is none is said.
func TestPublishTroubles(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("XDG_RUNTIME_DIR", dir)
	d := start(t, Options{Free: true})
	path := filepath.Join(dir, "bearward", keyFile)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ClientKey(); err == nil || errors.Is(err, ErrNotRunning) {
		t.Errorf("%v", err)
	}
	remove := publish(t, d)
	if key, err := ClientKey(); err != nil || key.Thumbprint() != d.JKT {
		t.Errorf("%v", err)
	}
	if err := errors.Join(remove(), os.WriteFile(filepath.Join(dir, "file"), nil, 0o600)); err != nil {
		t.Error(err)
	}
	if _, err := d.Publish(filepath.Join(dir, "file", "demo.json")); err == nil {
		t.Error("a file was taken for a directory")
	}
}
