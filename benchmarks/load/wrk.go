package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const wrkThreads = 2

//go:embed wrk.lua
var wrkScript []byte

// wrkVersion is the first word that wrk says of itself after its name; empty if
// there is no wrk.
func wrkVersion(ctx context.Context) string {
	text, _ := exec.CommandContext(ctx, "wrk", "-v").CombinedOutput() // its status is 1 all the same
	fields := strings.Fields(string(text))
	if len(fields) < 2 || fields[0] != "wrk" {
		return ""
	}
	return fields[1]
}

// runWrk lets wrk send the tokens of a file in turn.
func (b *bench) runWrk(ctx context.Context, address, tokens string) (sample, uint64, error) {
	script := filepath.Join(b.dir, "wrk.lua")
	if err := os.WriteFile(script, wrkScript, 0o600); err != nil {
		return sample{}, 0, err
	}
	seconds := int(math.Ceil(b.time.Seconds()))
	text, err := exec.CommandContext(ctx, "wrk",
		"-t", strconv.Itoa(wrkThreads), "-c", strconv.Itoa(max(b.connections, wrkThreads)), "-d", strconv.Itoa(seconds)+"s",
		"-s", script, "http://"+address+path, "--", tokens, strconv.Itoa(wrkThreads)).CombinedOutput()
	if err != nil {
		return sample{}, 0, fmt.Errorf("wrk: %w\n%s", err, text)
	}
	return parseWrk(string(text))
}

var errWrk = errors.New("wrk printed no result")

// parseWrk reads the line that the script prints: requests, microseconds, wrong
// statuses, other failures and latencies in microseconds.
func parseWrk(text string) (sample, uint64, error) {
	_, line, _ := strings.Cut(text, "\nresult ")
	line, _, _ = strings.Cut(line, "\n")
	var n [9]uint64
	fields := strings.Fields(line)
	if len(fields) != len(n) {
		return sample{}, 0, errWrk
	}
	for i, field := range fields {
		var err error
		if n[i], err = strconv.ParseUint(field, 10, 50); err != nil {
			return sample{}, 0, errWrk
		}
	}
	switch {
	case n[0] == 0 || n[1] == 0:
		return sample{}, 0, errWrk
	case n[2]+n[3] > 0:
		return sample{}, 0, fmt.Errorf("wrk: %d wrong answers, %d failures", n[2], n[3])
	}
	micro := func(i int) time.Duration { return time.Duration(n[i]) * time.Microsecond }
	return sample{
		rate: float64(n[0]) / micro(1).Seconds(),
		p50:  micro(4), p90: micro(5), p99: micro(6), p999: micro(7), max: micro(8),
	}, n[0], nil
}
