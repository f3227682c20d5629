package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/bearward/bearward/benchmarks/machine"
)

// row is one line of go test -bench: its numbers, and the limits of some, which
// have the number's name and a suffix.
type row struct {
	name    string
	numbers map[string]float64
}

const (
	atMost  = ":most"
	atLeast = ":least"
)

// parse reads the output of go test.
func parse(text string) (rows []row) {
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) < 4 || !strings.HasPrefix(fields[0], "Benchmark") {
			continue
		}
		r := row{strings.TrimPrefix(fields[0], "Benchmark"), map[string]float64{}}
		if cut := strings.LastIndexByte(r.name, '-'); cut > 0 { // the number of processors
			if _, err := strconv.Atoi(r.name[cut+1:]); err == nil {
				r.name = r.name[:cut]
			}
		}
		for i := 2; i+1 < len(fields); i += 2 {
			if value, err := strconv.ParseFloat(fields[i], 64); err == nil {
				r.numbers[fields[i+1]] = value
			}
		}
		rows = append(rows, r)
	}
	return rows
}

// usual are the numbers that have a column of their own.
var usual = []string{"floor-cpu-ns", "cpu-ns", "wall-ns", "ratio", "allocs"}

// held says what the row is held to, and whether it holds all of it.
func (r *row) held() (text, verdict string) {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(r.numbers)) {
		number, limit := strings.TrimSuffix(strings.TrimSuffix(name, atMost), atLeast), r.numbers[name]
		have := r.numbers[number]
		sign, good := "≤", have <= limit
		switch {
		case number == name:
			continue
		case strings.HasSuffix(name, atLeast):
			sign, good = "≥", have >= limit
		}
		part := number + " " + sign + " " + figure(limit)
		if !slices.Contains(usual, number) {
			part = number + " " + figure(have) + " " + sign + " " + figure(limit)
		}
		if !good {
			part = "**" + part + "**"
		}
		parts = append(parts, part)
	}
	verdict = "met"
	switch text = strings.Join(parts, ", "); {
	case text == "":
		verdict = ""
	case strings.Contains(text, "**"):
		verdict = "missed"
	}
	return text, verdict
}

// others are the numbers without a column and without a limit.
func (r *row) others() string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(r.numbers)) {
		_, most := r.numbers[name+atMost]
		_, least := r.numbers[name+atLeast]
		if most || least || strings.Contains(name, ":") || name == "ns/op" || slices.Contains(usual, name) {
			continue
		}
		parts = append(parts, name+" "+figure(r.numbers[name]))
	}
	return strings.Join(parts, ", ")
}

func figure(v float64) string {
	switch {
	case v == float64(int64(v)):
		return strconv.FormatInt(int64(v), 10)
	case v < 10:
		return strconv.FormatFloat(v, 'f', 3, 64)
	}
	return strconv.FormatFloat(v, 'f', 0, 64)
}

func (r *row) cell(number string) string {
	if v, ok := r.numbers[number]; ok {
		return figure(v)
	}
	return ""
}

// write prints everything as Markdown.
func (o *options) write(ctx context.Context, w io.Writer, m machine.Machine, command []string, rows []row) {
	fmt.Fprint(w, "# Benchmarks\n\n")
	m.Write(w, versions(ctx))
	fmt.Fprintf(w, "- `%s`\n\n", strings.Join(command, " "))
	fmt.Fprint(w, `Numbers are medians of interleaved rounds, in nanoseconds of this process's CPU time
for one call, wall time beside it; the ratio is to the floor in the same round. more-ns
is what a row costs beyond its floor and a lookup in the cache. What each row is about
stands at its benchmark, where its time goes in docs/performance.md.

| row | floor | CPU | wall | ratio | allocs | held to | | also |
| --- | ---: | ---: | ---: | ---: | ---: | --- | --- | --- |
`)
	for i := range rows {
		r := &rows[i]
		held, verdict := r.held()
		fmt.Fprintf(w, "| %s |", r.name)
		for _, number := range usual {
			fmt.Fprintf(w, " %s |", r.cell(number))
		}
		fmt.Fprintf(w, " %s | %s | %s |\n", held, verdict, r.others())
	}
}
