package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// variant is a server under load.
type variant struct {
	name   string // of its flag -variant
	binary string // empty: package server's
}

// child is its process.
type child struct {
	variant

	address string
	command *exec.Cmd
	said    bytes.Buffer  // on standard error; complete once it has ended
	ended   chan struct{} // closed when it has
}

// build makes the binary of package server.
func build(ctx context.Context, dir string) (string, error) {
	binary := filepath.Join(dir, "server.exe")
	text, err := exec.CommandContext(ctx, "go", "build", "-o", binary, "github.com/bearward/bearward/benchmarks/load/server").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, text)
	}
	return binary, nil
}

// start returns when the server can be asked. It ends with the context, and
// after the limit in any case.
func start(ctx context.Context, v variant, issuer string, limit time.Duration) (*child, error) {
	c := &child{variant: v, ended: make(chan struct{})}
	c.command = exec.CommandContext(ctx, v.binary, "-variant", v.name, "-issuer", issuer, "-for", (limit + time.Minute).String())
	c.command.Stderr = &c.said
	out, err := c.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := c.command.Start(); err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(out)
	for c.address == "" && lines.Scan() {
		if address, ok := strings.CutPrefix(lines.Text(), "listening "); ok {
			c.address = address
		}
	}
	go func() {
		_ = c.command.Wait() // killed, on purpose
		close(c.ended)
	}()
	if c.address == "" {
		c.stop()
		return nil, fmt.Errorf("server %s did not start: %s", v.name, &c.said)
	}
	return c, nil
}

func (c *child) stop() {
	_ = c.command.Process.Kill()
	<-c.ended
}

// cpu is the CPU time that the process has taken, in the kernel and outside, as
// Linux tells it; elsewhere it is not known.
func (c *child) cpu() (time.Duration, bool) {
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(c.command.Process.Pid), "stat"))
	if err != nil {
		return 0, false
	}
	d, err := parseStat(string(text))
	return d, err == nil
}

var errStat = errors.New("not the form of /proc/PID/stat")

// parseStat reads utime and stime, the 14th and 15th field. The second is a name
// in brackets that may contain anything. All architectures that Go runs on count
// in hundredths of a second.
func parseStat(text string) (time.Duration, error) {
	const tick = time.Second / 100
	fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
	if len(fields) < 13 {
		return 0, errStat
	}
	var sum time.Duration
	for _, field := range fields[11:13] {
		n, err := strconv.ParseUint(field, 10, 40)
		if err != nil {
			return 0, errStat
		}
		sum += time.Duration(n) * tick
	}
	return sum, nil
}
