package config

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/bearward/bearward/internal/server/document"
)

// Limits of the file.
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

const shortestSecret = 4 // bytes; replacing less would only garble texts

// secrets returns the values from the environment, the longest first.
func (n *node) secrets() (all []string) {
	if n.replaced && len(n.text) >= shortestSecret {
		all = append(all, n.text)
	}
	for _, item := range n.items {
		all = append(all, item.secrets()...)
	}
	for _, e := range n.entries {
		all = append(all, e.value.secrets()...)
	}
	slices.SortFunc(all, func(a, b string) int { return len(b) - len(a) })
	return all
}

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
	tree, fault := document.YAML(data, document.Limits{Bytes: maxFile, Levels: maxDepth})
	if fault != nil {
		r.faults.Add(fault.Position, "%s", fault.Text)
		return nil
	}
	root := r.node(tree)
	if root.kind != table {
		if root.kind != broken {
			r.faults.Add(Position{Line: 1, Column: 1}, "the file must be a table of keys, not %s", root.kind)
		}
		return nil
	}
	return root
}

func (r *reader) node(n *yaml.Node) *node {
	out := &node{Position: Position{Line: n.Line, Column: n.Column}, kind: broken}
	switch {
	case n.Kind == yaml.AliasNode || n.Anchor != "":
		r.faults.Add(out.Position, "anchors and aliases are not used here: write the value out")
	case n.Style&yaml.TaggedStyle != 0:
		r.faults.Add(out.Position, "tags are not used here: the key decides the type")
	case n.Kind == yaml.MappingNode:
		out.kind, out.entries = table, r.entries(n.Content)
	case n.Kind == yaml.SequenceNode:
		out.kind = list
		for _, item := range n.Content {
			out.items = append(out.items, r.node(item))
		}
	case n.Kind == yaml.ScalarNode:
		r.typed(out, n)
	default:
		r.faults.Add(out.Position, "this YAML feature is not used here")
	}
	return out
}

func (r *reader) typed(out *node, n *yaml.Node) {
	switch n.ShortTag() {
	case "!!null":
		out.kind = null
	case "!!bool":
		r.scalar(out, boolean, strings.ToLower(n.Value))
	case "!!int", "!!float":
		r.scalar(out, number, n.Value)
	default: // dates, too, are text here
		r.scalar(out, text, n.Value)
	}
}

func (r *reader) scalar(out *node, k kind, value string) {
	expanded, replaced, err := expand(value, r.lookup)
	if err != nil {
		r.faults.Add(out.Position, "%v", err)
		return
	}
	out.kind, out.text, out.replaced = k, expanded, replaced
}

// entries reads the pairs of a table: keys and values in turn.
func (r *reader) entries(pairs []*yaml.Node) []entry {
	var out []entry
	seen := map[string]int{}
	for i := 0; i+1 < len(pairs); i += 2 {
		key, value := pairs[i], pairs[i+1]
		at := Position{Line: key.Line, Column: key.Column}
		if fault := keyFault(key); fault != "" {
			r.faults.Add(at, "%s", fault)
			continue
		}
		if first, twice := seen[key.Value]; twice {
			r.faults.Add(at, "%s is a duplicate of the key in line %d", quote(key.Value), first)
			continue
		}
		seen[key.Value] = at.Line
		v := r.node(value)
		if v.kind == null {
			v.Position = at // where nothing is, there is no place
		}
		out = append(out, entry{at, key.Value, v})
	}
	return out
}

// keyFault says why a key is not a name, or nothing. A number or a boolean is
// a name here, as it is written.
func keyFault(key *yaml.Node) string {
	switch {
	case key.Kind == yaml.ScalarNode && key.ShortTag() == "!!merge":
		return "merge keys are not used here: write the keys out"
	case key.Kind != yaml.ScalarNode || key.Anchor != "" || key.Style&yaml.TaggedStyle != 0:
		return "a key must be plain or quoted text"
	case strings.Contains(key.Value, "${"):
		return "${NAME} works in values only"
	}
	return ""
}
