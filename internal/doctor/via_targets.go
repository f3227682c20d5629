package doctor

import (
	"net/http"
	"strings"

	"github.com/bearward/bearward/internal/server/route"
)

// target is a request that the rules of the file decide about.
type target struct{ method, path string }

// targets finds a request of each kind among the rules.
func (f *front) targets() {
	for i := range f.file.Rules {
		r := &f.file.Rules[i]
		t := example(r.Match, f.mark)
		policy, outcome := f.service.Match(t.method, t.path)
		if outcome != route.Matched || policy.Route != r.Match {
			continue // another rule is more specific
		}
		switch {
		case r.Public && f.public.path == "":
			f.public = t
		case !r.Public && !r.Optional && !r.Hide && !r.ReportOnly && f.closed.path == "":
			f.closed = t
		}
	}
	if f.file.ReportOnly {
		f.closed = target{}
	}
	if t := (target{http.MethodGet, "/" + f.mark}); f.unruled(t) {
		f.unmatched = t
	}
}

func (f *front) unruled(t target) bool {
	_, outcome := f.service.Match(t.method, t.path)
	return outcome == route.Unmatched
}

// example is a request that a pattern matches.
func example(pattern, word string) target {
	method, path, found := strings.Cut(pattern, " ")
	if !found {
		method, path = http.MethodGet, pattern
	}
	segments := strings.Split(strings.TrimSuffix(path, "{$}"), "/")
	for i, s := range segments {
		if strings.HasPrefix(s, "{") {
			segments[i] = word
		}
	}
	return target{method, strings.Join(segments, "/")}
}
