package main

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"strings"
)

// mutate returns src with what stands on the marked line disabled: the
// condition of an if or for becomes false, one operand of a condition that
// spans lines becomes neutral, a case loses its clause, and a statement or an
// element of a table that fits on the line is deleted. Where that cannot compile
// the later versions may: they return zero values or the opposite, define a
// variable as zero, or keep what the deleted statement used in use.
func mutate(src []byte, line int) ([][]byte, error) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "", src, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	f := finder{fset: fset, src: src, line: line}
	ast.Inspect(file, f.visit)
	if f.edit == nil {
		return nil, errors.New("the line is no condition, case, statement or table row of its own")
	}
	versions := [][]byte{f.edit.apply(fset, src)}
	for _, e := range f.fallbacks {
		versions = append(versions, append(e.apply(fset, src), helper...))
	}
	return versions, nil
}

// helper is what later versions may call.
const helper = `
func mutantZero[T any](T) (zero T) { return }
func mutantZeros[T, U any](T, U) (t T, u U) { return }
`

func (e *edit) apply(fset *token.FileSet, src []byte) []byte {
	start, end := fset.Position(e.from).Offset, fset.Position(e.to).Offset
	var b strings.Builder
	b.Write(src[:start])
	b.WriteString(e.before)
	if e.keep {
		b.Write(src[start:end])
	} else { // the lines stay, so that messages point to the right place
		b.WriteString(strings.Repeat("\n", strings.Count(string(src[start:end]), "\n")))
		for end < len(src) && (src[end] == ' ' || src[end] == ',') {
			end++ // the comma after a table row
		}
	}
	b.WriteString(e.after)
	b.Write(src[end:])
	return []byte(b.String())
}

// edit replaces the source from..to, or wraps it where keep is set.
type edit struct {
	from, to      token.Pos
	before, after string
	keep          bool
}

func wrap(expr ast.Expr, before, after string) *edit {
	return &edit{from: expr.Pos(), to: expr.End(), before: before, after: after, keep: true}
}

func remove(n ast.Node) *edit { return &edit{from: n.Pos(), to: n.End()} }

// finder looks for the outermost thing on the line that can be disabled.
type finder struct {
	fset *token.FileSet
	src  []byte
	line int

	edit      *edit
	fallbacks []*edit

	results *ast.FieldList // of the innermost function around the line
	outer   ast.Node       // the outermost one
}

func (f *finder) on(pos token.Pos) bool { return f.fset.Position(pos).Line == f.line }

func (f *finder) fits(n ast.Node) bool { return f.on(n.Pos()) && f.on(n.End()) }

func (f *finder) visit(n ast.Node) bool {
	if n == nil || f.edit != nil {
		return false
	}
	if f.fset.Position(n.Pos()).Line > f.line || f.fset.Position(n.End()).Line < f.line {
		return false
	}
	switch n := n.(type) {
	case *ast.FuncDecl:
		f.results, f.outer = n.Type.Results, n
	case *ast.FuncLit:
		f.results = n.Type.Results
	case *ast.IfStmt:
		if f.on(n.Body.Lbrace) {
			f.edit = f.condition(n.Cond)
		}
	case *ast.ForStmt:
		if n.Cond != nil && f.on(n.Body.Lbrace) {
			f.edit = f.condition(n.Cond)
		}
	case *ast.BinaryExpr:
		f.edit = f.operand(n)
	case *ast.SwitchStmt:
		f.edit = f.guard(n)
	case *ast.CaseClause:
		if f.edit = f.statement(n.Body); f.on(n.Colon) {
			f.edit = remove(n)
		}
	case *ast.CommClause:
		if f.edit = f.statement(n.Body); f.on(n.Colon) {
			f.edit = remove(n)
		}
	case *ast.BlockStmt:
		f.edit = f.statement(n.List)
	case *ast.CompositeLit:
		f.edit = f.element(n.Elts)
	}
	return f.edit == nil
}

// condition disables a condition, or its last operand if it spans lines.
func (f *finder) condition(cond ast.Expr) *edit {
	if f.fits(cond) {
		return wrap(cond, "false && (", ")")
	}
	if both, ok := cond.(*ast.BinaryExpr); ok {
		return f.operand(both)
	}
	return nil
}

// operand makes the one operand of && or || on the line neutral.
func (f *finder) operand(n *ast.BinaryExpr) *edit {
	if n.Op != token.LAND && n.Op != token.LOR || f.fits(n) {
		return nil
	}
	for _, side := range []ast.Expr{n.Y, n.X} {
		if f.fits(side) {
			return neutral(n.Op, side)
		}
	}
	return nil
}

