package doctor

import (
	"context"
	"strings"
	"testing"
)

// elsewhere are kinds that have tests of their own.
var elsewhere = map[*Kind]bool{expired: true, crashed: true}

// TestKinds: everything that can be found is found by a test, has a name of its
// own and, if it is wrong, one line that says how to fix it.
func TestKinds(t *testing.T) {
	planted := map[*Kind]bool{}
	for _, p := range plants {
		planted[p.found] = true
	}
	for _, f := range fronts {
		planted[f.found] = true
	}
	names := map[string]bool{}
	for _, k := range kinds {
		if !planted[k] && !elsewhere[k] {
			t.Errorf("no test finds %s", k.Name)
		}
		if names[k.Name] || strings.Trim(k.Name, "abcdefghijklmnopqrstuvwxyz0123456789_") != "" {
			t.Errorf("the name %q", k.Name)
		}
		names[k.Name] = true
		if wrong := k.Severity == Error || k.Severity == Warning; wrong && k.Fix == "" || strings.Contains(k.Fix, "\n") {
			t.Errorf("%s: the fix %q", k.Name, k.Fix)
		}
	}
	if len(Kinds()) != len(kinds) {
		t.Error("Kinds is not all")
	}
}

// A check that ends early takes no other finding away.
func TestDefect(t *testing.T) {
	e := &exam{}
	e.guarded(t.Context(), func(_ context.Context, e *exam) {
		e.say(clockFine)
		panic("a defect")
	})
	if len(e.findings) != 2 || e.findings[0].Name != clockFine.Name || e.findings[1].Name != crashed.Name {
		t.Errorf("%+v", e.findings)
	}
}
