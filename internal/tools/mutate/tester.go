package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/bearward/bearward/internal/tools/markers"
)

type verdict int

const (
	notApplicable verdict = iota
	survived
	noticed
)

// result is what became of one marked line.
type result struct {
	markers.Marker
	verdict verdict
	detail  string
}

func (r result) String() string {
	return fmt.Sprintf("%s:%d %s %v", r.File, r.Line, r.Name, r.Rows)
}

// tester runs the tests of the module against one overlay at a time.
type tester struct {
	root       string
	module     string
	dependents map[string][]string // import path: packages whose tests use it
}

// newTester learns the packages and checks that the tests pass as they are.
func newTester(ctx context.Context, root string, chosen []markers.Marker) (*tester, error) {
	t := &tester{root: root, dependents: map[string][]string{}}
	out, err := t.goCommand(ctx, "list", "-m")
	if err != nil {
		return nil, fmt.Errorf("%w: %s", err, out)
	}
	t.module = strings.TrimSpace(out)
	if out, err = t.goCommand(ctx, "list", "-e", "-test", "-f", `{{.ImportPath}} {{join .Deps " "}}`, "./..."); err != nil {
		return nil, fmt.Errorf("%w: %s", err, out)
	}
	t.learn(out)

	baseline := []string{"test", "-short"}
	for _, m := range chosen {
		if pkg := t.pkg(m); !slices.Contains(baseline, pkg) {
			baseline = append(baseline, pkg)
		}
	}
	if len(chosen) == 0 {
		return t, nil
	}
	if out, err := t.goCommand(ctx, baseline...); err != nil {
		return nil, fmt.Errorf("the tests fail without any mutation:\n%s", out)
	}
	return t, nil
}

// learn reads the test binaries ("pkg.test" and its dependencies) of go list.
func (t *tester) learn(list string) {
	for line := range strings.Lines(list) {
		fields := strings.Fields(line)
		pkg, isTest := strings.CutSuffix(fields[0], ".test")
		if !isTest || slowOrUnrelated(strings.TrimPrefix(pkg, t.module)) {
			continue
		}
		for _, dep := range fields[1:] {
			if strings.HasPrefix(dep, t.module) && dep != pkg && !slices.Contains(t.dependents[dep], pkg) {
				t.dependents[dep] = append(t.dependents[dep], pkg)
			}
		}
	}
}

// slowOrUnrelated packages do not count: a rule needs a quick test.
func slowOrUnrelated(rel string) bool {
	return slices.ContainsFunc([]string{"/interop", "/internal/tools", "/examples", "/benchmarks"}, func(dir string) bool {
		return strings.HasPrefix(rel, dir)
	})
}

func (t *tester) pkg(m markers.Marker) string { return path.Join(t.module, path.Dir(m.File)) }

// all tests every marker, some at a time, and prints as it goes.
func (t *tester) all(ctx context.Context, chosen []markers.Marker, parallel int, verbose bool) []result {
	results := make([]result, len(chosen))
	next := make(chan int)
	var wg sync.WaitGroup
	for range parallel {
		wg.Go(func() {
			for i := range next {
				r := t.one(ctx, chosen[i])
				results[i] = r
				if verbose || r.verdict != noticed {
					fmt.Printf("%-14s %s %s\n", [...]string{"not applicable", "SURVIVED", "noticed"}[r.verdict], r, r.detail)
				}
			}
		})
	}
	for i := range chosen {
		if ctx.Err() != nil {
			break
		}
		next <- i
	}
	close(next)
	wg.Wait()
	return results
}

// one mutates a line and runs the tests of its package, then of the others
// that use it.
func (t *tester) one(ctx context.Context, m markers.Marker) result {
	r := result{Marker: m}
	file := filepath.Join(t.root, filepath.FromSlash(m.File))
	src, err := os.ReadFile(file)
	if err != nil {
		r.detail = err.Error()
		return r
	}
	mutants, err := mutate(src, m.Line)
	if err != nil {
		r.detail = err.Error()
		return r
	}
	overlay, err := t.compiling(ctx, file, t.pkg(m), mutants)
	if err != nil {
		r.detail = err.Error()
		return r
	}
	defer func() { _ = os.RemoveAll(filepath.Dir(overlay)) }()

	for _, pkgs := range [][]string{{t.pkg(m)}, t.dependents[t.pkg(m)]} {
		if len(pkgs) == 0 {
			continue
		}
		args := append([]string{"test", "-overlay", overlay, "-vet=off", "-short", "-failfast", "-count=1", "-timeout=90s"}, pkgs...)
		if out, err := t.goCommand(ctx, args...); err != nil {
			r.verdict, r.detail = noticed, firstFailure(out)
			return r
		}
	}
	r.verdict = survived
	return r
}

// compiling returns the overlay of the first mutant that compiles.
func (t *tester) compiling(ctx context.Context, file, pkg string, mutants [][]byte) (string, error) {
	var last error
	for _, mutant := range mutants {
		overlay, err := writeOverlay(file, mutant)
		if err != nil {
			return "", err
		}
		out, err := t.goCommand(ctx, "build", "-overlay", overlay, pkg)
		if err == nil {
			return overlay, nil
		}
		last = errors.New("does not compile: " + lastLine(out))
		_ = os.RemoveAll(filepath.Dir(overlay))
	}
	return "", last
}

// writeOverlay writes the mutant and the overlay file that puts it in place.
func writeOverlay(file string, mutant []byte) (string, error) {
	dir, err := os.MkdirTemp("", "mutate")
	if err != nil {
		return "", err
	}
	mutated := filepath.Join(dir, filepath.Base(file))
	if err := os.WriteFile(mutated, mutant, 0o600); err != nil {
		return "", err
	}
	raw, err := json.Marshal(map[string]map[string]string{"Replace": {file: mutated}})
	if err != nil {
		return "", err
	}
	overlay := filepath.Join(dir, "overlay.json")
	return overlay, os.WriteFile(overlay, raw, 0o600)
}

func (t *tester) goCommand(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = t.root
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	return out.String(), err
}

func lastLine(out string) string {
	lines := strings.Split(strings.TrimSpace(out), "\n")
	return lines[len(lines)-1]
}

var failure = regexp.MustCompile(`(?m)^\s*(--- FAIL: \S+|panic: .*|FAIL\s+\S+ \[build failed\])`)

func firstFailure(out string) string {
	if match := failure.FindStringSubmatch(out); match != nil {
		return match[1]
	}
	return lastLine(out)
}
