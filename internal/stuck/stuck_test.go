package stuck

import (
	"strings"
	"testing"
)

// TestEntries: each entry is reproduced, and what it is said by says the line.
func TestEntries(t *testing.T) {
	names := map[string]bool{}
	for _, e := range Entries {
		names[e.Name] = true
		reproduce := reproductions[e.Name]
		if reproduce == nil {
			t.Errorf("%s: nothing reproduces it", e.Name)
			continue
		}
		t.Run(e.Name, func(t *testing.T) {
			said := reproduce(t)
			if e.By == Docs {
				said = e.Line // what it says is what was reproduced
			}
			if !strings.Contains(said, e.Line) {
				t.Errorf("%q is not in\n%s", e.Line, said)
			}
			if strings.ContainsAny(e.Line, "\n|") {
				t.Errorf("not one line: %q", e.Line)
			}
		})
	}
	for name := range reproductions {
		if !names[name] {
			t.Errorf("%s is in no list", name)
		}
	}
}
