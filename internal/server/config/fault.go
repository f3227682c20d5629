package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/bearward/bearward/internal/server/document"
)

// Position is a place in the file.
type Position = document.Position

// Fault is one thing that is wrong in the file.
type Fault = document.Fault

// Faults is everything that is wrong in one file, in the order of the file.
type Faults struct {
	Name string // of the file
	List []Fault
}

// Error lists the faults, one per line, as FILE:LINE:COLUMN: text.
func (f *Faults) Error() string { return strings.Join(f.Lines(), "\n") }

// Lines are those of Error.
func (f *Faults) Lines() []string {
	lines := make([]string, len(f.List))
	for i, fault := range f.List {
		lines[i] = fmt.Sprintf("%s:%d:%d: %s", f.Name, fault.Line, fault.Column, fault.Text)
	}
	return lines
}

// Add notes one more.
func (f *Faults) Add(at Position, format string, args ...any) {
	f.List = append(f.List, Fault{Position: at, Text: fmt.Sprintf(format, args...)})
}

// Err returns the sorted faults, or nil if there are none.
func (f *Faults) Err() error {
	if len(f.List) == 0 {
		return nil
	}
	slices.SortStableFunc(f.List, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	f.List = slices.Compact(f.List)
	return f
}
