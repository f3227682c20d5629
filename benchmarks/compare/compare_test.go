package main

import (
	"bytes"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bearward/bearward/benchmarks/rounds"
)

func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	os.Exit(m.Run())
}

// TestChecks holds what each library checks as it is set up here, so that an
// update that changes it is seen.
func TestChecks(t *testing.T) {
	unchecked := map[string][]string{zitadel.name: {"nbf"}}
	for _, algorithm := range algorithms {
		s, err := newScene(t.Context(), algorithm)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range libraries {
			t.Run(algorithm+"/"+l.name, func(t *testing.T) {
				refuses, err := check(t.Context(), l, s)
				if err != nil {
					t.Fatal(err)
				}
				for i, f := range flaws {
					if want := !slices.Contains(unchecked[l.name], f.name); refuses[i] != want {
						t.Errorf("a token with another %s: refused is %v, want %v", f.name, refuses[i], want)
					}
				}
			})
		}
	}
}

// TestReport runs everything shortly.
func TestReport(t *testing.T) {
	var out bytes.Buffer
	if err := report(t.Context(), &out, short, true); err != nil {
		t.Fatal(err)
	}
	for _, l := range libraries {
		if !strings.Contains(out.String(), "| "+l.name) {
			t.Errorf("no row for %s", l.name)
		}
	}
}

// TestStampede holds bearward to its targets, which do not depend on who comes
// first.
func TestStampede(t *testing.T) {
	c := short.crowd
	c.callers, c.followers, c.turns = full.crowd.callers, full.crowd.followers, full.crowd.turns
	var got []string
	for _, a := range acts {
		outcomes, err := tries(t.Context(), c, bearwardDefault, a)
		if err != nil {
			t.Fatalf("%s: %v", a.title, err)
		}
		got = append(got, a.show(outcomes))
	}
	if diff := cmp.Diff([]string{"1", "1", "1", "0", "yes", "no", "0"}, got); diff != "" {
		t.Errorf("bearward (-want +got):\n%s", diff)
	}
}

// TestRefused shows that a refusal is seen before it is measured.
func TestRefused(t *testing.T) {
	s, err := newScene(t.Context(), "ES256")
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range libraries {
		if l.protect == nil {
			continue
		}
		p, err := l.protect(t.Context(), s.target)
		if err != nil {
			t.Fatal(err)
		}
		panics(t, l.name, served(t.Context(), l.name, p, s.forged()).run)
	}
	v, err := bearwardDefault.verify(t.Context(), s.target)
	if err != nil {
		t.Fatal(err)
	}
	panics(t, "bearward", again(t.Context(), "bearward", v, s.forged()).run)
}

func panics(t *testing.T, name string, f func()) {
	t.Helper()
	defer func() {
		if recover() == nil {
			t.Errorf("%s: a forged token is measured", name)
		}
	}()
	f()
}

func TestSpan(t *testing.T) {
	for want, calls := range map[string][]int{"1": {1, 1}, "1-3": {2, 1, 3}} {
		var o []outcome
		for _, n := range calls {
			o = append(o, outcome{calls: n})
		}
		if got := showCalls(o); got != want {
			t.Errorf("showCalls(%v) = %q, want %q", calls, got, want)
		}
	}
	if got := showAccepted([]outcome{{calls: 1, failed: 2}}); got != "1 (2 refused)" {
		t.Errorf("showAccepted = %q", got)
	}
}

func TestMerge(t *testing.T) {
	var all table
	one := table{head: []string{"Library"}, rows: [][]string{{"a", "checked"}}}
	if err := all.merge(one, "RS256"); err != nil {
		t.Fatal(err)
	}
	if err := all.merge(table{head: one.head, rows: [][]string{{"a", "not checked"}}}, "ES256"); err == nil {
		t.Error("tables that differ are merged")
	}
	all.print(io.Discard)
}

func TestAhead(t *testing.T) {
	sides := []side{{name: "floor"}, {name: bearwardDefault.name}, {name: "faster"}, {name: "slower"}}
	got := ahead(sides, []rounds.Result{{Ratio: 1}, {Ratio: 3}, {Ratio: 2}, {Ratio: 4}})
	if diff := cmp.Diff([]string{"faster"}, got); diff != "" {
		t.Errorf("ahead (-want +got):\n%s", diff)
	}
	var out bytes.Buffer
	sayAhead(&out, got)
	if want := "Ahead of bearward: faster.\n\n"; out.String() != want {
		t.Errorf("sayAhead = %q, want %q", out.String(), want)
	}
}
