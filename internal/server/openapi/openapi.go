// Package openapi makes rules of the security requirements in an OpenAPI
// document, 3.0 or 3.1 (docs/openapi.md).
//
// It reads what decides who may call an operation, and nothing else: versions,
// servers, paths, methods, security and security schemes. What it cannot turn
// into a rule exactly is a fault with its line, never a rule that lets more pass
// (docs/adr/0017).
package openapi

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/bearward/bearward/internal/server/config"
	"github.com/bearward/bearward/internal/server/document"
)

// Limits of a document.
const (
	MaxBytes      = 8 << 20
	maxOperations = 10_000
	maxFaults     = 100
	maxReferences = 16   // one after another
	maxChoices    = 64   // alternatives, and scopes of each
	maxMembers    = 1000 // of a path, an operation or a security scheme
)

// Operation is one method of one path.
type Operation struct {
	config.Position
	Rule   config.Rule // of a pattern, scopes and whether a token is needed
	Denied bool        // the document does not say who may call it: nobody
}

// Options say what the document does not.
type Options struct {
	BasePath string   // prefix of all paths; "": what the servers have
	ByHand   []string // patterns of rules that stand in for operations
}

// Read returns the operations that no rule by hand stands in for. The error is a
// *[config.Faults] with everything that is wrong; name is what it calls the
// document.
func Read(name string, data []byte, options Options) ([]Operation, error) {
	r := &reader{faults: &config.Faults{Name: name}, byHand: map[string]bool{}, base: options.BasePath}
	for _, pattern := range options.ByHand {
		r.byHand[shape(pattern)] = true
	}
	parse := document.YAML
	if document.IsJSON(data) {
		parse = document.JSON
	}
	tree, fault := parse(data, document.Limits{Bytes: MaxBytes})
	if fault != nil {
		r.say(fault.Position, "%s", fault.Text)
		return nil, r.faults.Err()
	}
	r.document(tree)
	r.conflicts(options.ByHand)
	if err := r.faults.Err(); err != nil {
		return nil, err
	}
	return r.operations, nil
}

// reader collects operations and faults.
type reader struct {
	faults *config.Faults
	byHand map[string]bool // by shape
	base   string          // "": that of servers

	root     *yaml.Node
	servers  members
	fallback *requirement // of operations without their own; nil: none
	schemes  members
	judged   map[string]scheme

	// What was read is read once, however often an alias or the document's own
	// setting counts.
	objects map[*yaml.Node]members
	bases   map[*yaml.Node]base         // of lists of servers
	needs   map[*yaml.Node]*requirement // of operations

	operations []Operation
	seen       map[string]config.Position // by shape
}

func (r *reader) say(at config.Position, format string, args ...any) {
	if len(r.faults.List) < maxFaults {
		r.faults.Add(at, format, args...)
	}
}

// methods are the operations of a path item, in their order in the
// specification.
var methods = []string{"get", "put", "post", "delete", "options", "head", "patch", "trace"}

func (r *reader) document(tree *yaml.Node) {
	r.root, r.judged, r.seen = tree, map[string]scheme{}, map[string]config.Position{}
	r.objects, r.bases, r.needs = map[*yaml.Node]members{}, map[*yaml.Node]base{}, map[*yaml.Node]*requirement{}
	root, ok := r.object(tree, "the document")
	if !ok || !r.version(root) {
		return
	}
	if components, ok := r.member(root, "components"); ok {
		r.schemes, _ = r.member(components, "securitySchemes")
	}
	if security, there := root.get("security"); there {
		r.fallback = &requirement{node: security, operation: "the operations without security of their own"}
	}
	r.servers = root
	paths, ok := r.member(root, "paths")
	if !ok {
		if _, there := root.get("paths"); !there {
			r.say(at(tree), "there are no paths")
		}
		return
	}
	for _, p := range paths {
		switch {
		case strings.HasPrefix(p.key, "x-"):
		case !strings.HasPrefix(p.key, "/"):
			r.say(p.at, "the path %s does not begin with a slash", quote(p.key))
		default:
			r.item(p)
		}
		if len(r.operations) > maxOperations {
			r.say(p.at, "there are more than %d operations", maxOperations)
			return
		}
	}
}

// version accepts what this package knows.
func (r *reader) version(root members) bool {
	if old, there := root.get("swagger"); there {
		r.say(at(old), "this is Swagger 2.0: convert it to OpenAPI 3")
		return false
	}
	version, there := root.get("openapi")
	switch {
	case !there:
		r.say(config.Position{Line: 1, Column: 1}, "this is no OpenAPI document: openapi is missing")
		return false
	case version.Kind != yaml.ScalarNode || !known(version.Value):
		r.say(at(version), "the version is not 3.0 or 3.1")
		return false
	}
	return true
}

func known(version string) bool {
	return slices.ContainsFunc([]string{"3.0", "3.1"}, func(v string) bool { return version == v || strings.HasPrefix(version, v+".") })
}

// item reads the operations of a path.
func (r *reader) item(path member) {
	item, servers, ok := r.pathItem(path)
	if !ok {
		return
	}
	for _, m := range item {
		switch {
		case slices.Contains(methods, m.key):
			r.operation(path, strings.ToUpper(m.key), m, servers)
		case strings.HasPrefix(m.key, "x-"), slices.Contains([]string{"$ref", "summary", "description", "servers", "parameters"}, m.key):
		default: // a method in capitals, for example
			r.say(m.at, "%s is no part of a path: methods are %s", quote(m.key), strings.Join(methods, " "))
		}
	}
}

// pathItem is what a path leads to. servers are its own, or else those of the
// document.
func (r *reader) pathItem(path member) (item, servers members, ok bool) {
	item, ok = r.follow(path.value, "a path", func(m member) bool { return slices.Contains(methods, m.key) || m.key == "servers" })
	servers = r.servers
	if _, own := item.get("servers"); own {
		servers = item
	}
	return item, servers, ok
}

// operation makes a rule, unless there is one by hand.
func (r *reader) operation(path member, method string, m member, servers members) {
	fields, ok := r.small(m.value, "an operation")
	if !ok {
		return
	}
	if _, own := fields.get("servers"); own {
		servers = fields
	}
	base, ok := r.basePath(servers)
	if !ok {
		return
	}
	pattern, inexact := pattern(base + path.key)
	if r.byHand[shape(pattern)] || r.byHand[shape(method+" "+pattern)] {
		return
	}
	pattern = method + " " + pattern
	here := fmt.Sprintf("a rule for %q by hand", pattern)
	if inexact != "" {
		r.say(path.at, "%s is a part of a segment, and rules have whole segments: write %s", quote(inexact), here)
		return
	}
	if !r.sound(path, pattern) {
		return
	}
	need, own := r.fallback, false
	if security, there := fields.get("security"); there {
		need, own = r.need(security, pattern), true
	}
	op := Operation{Position: m.at, Rule: config.Rule{Match: pattern}}
	if need == nil || !own && need.empty() { // [PV-08]
		op.Denied = true
	} else if !r.apply(need, &op.Rule) {
		return
	}
	r.operations = append(r.operations, op)
}

func quote(s string) string {
	const most = 80
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return fmt.Sprintf("%q", s)
}
