package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strings"
	"time"
)

// machine is what the figures depend on besides the code.
func machine(ctx context.Context) string {
	return fmt.Sprintf("%s, %d cores, %s, %s/%s, commit %s, %s",
		processor(), runtime.NumCPU(), runtime.Version(), runtime.GOOS, runtime.GOARCH, commit(ctx), time.Now().UTC().Format(time.DateOnly))
}

func processor() string {
	for _, line := range lines("/proc/cpuinfo") {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown processor"
}

// load is the load average of the last minute.
func load() string {
	one, _, _ := strings.Cut(lines("/proc/loadavg")[0], " ")
	if one == "" {
		return "unknown"
	}
	return one
}

// lines returns one empty line where the system has no such file.
func lines(name string) []string {
	text, _ := os.ReadFile(name)
	return strings.Split(string(text), "\n")
}

func commit(ctx context.Context) string {
	out, err := exec.CommandContext(ctx, "git", "describe", "--always", "--dirty").Output()
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(out))
}

// versions are those of the modules that the libraries come from.
func versions() *table {
	t := &table{head: []string{"Module", "Version"}}
	known := map[string]string{}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			known[m.Path] = m.Version
		}
	}
	for _, l := range libraries {
		for _, path := range l.modules {
			t.rows = append(t.rows, []string{path, known[path]})
		}
	}
	for _, a := range absent {
		t.rows = append(t.rows, []string{a.name, a.reason})
	}
	return t
}
