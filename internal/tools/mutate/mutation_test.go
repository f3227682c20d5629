package main

import (
	"strings"
	"testing"
)

func TestMutate(t *testing.T) {
	for _, c := range []struct{ name, marked, want string }{
		{"if", "if n > 1 { // MARK\nf()\n}", "if false && (n > 1) { // MARK\nf()\n}"},
		{"if with init", "if err := g(); err != nil { // MARK\nf()\n}", "if err := g(); false && (err != nil) { // MARK\nf()\n}"},
		{"else if", "if n > 1 {\nf()\n} else if n < 0 { // MARK\nf()\n}", "if n > 1 {\nf()\n} else if false && (n < 0) { // MARK\nf()\n}"},
		{"for", "for n > 1 { // MARK\nf()\n}", "for false && (n > 1) { // MARK\nf()\n}"},
		{"statement", "f() // MARK", "// MARK"},
		{"assignment", "n = 3 // MARK", "// MARK"},
		{"defer", "defer f() // MARK", "// MARK"},
		{"row", "_ = []int{\n1, // MARK\n2,\n}", "_ = []int{\n// MARK\n2,\n}"},
		{"keyed row", "_ = map[int]int{\n1: 2, // MARK\n}", "_ = map[int]int{\n// MARK\n}"},
		{"nested row", "_ = [][]int{\n{1, 2}, // MARK\n}", "_ = [][]int{\n// MARK\n}"},
		{"case", "switch n {\ncase 1: // MARK\nf()\ncase 2:\n}", "switch n {\n\n\ncase 2:\n}"},
		{"guard case", "switch {\ncase n > 1: // MARK\nf()\n}", "switch {\ncase false && (n > 1): // MARK\nf()\n}"},
		{"guard call", "switch {\ncase g(nil): // MARK\nf()\n}", "switch {\ncase false && (g(nil)): // MARK\nf()\n}"},
		{"or", "if n > 1 ||\nn < 0 || // MARK\nn == 7 {\nf()\n}", "if n > 1 ||\n(false && (n < 0)) || // MARK\nn == 7 {\nf()\n}"},
		{"and", "if n > 1 &&\nn < 9 { // MARK\nf()\n}", "if n > 1 &&\n(true || (n < 9)) { // MARK\nf()\n}"},
		{"return", "func() bool {\nreturn n > 1 && n < 9 // MARK\n}()", "func() bool {\nreturn n > 1 && (true || (n < 9)) // MARK\n}()"},
		{"in a closure", "g(func() {\nf() // MARK\n})", "g(func() {\n// MARK\n})"},
	} {
		t.Run(c.name, func(t *testing.T) {
			const head, tail = "package p\n\nfunc _() {\n", "\n}\n"
			src := head + c.marked + tail
			line := 1 + strings.Count(src[:strings.Index(src, "MARK")], "\n")
			got, err := mutate([]byte(src), line)
			if err != nil {
				t.Fatal(err)
			}
			if want := head + c.want + tail; string(got[0]) != want {
				t.Errorf("got\n%s\nwant\n%s", got[0], want)
			}
		})
	}
}

// Where deleting does not compile a later version may.
func TestMutateFallsBack(t *testing.T) {
	for _, c := range []struct{ name, marked, want string }{
		{"values", "return g(1), nil // MARK", "return mutantZero[*int](g(1)), mutantZero[error](nil)// MARK"},
		{"values of a call", "return g(1) // MARK", "return mutantZeros[*int, error](g(1)) // MARK"},
		{"definition", "v := h() // MARK\ng(v)", "v := mutantZero(h()) // MARK\ng(v)"},
		{"variable in use", "for _, v := range h() {\ng(v) // MARK\n}", "for _, v := range h() {\n_ = v; // MARK\n}"},
		{"case body", "switch {\ndefault:\nreturn g(2) // MARK\n}", "switch {\ndefault:\nreturn mutantZeros[*int, error](g(2)) // MARK\n}"},
	} {
		t.Run(c.name, func(t *testing.T) {
			const head, tail = "package p\n\nfunc f() (p *int, err error) {\n", "\n}\n"
			got, err := mutate([]byte(head+c.marked+tail), 4+strings.Count(c.marked[:strings.Index(c.marked, "MARK")], "\n"))
			if err != nil {
				t.Fatal(err)
			}
			for _, version := range got {
				if strings.ReplaceAll(string(version), "; //", ";//") == strings.ReplaceAll(head+c.want+tail+helper, "; //", ";//") {
					return
				}
			}
			t.Errorf("not among the versions:\n%s", got)
		})
	}
}

func TestMutateNegatesConditions(t *testing.T) {
	got, err := mutate([]byte("package p\n\nfunc f() bool {\n\treturn g(1) == 2 // MARK\n}\n"), 4)
	if err != nil || len(got) < 2 {
		t.Fatal(got, err)
	}
	if want := "package p\n\nfunc f() bool {\n\treturn !(g(1) == 2) // MARK\n}\n" + helper; string(got[1]) != want {
		t.Errorf("got\n%s\nwant\n%s", got[1], want)
	}
}

func TestMutateRefusesOtherLines(t *testing.T) {
	for _, src := range []string{
		"package p\n\nvar x = 1 // MARK\n",
		"package p\n\nfunc f() { // MARK\n}\n",
		"package p\n\nfunc f() {\n\tg(1,\n\t\t2, // MARK\n\t)\n}\n",
	} {
		line := 1 + strings.Count(src[:strings.Index(src, "MARK")], "\n")
		if got, err := mutate([]byte(src), line); err == nil {
			t.Errorf("mutated\n%s\ninto\n%s", src, got)
		}
	}
}
