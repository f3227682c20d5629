package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/bearward/bearward/benchmarks/rounds"
)

// table is printed as Markdown.
type table struct {
	head []string
	rows [][]string
}

func (t *table) print(w io.Writer) {
	line := func(cells []string) { fmt.Fprintf(w, "| %s |\n", strings.Join(cells, " | ")) }
	line(t.head)
	rule := make([]string, len(t.head))
	for i := range rule {
		rule[i] = "---"
	}
	line(rule)
	for _, row := range t.rows {
		line(row)
	}
	fmt.Fprintln(w)
}

// add appends the columns of one measurement; name goes before each.
func (t *table) add(name string, sides []side, results []rounds.Result) {
	if len(t.head) == 0 {
		t.head = []string{"Library"}
		for _, s := range sides {
			t.rows = append(t.rows, []string{s.name})
		}
	}
	t.head = append(t.head, name+"µs", "ratio", "allocations")
	for i, r := range results {
		t.rows[i] = append(t.rows[i], fmt.Sprintf("%.2f", r.CPU/1e3), fmt.Sprintf("%.2f", r.Ratio), fmt.Sprintf("%.0f", r.Allocs))
	}
}

// merge requires of a second table that it is the same as the first.
func (t *table) merge(other table, name string) error {
	if len(t.head) == 0 {
		*t = other
		return nil
	}
	for i, row := range t.rows {
		if !slices.Equal(row, other.rows[i]) {
			return fmt.Errorf("%s: %v, but %v before", name, other.rows[i], row)
		}
	}
	return nil
}
