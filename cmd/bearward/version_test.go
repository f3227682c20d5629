package main

import (
	"bytes"
	"debug/buildinfo"
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
)

func TestVersion(t *testing.T) {
	on := " (go1.26.8 " + runtime.GOOS + "/" + runtime.GOARCH + ")"
	for _, c := range []struct {
		version  string
		settings []debug.BuildSetting
		want     string
	}{
		{"v1.2.3", nil, "bearward v1.2.3" + on},
		{"", nil, "bearward of unknown version" + on},
		{"(devel)", []debug.BuildSetting{{Key: "vcs.revision", Value: "abc"}}, "bearward (devel) abc" + on},
		{
			"v0.0.1",
			[]debug.BuildSetting{{Key: "vcs.revision", Value: "abc"}, {Key: "vcs.time", Value: "2026-11-25T18:00:00Z"}, {Key: "vcs.modified", Value: "true"}},
			"bearward v0.0.1 abc of 2026-11-25T18:00:00Z with changes" + on,
		},
		{"v0.0.1", []debug.BuildSetting{{Key: "vcs.revision", Value: "abc"}, {Key: "vcs.modified", Value: "false"}}, "bearward v0.0.1 abc" + on},
	} {
		if got := version(&debug.BuildInfo{GoVersion: "go1.26.8", Main: debug.Module{Version: c.version}, Settings: c.settings}); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

// make build makes one file that needs no other, and says nothing of where it was
// made.
func TestStaticBinary(t *testing.T) {
	if runtime.GOOS != "linux" || os.Getenv("BEARWARD_REQUIRE_ALL") != "1" {
		t.Skip("compiles everything once more, for minutes: on Linux with BEARWARD_REQUIRE_ALL=1")
	}
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "bearward")
	cmd := exec.CommandContext(t.Context(), "make", "-C", root, "build", "BINARY="+path)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	file, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, p := range file.Progs {
		if p.Type == elf.PT_INTERP || p.Type == elf.PT_DYNAMIC {
			t.Errorf("it is linked dynamically: %v", p.Type)
		}
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	goroot, err := exec.CommandContext(t.Context(), "go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, place := range []string{root + "/", strings.TrimSpace(string(goroot)) + "/src"} {
		if bytes.Contains(content, []byte(place)) {
			t.Errorf("it contains %s", place)
		}
	}
	info, err := buildinfo.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), path, "version").Output()
	if err != nil || strings.TrimSpace(string(out)) != version(info) {
		t.Errorf("version prints %q, %v, want %q", out, err, version(info))
	}
}
