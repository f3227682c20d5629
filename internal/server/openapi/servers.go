package openapi

import (
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/bearward/bearward/internal/server/route"
)

// basePath is the prefix of the paths on every one of the servers.
func (r *reader) basePath(of members) (base string, ok bool) {
	if r.base != "" {
		return strings.TrimSuffix(r.base, "/"), true
	}
	servers, there := of.get("servers")
	if !there {
		return "", true
	}
	known, read := r.bases[servers]
	if !read {
		known.path, known.ok = r.common(servers)
		r.bases[servers] = known
	}
	return known.path, known.ok
}

// base is what common returns.
type base struct {
	path string
	ok   bool
}

// common is the path that all servers of a list have.
func (r *reader) common(servers *yaml.Node) (base string, ok bool) {
	all, ok := r.list(servers, "servers")
	for i, server := range all {
		path, sound := r.serverPath(server)
		switch {
		case !sound:
			return "", false
		case i > 0 && path != base:
			r.say(at(server), "the servers have different paths, %s and %s: set openapi_base_path to that of requests as they arrive here", quote(base), quote(path))
			return "", false
		}
		base = path
	}
	return base, ok
}

// serverPath is the path of a server's URL without its final slash.
func (r *reader) serverPath(server *yaml.Node) (string, bool) {
	fields, ok := r.object(server, "a server")
	if !ok {
		return "", false
	}
	node, there := fields.get("url")
	if !there {
		r.say(at(server), "a server has no url")
		return "", false
	}
	text, ok := r.text(node, "url")
	if !ok {
		return "", false
	}
	variables, _ := r.member(fields, "variables")
	return r.expand(node, text, variables)
}

// expand puts the defaults of variables into a server's URL. One in the path must
// have no other value.
func (r *reader) expand(node *yaml.Node, text string, variables members) (string, bool) {
	const how = ": set openapi_base_path"
	fault := func(format string, args ...any) (string, bool) {
		r.say(at(node), format+how, args...)
		return "", false
	}
	path := text
	if scheme, rest, absolute := strings.Cut(text, "://"); absolute || strings.HasPrefix(text, "//") {
		if !absolute {
			scheme, rest = "", text[2:]
		}
		if strings.ContainsAny(scheme, "/?#") {
			return fault("%s is not a URL", quote(text))
		}
		authority, below, _ := strings.Cut(rest, "/")
		if strings.ContainsAny(authority, "?#") || r.slashed(variables, authority) {
			return fault("where the path of %s begins is not clear", quote(text))
		}
		path = "/" + below
	}
	if path != "" && path[0] != '/' {
		return fault("%s is relative to where the document is", quote(text))
	}
	var out strings.Builder
	for {
		before, rest, open := strings.Cut(path, "{")
		out.WriteString(before)
		if !open {
			break
		}
		name, after, _ := strings.Cut(rest, "}")
		value, ok := r.only(variables, name)
		if !ok {
			return fault("the path of %s has the variable %s, which may have more than one value", quote(text), quote(name))
		}
		out.WriteString(value)
		path = after
	}
	base := strings.TrimSuffix(out.String(), "/")
	if strings.ContainsAny(base, "?#{}") || base != "" && route.Check(base) != nil {
		return fault("the path of %s cannot be that of requests", quote(text))
	}
	return base, true
}

// slashed reports that a variable of an authority may bring a part of the path.
func (r *reader) slashed(variables members, authority string) bool {
	for part := range strings.SplitSeq(authority, "{") {
		name, _, closed := strings.Cut(part, "}")
		if !closed {
			continue
		}
		fields, _ := r.member(variables, name)
		values := []*yaml.Node{}
		if byDefault, there := fields.get("default"); there {
			values = append(values, byDefault)
		}
		if enum, there := fields.get("enum"); there {
			all, _ := r.list(enum, "enum")
			values = append(values, all...)
		}
		for _, v := range values {
			if strings.ContainsAny(v.Value, "/?#") {
				return true
			}
		}
	}
	return false
}

// only is the one value of a variable.
func (r *reader) only(variables members, name string) (string, bool) {
	fields, ok := r.member(variables, name)
	if !ok {
		return "", false
	}
	byDefault, _ := fields.get("default")
	values, there := fields.get("enum")
	if byDefault == nil || !there {
		return "", false
	}
	all, ok := r.list(values, "enum")
	if !ok || len(all) != 1 || all[0].Value != byDefault.Value {
		return "", false
	}
	return byDefault.Value, true
}
