package openapi

import (
	"fmt"
	"go/token"
	"strings"

	"github.com/bearward/bearward/internal/server/route"
)

// pattern turns a path into that of a rule. inexact is the first segment of which
// a parameter is only a part, or "".
func pattern(path string) (out, inexact string) {
	segments := strings.Split(strings.TrimPrefix(path, "/"), "/")
	names := map[string]bool{}
	for i, s := range segments {
		switch {
		case s == "" && i == len(segments)-1:
			segments[i] = "{$}" // the path with this slash, and nothing below
		case strings.ContainsAny(s, "{}"):
			name, whole := inner(s)
			if !whole && inexact == "" {
				inexact = s
			}
			for n := i + 1; !token.IsIdentifier(name) || names[name]; n++ {
				name = fmt.Sprintf("p%d", n)
			}
			names[name] = true
			segments[i] = "{" + name + "}"
		}
	}
	return "/" + strings.Join(segments, "/"), inexact
}

// inner is the name of a parameter that is a whole segment.
func inner(segment string) (name string, whole bool) {
	name, open := strings.CutPrefix(segment, "{")
	name, closed := strings.CutSuffix(name, "}")
	return name, open && closed && name != "" && !strings.ContainsAny(name, "{}")
}

// shape is a pattern without the names of its parameters.
func shape(pattern string) string {
	method, path, found := strings.Cut(pattern, " ")
	if !found {
		method, path = "", pattern
	}
	segments := strings.Split(path, "/")
	for i, s := range segments {
		switch {
		case !strings.HasPrefix(s, "{"), s == "{$}":
		case strings.HasSuffix(s, "...}"):
			segments[i] = "{...}"
		default:
			segments[i] = "{}"
		}
	}
	return strings.TrimSpace(method + " " + strings.Join(segments, "/"))
}

// sound reports that a pattern can match, and is the only one of its shape.
func (r *reader) sound(path member, pattern string) bool {
	if err := route.Check(pattern); err != nil {
		r.say(path.at, "%s cannot be a rule: %v", quote(pattern), err)
		return false
	}
	first, twice := r.seen[shape(pattern)]
	if twice {
		r.say(path.at, "%s is the same as the path in line %d", quote(pattern), first.Line)
		return false
	}
	r.seen[shape(pattern)] = path.at
	return true
}

// conflicts finds patterns of which none is more specific, here and among the
// rules by hand.
func (r *reader) conflicts(byHand []string) {
	patterns := append([]string(nil), byHand...)
	for _, op := range r.operations {
		patterns = append(patterns, op.Rule.Match)
	}
	for _, pair := range route.Conflicts(patterns) {
		second := pair[1] - len(byHand)
		if second < 0 {
			continue // said by the file of rules
		}
		op := r.operations[second]
		const text = "%s and %s match some requests in common and none of both is more specific"
		if first := pair[0] - len(byHand); first >= 0 {
			r.say(op.Position, text, quote(op.Rule.Match), fmt.Sprintf("the operation in line %d", r.operations[first].Line))
		} else {
			r.say(op.Position, text, quote(op.Rule.Match), "the rule for "+quote(byHand[pair[0]]))
		}
	}
}
