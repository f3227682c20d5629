package main

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"github.com/bearward/bearward/internal/tools/markers"
)

//go:embed rows.txt
var rowsFile string

// row is one line of rows.txt, and the marked places that carry its id.
type row struct {
	id, level, kind, what, why string

	files, tests []string
}

// families are the two letters of the row ids, in the order of the document.
var families = []struct{ letters, title string }{
	{"TR", "Transport and token extraction"},
	{"ER", "Status codes and challenges"},
	{"JO", "JOSE: parsing, algorithms, keys"},
	{"CL", "Claims and token type"},
	{"JK", "Keys, JWKS and discovery"},
	{"IN", "Introspection"},
	{"DP", "DPoP"},
	{"MT", "Mutual TLS and certificate headers"},
	{"AZ", "Authorization: scope, audience, step-up"},
	{"MD", "Protected resource metadata"},
	{"CA", "Caching"},
	{"RV", "Revocation and status"},
	{"PV", "Privacy, logging, operations"},
	{"GR", "gRPC and Connect"},
	{"HS", "FAPI 2.0"},
	{"MC", "Model Context Protocol servers"},
}

// parseRows reads the data file.
func parseRows(text string) ([]*row, error) {
	var rows []*row
	seen := map[string]bool{}
	for n, line := range strings.Split(text, "\n") {
		if strings.HasPrefix(line, "#") || strings.TrimSpace(line) == "" {
			continue
		}
		cells := strings.Split(line, " | ")
		if len(cells) < 4 || len(cells) > 5 {
			return nil, fmt.Errorf("rows.txt:%d: want id | level | kind | what [| why]", n+1)
		}
		r := &row{id: cells[0], level: cells[1], kind: cells[2], what: cells[3]}
		if len(cells) == 5 {
			r.why = cells[4]
		}
		reasoned := slices.Contains([]string{"docs", "later", "no"}, r.kind)
		switch {
		case seen[r.id]:
			return nil, fmt.Errorf("rows.txt:%d: %s twice", n+1, r.id)
		case !reasoned && r.kind != "code" && r.kind != "test":
			return nil, fmt.Errorf("rows.txt:%d: unknown kind %q", n+1, r.kind)
		case reasoned != (r.why != ""):
			return nil, fmt.Errorf("rows.txt:%d: kind %s and the last column do not fit", n+1, r.kind)
		}
		seen[r.id] = true
		rows = append(rows, r)
	}
	return rows, nil
}

// table returns the rows with their places, and the ids that markers name and
// rows.txt does not.
func table(root string) ([]*row, []string, error) {
	rows, err := parseRows(rowsFile)
	if err != nil {
		return nil, nil, err
	}
	found, err := markers.Scan(root)
	if err != nil {
		return nil, nil, err
	}
	byID := map[string]*row{}
	for _, r := range rows {
		byID[r.id] = r
	}
	var unknown []string
	for _, m := range found {
		for _, id := range m.Rows {
			r, ok := byID[id]
			switch {
			case !ok && !ours(id):
				// a row of a later part, marked early
			case !ok:
				unknown = append(unknown, fmt.Sprintf("%s at %s", id, m.Place()))
			case m.Test && !slices.Contains(r.tests, m.Place()):
				r.tests = append(r.tests, m.Place())
			case !m.Test && !slices.Contains(r.files, m.Place()):
				r.files = append(r.files, m.Place())
			}
		}
	}
	return rows, unknown, nil
}

// ours reports whether the row belongs to a family of the document.
func ours(id string) bool {
	for _, f := range families {
		if strings.HasPrefix(id, f.letters) {
			return true
		}
	}
	return false
}

const rfcsHead = `# Requirements: row, file, test

Made by ` + "`go run ./internal/tools/docs`" + ` from internal/tools/docs/rows.txt and the
markers in the code; a test keeps it up to date. ` + "`make mutate`" + ` disables each
marked line in turn and expects a test to fail.

The level is the word of the specification; with * the specification is silent
or weaker and the row is the project's own rule.
`

// rfcs writes docs/rfcs.md.
func rfcs(root string) (string, error) {
	rows, _, err := table(root)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	b.WriteString(rfcsHead)
	for _, f := range families {
		fmt.Fprintf(&b, "\n## %s: %s\n\n| row | level | what | enforced in | tested in |\n| --- | --- | --- | --- | --- |\n", f.letters, f.title)
		for _, r := range rows {
			if strings.HasPrefix(r.id, f.letters) {
				fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", r.id, r.level, r.what, r.enforced(), places(r.tests))
			}
		}
	}
	return b.String(), nil
}

func (r *row) enforced() string {
	switch r.kind {
	case "docs":
		return r.why
	case "later":
		return "later: " + r.why
	case "no":
		return "not offered: " + r.why
	case "test":
		if len(r.files) == 0 {
			return "by structure"
		}
	}
	return places(r.files)
}

func places(list []string) string { return strings.Join(list, "<br>") }
