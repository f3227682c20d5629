// Package machine says where and of what results are, without the names of the
// host and of its folders.
package machine

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

// Machine is where and of what the results are.
type Machine struct {
	date, model, system, commit, load string
}

// This is the machine now, before it has any load of ours.
func This(ctx context.Context) Machine {
	m := Machine{
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

// Write prints a list of Markdown. more stands beside the version of Go.
func (m Machine) Write(w io.Writer, more string) {
	fmt.Fprintf(w, "- %s, %d cores, %s\n- %s, %s\n- commit %s\n- %s, load average before: %s\n",
		m.model, runtime.NumCPU(), m.system, runtime.Version(), more, m.commit, m.date, m.load)
}
