// Package route finds the one rule that decides about a request.
//
// Rules are patterns of http.ServeMux. The server behind may read a path in
// another way than we do: decode it again, drop what is empty, resolve dots,
// cut parameters. A request is therefore matched in every such reading, and
// where two of them select different rules it is refused: nobody gets the rule
// of one resource and the answer of another.
package route

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
)

// Outcome says what became of a request.
type Outcome int

// The outcomes. The zero value refuses.
const (
	Unmatched Outcome = iota // no rule has this method and path: 403
	Ambiguous                // the path can be read in more than one way: 400
	Matched
)

// Table holds the rules of one server. It is safe for concurrent use.
type Table struct {
	mux   *http.ServeMux
	index map[string]int
}

// New makes a table of patterns that Check accepts and that do not conflict;
// it panics on others, as ServeMux does. Match returns positions in patterns.
func New(patterns []string) *Table {
	t := &Table{mux: http.NewServeMux(), index: make(map[string]int, len(patterns))}
	for i, p := range patterns {
		t.mux.Handle(p, http.NotFoundHandler())
		t.index[p] = i
	}
	return t
}

// Match returns the rule for a method and a path as received, undecoded and
// without query.
func (t *Table) Match(method, raw string) (rule int, outcome Outcome) {
	if method == http.MethodConnect { // a tunnel has no path to judge
		return 0, Unmatched
	}
	if evident(raw) {
		rule = t.ask(method, raw, "")
	} else {
		all, ok := forms(raw)
		if !ok { // [PV-08]
			return 0, Ambiguous
		}
		rule = t.lookup(method, all[0])
		for _, f := range all[1:] {
			if t.lookup(method, f) != rule { // [PV-08]
				return 0, Ambiguous
			}
		}
	}
	if rule < 0 { // [PV-08]
		return 0, Unmatched
	}
	return rule, Matched
}

// lookup asks ServeMux for one reading. The answer of a redirect to the form
// with a final slash is that form's rule.
func (t *Table) lookup(method string, f form) int {
	var b strings.Builder
	for i, segment := range f {
		b.WriteByte('/')
		b.WriteString(opaque(segment, i == len(f)-1))
	}
	escaped := b.String()
	return t.ask(method, decode(escaped), escaped)
}

// probe is what ServeMux is asked with, used again and again.
type probe struct {
	r http.Request
	u url.URL
}

var probes = sync.Pool{New: func() any { return new(probe) }}

func (t *Table) ask(method, path, escaped string) int {
	p := probes.Get().(*probe)
	p.u = url.URL{Path: path, RawPath: escaped}
	p.r.Method, p.r.URL = method, &p.u
	_, pattern := t.mux.Handler(&p.r)
	probes.Put(p)
	if pattern != "" {
		return t.index[pattern]
	}
	return -1
}

// evident reports a path that everybody reads in the same way: forms would
// return what it is, and lookup write that again.
func evident(raw string) bool {
	if raw == "" || raw[0] != '/' {
		return false
	}
	for i := range len(raw) {
		switch c := raw[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_', c == '~':
		case c == '.' && raw[i-1] != '/':
		case c == '/' && (i == 0 || raw[i-1] != '/'):
		default:
			return false
		}
	}
	return true
}

// nameless is a segment that wildcards match and no literal does: Check
// refuses patterns with NUL.
const nameless = "%00"

// opaque writes a segment so that ServeMux takes it as it is: it neither
// cleans it away nor takes it for a slash of the pattern.
func opaque(segment string, last bool) string {
	switch segment {
	case "":
		if last {
			return ""
		}
		return nameless
	case "/":
		return nameless
	case ".":
		return "%2E"
	case "..":
		return "%2E%2E"
	}
	return url.PathEscape(segment)
}
