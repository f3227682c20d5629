package config

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// Limits of the file. The parser's time grows with the square of the depth.
const (
	maxFile  = 256 << 10
	maxDepth = 64
)

type kind int

const (
	text kind = iota // a string, quoted or plain
	boolean
	number
	null
	list
	table
	broken // reported already
)

func (k kind) String() string {
	return [...]string{"text", "true or false", "a number", "nothing", "a list", "a table", "broken"}[k]
}

// node is one value of the file: what is left of YAML once everything that
// could make two readers disagree was refused.
type node struct {
	Position
	kind     kind
	text     string // of a scalar, with ${NAME} replaced
	replaced bool   // text is from the environment: typed by its use, never printed
	items    []*node
	entries  []entry
}

type entry struct {
	Position
	key   string
	value *node
}

// fromEnvironment stands for a value that may be a secret.
const fromEnvironment = "the value from the environment"

// shown is the text of a scalar for a fault.
func (n *node) shown() string {
	if n.replaced {
		return fromEnvironment
	}
	return quote(n.text)
}

// reader turns YAML into nodes.
type reader struct {
	lookup func(string) (string, bool)
	faults *Faults
}

// read parses data. It returns nil if nothing can be decoded.
func (r *reader) read(data []byte) *node {
	if at, fault := readable(data); fault != "" {
		r.faults.add(at, "%s", fault)
		return nil
	}
	parsed, err := parse(data)
	if err != nil {
		r.syntax(err)
		return nil
	}
	start := Position{1, 1}
	switch {
	case len(parsed.Docs) > 1:
		r.faults.add(start, "the file has more than one YAML document or a YAML directive")
		return nil
	case len(parsed.Docs) == 0 || parsed.Docs[0].Body == nil:
		r.faults.add(start, "the file is empty")
		return nil
	}
	root := r.node(parsed.Docs[0].Body)
	if root.kind != table {
		if root.kind != broken {
			r.faults.add(start, "the file must be a table of keys, not %s", root.kind)
		}
		return nil
	}
	return root
}

// readable says why the parser should not see data, or nothing.
func readable(data []byte) (at Position, fault string) {
	at = Position{1, 1}
	if len(data) > maxFile {
		return at, fmt.Sprintf("the file is longer than %d bytes", maxFile)
	}
	depth, dashes, leading := 0, 0, true
	for len(data) > 0 {
		c, size := utf8.DecodeRune(data)
		data = data[size:]
		switch {
		case c == '\ufeff':
			return at, "there is a byte order mark: save the file as UTF-8 without one"
		case c == utf8.RuneError && size < 2, c == 0:
			return at, "the file is not UTF-8 text"
		case c == '[', c == '{':
			depth++
		case c == ']', c == '}':
			depth = max(depth-1, 0)
		}
		switch { // lists within lists, on one line
		case c == '\n':
			at, dashes, leading = Position{at.Line + 1, 0}, 0, true
		case leading && (c == '-' || c == '?'):
			dashes++
		case c != ' ' && c != '\t':
			leading = false
		}
		if depth > maxDepth || dashes > maxDepth {
			return at, fmt.Sprintf("the file has more than %d levels", maxDepth)
		}
		at.Column++
	}
	return at, ""
}

// parse keeps duplicate keys, so that they are reported with all other faults,
// and turns a panic of the parser into a fault of the file.
func parse(data []byte) (file *ast.File, err error) {
	defer func() {
		if recover() != nil {
			file, err = nil, errors.New("the file is not valid YAML")
		}
	}()
	return parser.ParseBytes(data, 0, parser.AllowDuplicateMapKey())
}

func (r *reader) syntax(err error) {
	at, message := Position{1, 1}, err.Error()
	var e yaml.Error
	if errors.As(err, &e) {
		message = e.GetMessage()
		if t := e.GetToken(); t != nil && t.Position != nil {
			at = Position{t.Position.Line, t.Position.Column}
		}
	}
	message, _, _ = strings.Cut(message, "\n")
	r.faults.add(at, "this is not valid YAML: %s", message)
}

func position(n ast.Node) Position {
	switch v := n.(type) {
	case *ast.MappingNode:
		if !v.IsFlowStyle && len(v.Values) > 0 {
			return position(v.Values[0].Key)
		}
	case *ast.MappingValueNode:
		return position(v.Key)
	}
	if t := n.GetToken(); t != nil && t.Position != nil {
		return Position{t.Position.Line, t.Position.Column}
	}
	return Position{1, 1}
}

func (r *reader) node(n ast.Node) *node {
	out := &node{Position: position(n), kind: broken}
	switch v := n.(type) {
	case *ast.MappingNode:
		out.kind, out.entries = table, r.entries(v.Values)
	case *ast.MappingValueNode:
		out.kind, out.entries = table, r.entries([]*ast.MappingValueNode{v})
	case *ast.SequenceNode:
		out.kind = list
		for _, item := range v.Values {
			out.items = append(out.items, r.node(item))
		}
	case *ast.StringNode:
		r.scalar(out, text, v.Value)
	case *ast.LiteralNode:
		r.scalar(out, text, v.Value.Value)
	case *ast.BoolNode:
		r.scalar(out, boolean, strings.ToLower(v.Token.Value))
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		r.scalar(out, number, n.GetToken().Value)
	case *ast.NullNode:
		out.kind = null
	case *ast.AnchorNode, *ast.AliasNode:
		r.faults.add(out.Position, "anchors and aliases are not used here: write the value out")
	case *ast.TagNode:
		r.faults.add(out.Position, "tags are not used here: the key decides the type")
	default:
		r.faults.add(out.Position, "this YAML feature is not used here")
	}
	return out
}

func (r *reader) scalar(out *node, k kind, value string) {
	expanded, replaced, err := expand(value, r.lookup)
	if err != nil {
		r.faults.add(out.Position, "%v", err)
		return
	}
	out.kind, out.text, out.replaced = k, expanded, replaced
}

func (r *reader) entries(values []*ast.MappingValueNode) []entry {
	var out []entry
	seen := map[string]int{}
	for _, v := range values {
		at := position(v.Key)
		if _, merge := v.Key.(*ast.MergeKeyNode); merge {
			r.faults.add(at, "merge keys are not used here: write the keys out")
			continue
		}
		key, ok := keyText(v.Key)
		if !ok {
			r.faults.add(at, "a key must be plain or quoted text")
			continue
		}
		if strings.Contains(key, "${") {
			r.faults.add(at, "${NAME} works in values only")
			continue
		}
		if first, twice := seen[key]; twice {
			r.faults.add(at, "%s is a duplicate of the key in line %d", quote(key), first)
			continue
		}
		seen[key] = at.Line
		value := r.node(v.Value)
		if value.kind == null {
			value.Position = at // where nothing is, there is no place
		}
		out = append(out, entry{at, key, value})
	}
	return out
}

// keyText returns the key as written: a number or a boolean is a name here.
func keyText(n ast.Node) (string, bool) {
	switch v := n.(type) {
	case *ast.StringNode:
		return v.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.NullNode:
		return v.GetToken().Value, true
	}
	return "", false
}
