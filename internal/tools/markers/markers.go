// Package markers finds the comments that tie code and tests to the rows of
// docs/rfcs.md: a comment holding one or more row ids in brackets.
package markers

import (
	"cmp"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Marker is one marker comment.
type Marker struct {
	Rows []string // row ids, as written
	File string   // slash-separated, relative to the root
	Name string   // enclosing top-level declaration
	Line int
	Test bool // in a _test.go file
}

// Place is the marker's file and declaration: it survives edits, a line number
// does not.
func (m Marker) Place() string { return m.File + ":" + m.Name }

var pattern = regexp.MustCompile(`\[([A-Z]{2}-\d{2}(?:[ ,]+[A-Z]{2}-\d{2})*)\]`)

// Root returns the directory of go.mod, looking upwards from the working one.
func Root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", os.ErrNotExist
		}
		dir = parent
	}
}

// Scan returns the markers of the Go files below root, ordered by file and
// line. The tools themselves, nested modules and testdata are left out.
func Scan(root string) ([]Marker, error) {
	var all []Marker
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		if entry.IsDir() {
			return skip(path, rel, entry.Name())
		}
		if !strings.HasSuffix(rel, ".go") {
			return nil
		}
		src, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		found, err := File(rel, src)
		all = append(all, found...)
		return err
	})
	slices.SortStableFunc(all, func(a, b Marker) int {
		return cmp.Or(strings.Compare(a.File, b.File), a.Line-b.Line)
	})
	return all, err
}

func skip(path, rel, name string) error {
	switch {
	case rel == ".":
		return nil
	case rel == "internal/tools", name == "testdata", name == "node_modules", strings.HasPrefix(name, "."):
		return filepath.SkipDir
	}
	if _, err := os.Stat(filepath.Join(path, "go.mod")); err == nil {
		return filepath.SkipDir
	}
	return nil
}

// File returns the markers of one file.
func File(name string, src []byte) ([]Marker, error) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, name, src, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	var found []Marker
	for _, group := range file.Comments {
		for _, comment := range group.List {
			var rows []string
			for _, match := range pattern.FindAllStringSubmatch(comment.Text, -1) {
				rows = append(rows, strings.FieldsFunc(match[1], func(r rune) bool { return r == ' ' || r == ',' })...)
			}
			if len(rows) == 0 {
				continue
			}
			found = append(found, Marker{
				Rows: rows,
				File: name,
				Name: enclosing(file, comment.Pos()),
				Line: fset.Position(comment.Pos()).Line,
				Test: strings.HasSuffix(name, "_test.go"),
			})
		}
	}
	return found, nil
}

// enclosing names the top-level declaration around pos, doc comment and a
// trailing comment on its last line included.
func enclosing(file *ast.File, pos token.Pos) string {
	name := "-"
	for _, decl := range file.Decls {
		start := decl.Pos()
		if doc := docOf(decl); doc != nil {
			start = doc.Pos()
		}
		if start > pos {
			break
		}
		name = nameOf(decl, pos)
	}
	return name
}

func docOf(decl ast.Decl) *ast.CommentGroup {
	switch d := decl.(type) {
	case *ast.FuncDecl:
		return d.Doc
	case *ast.GenDecl:
		return d.Doc
	}
	return nil
}

func nameOf(decl ast.Decl, pos token.Pos) string {
	switch d := decl.(type) {
	case *ast.FuncDecl:
		if d.Recv != nil && len(d.Recv.List) == 1 {
			return receiver(d.Recv.List[0].Type) + "." + d.Name.Name
		}
		return d.Name.Name
	case *ast.GenDecl:
		name := d.Tok.String()
		for _, spec := range d.Specs {
			if spec.Pos() > pos && name != d.Tok.String() {
				break
			}
			switch s := spec.(type) {
			case *ast.ValueSpec:
				name = s.Names[0].Name
			case *ast.TypeSpec:
				name = s.Name.Name
			}
		}
		return name
	}
	return "-"
}

func receiver(expr ast.Expr) string {
	switch e := expr.(type) {
	case *ast.StarExpr:
		return receiver(e.X)
	case *ast.IndexExpr:
		return receiver(e.X)
	case *ast.IndexListExpr:
		return receiver(e.X)
	case *ast.Ident:
		return e.Name
	}
	return "-"
}
