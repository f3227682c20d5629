package openapi

import (
	"net/url"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/bearward/bearward/internal/server/config"
)

// member is one of an object.
type member struct {
	at    config.Position
	key   string
	value *yaml.Node
}

type members []member

func (m members) get(key string) (*yaml.Node, bool) {
	for i := range m {
		if m[i].key == key {
			return m[i].value, true
		}
	}
	return nil, false
}

func at(n *yaml.Node) config.Position {
	return config.Position{Line: n.Line, Column: n.Column}
}

// scalar is the text of a member, "" if it has none.
func (m members) scalar(key string) string {
	if n, there := m.get(key); there && n.Kind == yaml.ScalarNode {
		return n.Value
	}
	return ""
}

// plain is what a YAML alias stands for. Members and elements are plain already.
func plain(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode && n.Alias != nil {
		return n.Alias
	}
	return n
}

// object returns the members of a node that must have some. Two members of one
// name, and those that YAML's merge key would bring, are read differently by
// different programs.
func (r *reader) object(n *yaml.Node, what string) (members, bool) {
	if known, read := r.objects[n]; read {
		return known, true
	}
	if n.Kind != yaml.MappingNode {
		r.say(at(n), "%s must be an object", what)
		return nil, false
	}
	out, seen := make(members, 0, len(n.Content)/2), make(map[string]bool, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := plain(n.Content[i]), plain(n.Content[i+1])
		switch {
		case key.Kind != yaml.ScalarNode, key.ShortTag() == "!!merge":
			r.say(at(n.Content[i]), "a name must be text, and merge keys are not followed here: write the members out")
			return nil, false
		case seen[key.Value]:
			r.say(at(n.Content[i]), "%s is there twice", quote(key.Value))
			return nil, false
		}
		seen[key.Value] = true
		out = append(out, member{at(n.Content[i]), key.Value, value})
	}
	r.objects[n] = out
	return out, true
}

// small is object for what aliases and references may lead to over and over.
func (r *reader) small(n *yaml.Node, what string) (members, bool) {
	fields, ok := r.object(n, what)
	if len(fields) > maxMembers {
		r.say(at(n), "%s has more than %d members", what, maxMembers)
		return nil, false
	}
	return fields, ok
}

// member returns the members of an object's member, if there is one.
func (r *reader) member(of members, key string) (members, bool) {
	n, there := of.get(key)
	if !there {
		return nil, false
	}
	return r.object(n, key)
}

// text returns a scalar that is text.
func (r *reader) text(n *yaml.Node, what string) (string, bool) {
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!str" {
		r.say(at(n), "%s must be text", what)
		return "", false
	}
	return n.Value, true
}

// list returns the elements of a list.
func (r *reader) list(n *yaml.Node, what string) ([]*yaml.Node, bool) {
	if n.Kind != yaml.SequenceNode {
		r.say(at(n), "%s must be a list", what)
		return nil, false
	}
	out := make([]*yaml.Node, len(n.Content))
	for i, item := range n.Content {
		out[i] = plain(item)
	}
	return out, true
}

// follow returns the members of an object that may be elsewhere in the document.
// Beside a reference, what ours reports cannot stand: which of both counts is not
// defined.
func (r *reader) follow(n *yaml.Node, what string, ours func(member) bool) (members, bool) {
	for range maxReferences {
		fields, ok := r.small(n, what)
		if !ok {
			return nil, false
		}
		reference, there := fields.get("$ref")
		if !there {
			return fields, true
		}
		for _, m := range fields {
			if ours(m) {
				r.say(m.at, "%s beside $ref can be read in two ways: put it where $ref leads", quote(m.key))
				return nil, false
			}
		}
		if n, ok = r.resolve(reference); !ok {
			return nil, false
		}
	}
	r.say(at(n), "the references do not end")
	return nil, false
}

// pointer has the escapes of names (RFC 6901 §3).
var pointer = strings.NewReplacer("~1", "/", "~0", "~")

// resolve follows a reference within the document: a JSON Pointer as the fragment
// of a URI (RFC 6901 §6).
func (r *reader) resolve(reference *yaml.Node) (*yaml.Node, bool) {
	text, ok := r.text(reference, "$ref")
	if !ok {
		return nil, false
	}
	path, inside := strings.CutPrefix(text, "#/")
	if !inside {
		r.say(at(reference), "%s leads out of the document, and nothing else is read: bundle it into one", quote(text))
		return nil, false
	}
	n := r.root
	for name := range strings.SplitSeq(path, "/") {
		m, ok := r.object(n, "what a reference goes through")
		if !ok {
			return nil, false
		}
		if plain, err := url.PathUnescape(name); err == nil {
			name = plain
		}
		if n, ok = m.get(pointer.Replace(name)); !ok {
			r.say(at(reference), "%s leads nowhere", quote(text))
			return nil, false
		}
	}
	return n, true
}