// neutral wraps an operand of && or || so that the other side decides.
func neutral(op token.Token, side ast.Expr) *edit {
	if op == token.LAND {
		return wrap(side, "(true || (", "))")
	}
	return wrap(side, "(false && (", "))")
}

// zero makes a return yield zero values, or the opposite of a condition.
func (f *finder) zero(s *ast.ReturnStmt) []*edit {
	if f.results == nil || len(s.Results) == 0 {
		return nil
	}
	if ident, ok := f.results.List[0].Type.(*ast.Ident); ok && ident.Name == "bool" && len(s.Results) == 1 {
		return []*edit{wrap(s.Results[0], "!(", ")")}
	}
	var kinds []string
	for _, field := range f.results.List {
		for range max(1, len(field.Names)) {
			kinds = append(kinds, types.ExprString(field.Type))
		}
	}
	if len(s.Results) == 1 && len(kinds) == 2 { // both come from one call
		return []*edit{wrap(s.Results[0], "mutantZeros["+strings.Join(kinds, ", ")+"](", ")")}
	}
	if len(s.Results) != len(kinds) {
		return nil
	}
	zeros := make([]string, len(kinds))
	for n, result := range s.Results {
		zeros[n] = "mutantZero[" + kinds[n] + "](" + f.text(result) + ")"
	}
	return []*edit{{from: s.Pos(), to: s.End(), before: "return " + strings.Join(zeros, ", ")}}
}

func (f *finder) text(n ast.Node) string {
	return string(f.src[f.fset.Position(n.Pos()).Offset:f.fset.Position(n.End()).Offset])
}

// uses writes statements that use the variables of the enclosing function that
// s uses, so that none becomes unused with s.
func (f *finder) uses(s ast.Stmt) string {
	defined := map[string]bool{}
	ast.Inspect(f.outer, func(n ast.Node) bool {
		var left []ast.Expr
		switch n := n.(type) {
		case *ast.AssignStmt:
			if n.Tok == token.DEFINE {
				left = n.Lhs
			}
		case *ast.RangeStmt:
			left = []ast.Expr{n.Key, n.Value}
		}
		for _, e := range left {
			if ident, ok := e.(*ast.Ident); ok && ident.Name != "_" {
				defined[ident.Name] = true
			}
		}
		return true
	})
	var b strings.Builder
	ast.Inspect(s, func(n ast.Node) bool {
		if ident, ok := n.(*ast.Ident); ok && defined[ident.Name] {
			b.WriteString("_ = " + ident.Name + "; ")
			delete(defined, ident.Name)
		}
		return true
	})
	return b.String()
}

// guard makes the guard on the line false, in a switch without a tag: that
// also compiles where the clause has the only use of a variable.
func (f *finder) guard(n *ast.SwitchStmt) *edit {
	if n.Tag != nil {
		return nil
	}
	for _, s := range n.Body.List {
		clause, ok := s.(*ast.CaseClause)
		if ok && f.on(clause.Colon) && len(clause.List) == 1 && f.fits(clause.List[0]) {
			return wrap(clause.List[0], "false && (", ")")
		}
	}
	return nil
}

// statement removes a plain statement that fits on the line; a returned && or
// || loses its last operand.
func (f *finder) statement(list []ast.Stmt) *edit {
	for _, s := range list {
		if !f.fits(s) {
			continue
		}
		switch s := s.(type) {
		case *ast.IfStmt, *ast.ForStmt, *ast.SwitchStmt, *ast.BlockStmt:
			return nil // visited by themselves
		case *ast.ReturnStmt:
			if len(s.Results) == 1 {
				if both, ok := s.Results[0].(*ast.BinaryExpr); ok && (both.Op == token.LAND || both.Op == token.LOR) {
					return neutral(both.Op, both.Y)
				}
			}
			f.fallbacks = f.zero(s)
		case *ast.AssignStmt:
			if s.Tok == token.DEFINE && len(s.Rhs) == 1 && len(s.Lhs) == 1 {
				f.fallbacks = []*edit{wrap(s.Rhs[0], "mutantZero(", ")")}
			}
		}
		if uses := f.uses(s); uses != "" {
			f.fallbacks = append(f.fallbacks, &edit{from: s.Pos(), to: s.End(), before: uses})
		}
		return remove(s)
	}
	return nil
}

// element removes a row of a table, or the one operand on the line.
func (f *finder) element(list []ast.Expr) *edit {
	for _, e := range list {
		if f.fits(e) {
			return remove(e)
		}
	}
	return nil
}
