package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// machine is where and of what the results are.
type machine struct {
	date, model, system, commit, load string
}

func thisMachine(ctx context.Context) machine {
	m := machine{
		date: time.Now().UTC().Format("2006-01-02 15:04 MST"), model: "unknown processor", system: runtime.GOOS + "/" + runtime.GOARCH,
		commit: "unknown", load: "unknown",
	}
	for _, line := range strings.Split(fileOf("/proc/cpuinfo"), "\n") {
		if name, value, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "model name" {
			m.model = strings.TrimSpace(value)
			break
		}
	}
	if release := fileOf("/proc/sys/kernel/osrelease"); release != "" {
		m.system += ", kernel " + release
	}
	if averages := strings.Fields(fileOf("/proc/loadavg")); len(averages) > 2 {
		m.load = strings.Join(averages[:3], ", ")
	}
	if commit := git(ctx, "rev-parse", "--short=12", "HEAD"); commit != "" {
		m.commit = commit
		if git(ctx, "status", "--porcelain") != "" {
			m.commit += ", with changes"
		}
	}
	return m
}

func fileOf(name string) string {
	text, _ := os.ReadFile(name)
	return strings.TrimSpace(string(text))
}

func git(ctx context.Context, args ...string) string {
	text, _ := exec.CommandContext(ctx, "git", args...).Output()
	return strings.TrimSpace(string(text))
}

func (m machine) write(w io.Writer, wrk string) {
	if wrk == "" {
		wrk = "wrk is not installed: its rows are missing"
	} else {
		wrk = "wrk " + wrk
	}
	fmt.Fprintf(w, "- %s, %d cores, %s\n- %s, %s\n- commit %s\n- %s, load average before: %s\n",
		m.model, runtime.NumCPU(), m.system, runtime.Version(), wrk, m.commit, m.date, m.load)
}
