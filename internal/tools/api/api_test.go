// Package api holds the exported names of the module to its rules: no type of a
// library in a signature, so that libraries can be replaced, and no name
// without a comment.
package api

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/bearward/bearward/internal/tools/markers"
)

const module = "github.com/bearward/bearward"

// visible lists the libraries whose types are the point of a package.
var visible = map[string]string{
	"adapters/ginauth":  "github.com/gin-gonic/gin",
	"adapters/grpcauth": "google.golang.org/grpc",
}

func TestExportedNames(t *testing.T) {
	root, err := markers.Root()
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	err = filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		switch base := entry.Name(); {
		case entry.IsDir():
			if name != root && (base == "internal" || base == "cmd" || base == "examples" || base == "node_modules" || base[0] == '.') {
				return filepath.SkipDir
			}
			return nil
		case !strings.HasSuffix(base, ".go") || strings.HasSuffix(base, "_test.go"):
			return nil
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, fault := range check(fset, file, visible[path.Dir(filepath.ToSlash(rel))]) {
			t.Errorf("%s: %s", rel, fault)
		}
		found++
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if found == 0 {
		t.Error("no file was read")
	}
}

func TestCheck(t *testing.T) {
	const head = "package p\nimport (\n\"net/http\"\n\"example.org/lib\"\nmine \"" + module + "/validate\"\n)\n"
	for src, want := range map[string]int{
		"// F is.\nfunc F(lib.T) {}":                            1,
		"// F is.\nfunc F() []map[string]*lib.T {panic(0)}":     1,
		"// F is.\nfunc F(http.Handler) mine.Key {panic(0)}":    0,
		"// F is.\nfunc F() { _ = lib.T{} }":                    0,
		"func f(lib.T) {}":                                      0,
		"func F() {}":                                           1,
		"type t int\nfunc (t) F(lib.T) {}":                      0,
		"// T is.\ntype T int\n// F is.\nfunc (*T) F(lib.T) {}": 1,
		"// T is.\ntype T struct { A lib.T; b lib.T }":          1,
		"// T is.\ntype T struct { lib.T }":                     1,
		"// T is.\ntype T interface { F(lib.T) }":               1,
		"// T is.\ntype T = lib.T":                              1,
		"type T int":                                            1,
		"// V is.\nvar V lib.T":                                 1,
		"// V is.\nvar V = lib.T{}":                             1,
		"// V is.\nvar V, w = 1, 2":                             0,
		"var V = 1":                                             1,
		"const (\n V = 1 // is\n W = 2\n)":                      1,
	} {
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, "p.go", head+src, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		if got := check(fset, file, ""); len(got) != want {
			t.Errorf("%s\n%d faults, want %d: %q", src, len(got), want, got)
		}
	}
}

// check returns the faults of a file in which only the types of one library,
// if any, may be seen.
func check(fset *token.FileSet, file *ast.File, library string) []string {
	c := checker{fset: fset, foreign: map[string]string{}}
	for _, spec := range file.Imports {
		name, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			panic(err) // the parser has accepted it
		}
		first, _, _ := strings.Cut(name, "/")
		own := name == module || strings.HasPrefix(name, module+"/")
		if !strings.Contains(first, ".") || own || library != "" && name == library {
			continue
		}
		local := path.Base(name)
		if spec.Name != nil {
			local = spec.Name.Name
		} else if strings.HasPrefix(local, "v") && strings.Trim(local[1:], "0123456789") == "" {
			local = path.Base(path.Dir(name))
		}
		c.foreign[local] = name
	}
	for _, decl := range file.Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			if d.Name.IsExported() && (d.Recv == nil || exportedReceiver(d.Recv.List[0].Type)) {
				c.doc(d.Name, d.Doc)
				c.types(d.Name, d.Type)
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				c.spec(d, spec)
			}
		}
	}
	return c.faults
}

type checker struct {
	fset    *token.FileSet
	foreign map[string]string // name in the file: import path
	faults  []string
}

func (c *checker) spec(d *ast.GenDecl, spec ast.Spec) {
	switch s := spec.(type) {
	case *ast.TypeSpec:
		if s.Name.IsExported() {
			c.doc(s.Name, s.Doc, d.Doc)
			c.types(s.Name, s.Type)
		}
	case *ast.ValueSpec:
		for i, name := range s.Names {
			if !name.IsExported() {
				continue
			}
			c.doc(name, s.Doc, s.Comment, d.Doc)
			switch {
			case s.Type != nil:
				c.types(name, s.Type)
			case i < len(s.Values):
				c.types(name, s.Values[i])
			}
		}
	}
}

func (c *checker) doc(name *ast.Ident, comments ...*ast.CommentGroup) {
	for _, comment := range comments {
		if comment.Text() != "" {
			return
		}
	}
	c.say(name, "has no comment")
}

// types looks for libraries in what others see of a type or a signature.
func (c *checker) types(name *ast.Ident, node ast.Node) {
	ast.Inspect(node, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Field:
			hidden := len(n.Names) > 0
			for _, field := range n.Names {
				hidden = hidden && !field.IsExported()
			}
			_, structure := node.(*ast.StructType)
			return !structure || !hidden
		case *ast.SelectorExpr:
			if pkg, ok := n.X.(*ast.Ident); ok && c.foreign[pkg.Name] != "" {
				c.say(name, "shows "+c.foreign[pkg.Name]+"."+n.Sel.Name)
			}
		}
		return true
	})
}

func (c *checker) say(name *ast.Ident, fault string) {
	c.faults = append(c.faults, strconv.Itoa(c.fset.Position(name.Pos()).Line)+": "+name.Name+" "+fault)
}

func exportedReceiver(expr ast.Expr) bool {
	switch e := expr.(type) {
	case *ast.StarExpr:
		return exportedReceiver(e.X)
	case *ast.IndexExpr:
		return exportedReceiver(e.X)
	case *ast.Ident:
		return e.IsExported()
	}
	return true
}
