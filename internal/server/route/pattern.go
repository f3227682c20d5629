package route

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// Check reports why a pattern cannot be a rule.
func Check(pattern string) error {
	method, rest, found := strings.Cut(pattern, " ")
	if !found {
		method, rest = "", pattern
	}
	switch {
	case strings.ContainsAny(rest, " \t") || strings.Contains(method, "\t") || found && (method == "" || method[0] == '/'):
		return errors.New("a pattern is a path, or a method, one space and a path")
	case method == http.MethodConnect:
		return errors.New("CONNECT has no path and is never forwarded")
	case method != strings.ToUpper(method):
		return fmt.Errorf("methods are compared exactly: write %s", strings.ToUpper(method))
	case !strings.HasPrefix(rest, "/"):
		return errors.New("a pattern has no host: its path starts with a slash")
	}
	for segment := range strings.SplitSeq(rest[1:], "/") {
		literal := decode(segment)
		if strings.HasPrefix(segment, "{") {
			continue
		}
		if strings.ContainsAny(literal, "/;#?") || !legible(literal) || literal == "." || literal == ".." || decode(literal) != literal || !sound("/"+segment) {
			return fmt.Errorf("the segment %q can never match", segment)
		}
	}
	if strings.Contains(rest, "//") {
		return errors.New("a path with empty segments can never match")
	}
	return register(http.NewServeMux(), pattern)
}

// mostConflicts bounds what Conflicts looks for: each compares with all patterns
// before.
const mostConflicts = 100

// Conflicts returns pairs of sound patterns of which none is more specific, the
// later one second: all of them, if there are not more than a hundred.
func Conflicts(patterns []string) (pairs [][2]int) {
	mux := http.NewServeMux()
	for i, p := range patterns {
		if register(mux, p) == nil {
			continue
		}
		if len(pairs) == mostConflicts {
			break
		}
		for j, earlier := range patterns[:i] {
			pair := http.NewServeMux()
			if register(pair, earlier) == nil && register(pair, p) != nil {
				pairs = append(pairs, [2]int{j, i})
				break
			}
		}
	}
	return pairs
}

// register turns ServeMux's panic into an error.
func register(mux *http.ServeMux, pattern string) (err error) {
	defer func() {
		if reason := recover(); reason != nil {
			err = fmt.Errorf("this is not a pattern: %v", trimmed(reason))
		}
	}()
	mux.Handle(pattern, http.NotFoundHandler())
	return nil
}

// trimmed keeps ServeMux's reason and drops what it says about us.
func trimmed(reason any) string {
	text := fmt.Sprint(reason)
	if _, after, ok := strings.Cut(text, "\": "); ok && strings.HasPrefix(text, "parsing ") {
		text = after
	}
	return text
}
