package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bearward/bearward/internal/tools/markers"
)

func root(t *testing.T) string {
	t.Helper()
	dir, err := markers.Root()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func read(t *testing.T, name ...string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(append([]string{root(t)}, name...)...))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func TestDocumentsAreUpToDate(t *testing.T) {
	for name, write := range documents {
		want, err := write(root(t))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, read(t, "docs", name)); diff != "" {
			t.Errorf("docs/%s is out of date: run `go run ./internal/tools/docs`\n%s", name, diff)
		}
	}
}

// Each row that the code answers for has a line that enforces it and a test.
func TestRowsAreCovered(t *testing.T) {
	rows, unknown, err := table(root(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range unknown {
		t.Errorf("marker for a row that rows.txt does not list: %s", text)
	}
	for _, r := range rows {
		switch r.kind {
		case "code":
			if len(r.files) == 0 {
				t.Errorf("%s (%s): no line of code is marked", r.id, r.what)
			}
			fallthrough
		case "test":
			if len(r.tests) == 0 {
				t.Errorf("%s (%s): no test is marked", r.id, r.what)
			}
		case "docs":
			if _, err := os.Stat(filepath.Join(root(t), filepath.FromSlash(r.why))); err != nil {
				t.Errorf("%s (%s): %v", r.id, r.what, err)
			}
		}
	}
}

func TestParseRowsRefusesFaults(t *testing.T) {
	for name, text := range map[string]string{
		"columns":        "AA-01 | MUST | code",
		"kind":           "AA-01 | MUST | maybe | words here",
		"twice":          "AA-01 | MUST | code | words here\nAA-01 | MUST | code | words here",
		"without reason": "AA-01 | MUST | later | words here",
		"needless":       "AA-01 | MUST | code | words here | reason",
	} {
		if _, err := parseRows(text); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

var (
	direct = regexp.MustCompile(`(?m)^(?:require )?\t?([a-z0-9.]+\.[a-z]+/\S+|[a-z0-9]+\.[a-z]+\.[a-z]+\S*) v\S+$`)
	listed = regexp.MustCompile("(?m)^\\| `([^`]+)` \\| (.+) \\|$")
)

// Every direct requirement has one line that justifies it, and no line speaks
// of a module that is not required.
func TestDependenciesAreJustified(t *testing.T) {
	required := map[string]bool{}
	for _, match := range direct.FindAllStringSubmatch(read(t, "go.mod"), -1) {
		required[match[1]] = true
	}
	if len(required) == 0 {
		t.Error("go.mod has no direct requirement: run `go mod tidy`")
	}
	seen := map[string]bool{}
	for _, match := range listed.FindAllStringSubmatch(read(t, "docs", "dependencies.md"), -1) {
		switch name := match[1]; {
		case seen[name]:
			t.Errorf("docs/dependencies.md lists %s twice", name)
		case !required[name]:
			t.Errorf("docs/dependencies.md lists %s, which go.mod does not require directly", name)
		case strings.Trim(match[2], " |-") == "":
			t.Errorf("docs/dependencies.md gives no reason for %s", name)
		}
		seen[match[1]] = true
	}
	for name := range required {
		if !seen[name] {
			t.Errorf("docs/dependencies.md does not justify %s", name)
		}
	}
}
