package route

import (
	"net/http"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

var patterns = []string{
	0:  "GET /read",
	1:  "/strict",
	2:  "/admin/",
	3:  "GET /files/{name}",
	4:  "/tree/",
	5:  "POST /read",
	6:  "/docs/{page...}",
	7:  "/slash/{$}",
	8:  "/caf%C3%A9",
	9:  "/users/{id}/keys",
	10: "/users/me/keys",
	11: "/any/",
	12: "OPTIONS /read",
	13: "/a/b",
	14: "/percent/100%25",
}

const (
	denied = -1
	bad    = -2
)

func TestMatch(t *testing.T) { // [PV-08]
	table := New(patterns)
	long := "/docs/" + strings.Repeat("a/", 20000)
	for _, c := range []struct {
		method, path string
		want         int
	}{
		{"GET", "/read", 0},
		{"HEAD", "/read", 0},
		{"POST", "/read", 5},
		{"OPTIONS", "/read", 12},
		{"PUT", "/read", denied},
		{"get", "/read", denied},
		{"", "/read", denied},
		{"DELETE", "/any/read", 11},
		{"DELETE", "/any/anything/at/all", 11},
		{"GET", "/", denied},
		{"GET", "/nothing", denied},
		{"GET", "/READ", denied},
		{"GET", "/read/", denied},
		{"GET", "/strict", 1},
		{"GET", "/files/x", 3},
		{"GET", "/files/x/y", denied},
		{"GET", "/files/", denied},
		{"GET", "/files/..", bad},
		{"GET", "/slash/", 7},
		{"GET", "/slash", 7}, // redirect form
		{"GET", "/slash/%2F", bad},
		{"GET", "/users/7/keys", 9},
		{"GET", "/users/me/keys", 10},
		{"GET", "/users/me", denied},
		{"GET", "/tree", 4}, // redirect form
		{"GET", "/users//keys", bad},
		{"GET", long, 6},

		// escapes
		{"GET", "/re%61d", 0},
		{"GET", "/re%2561d", bad},
		{"DELETE", "/any/re%2561d", 11},
		{"GET", "/strict%2F", denied},
		{"DELETE", "/any/x%2Fy", 11},
		{"GET", "/files/a%2Fb", bad},
		{"GET", "/docs/a%2Fb", 6},
		{"GET", "/docs/a%20b", 6},
		{"GET", "/docs/100%25", 6},
		{"GET", "/docs/100%2525", 6},
		{"GET", "/docs/%25252561", bad}, // four rounds
		{"GET", "/docs/%252561", 6},     // three
		{"GET", "/percent/100%25", 14},
		{"GET", "/caf%C3%A9", 8},
		{"GET", "/caf%c3%a9", 8},
		{"GET", "/café", 8},
		{"GET", "/caf%25C3%25A9", bad},
		{"GET", "/docs/%", bad},
		{"GET", "/docs/%4", bad},
		{"GET", "/docs/%zz", bad},

		// dots
		{"GET", "/docs/../strict", bad},
		{"GET", "/strict%3Fx", bad}, // decoded and read once more: /strict?x
		{"GET", "/strict%2523x", bad},
		{"GET", "/strict;x%3Fy", bad},
		{"GET", "/files/what%3F", 3},
		{"GET", "/docs/a%3Fb/%23c", 6},
		{"GET", "/docs/%2e%2e/strict", bad},
		{"GET", "/docs/%2E./strict", bad},
		{"GET", "/docs/..%2fstrict", bad},
		{"GET", "/docs/%252e%252e/strict", bad},
		{"GET", "/docs/%252e%252e%252fstrict", bad},
		{"GET", "/docs/./x", 6},
		{"GET", "/docs/x/../y", 6},
		{"GET", "/./strict", bad},
		{"GET", "/strict/.", bad},
		{"GET", "/strict/..", denied},
		{"GET", "/../../strict", bad},
		{"GET", "/docs/.hidden", 6},
		{"GET", "/docs/...", 6},

		// empty segments
		{"GET", "//strict", bad},
		{"GET", "/strict//", denied},
		{"GET", "/docs//x", 6},
		{"GET", "//docs/x", bad},
		{"DELETE", "/any//x", 11},
		{"DELETE", "/any/a//../x", 11},
		{"GET", "/docs//../x", bad}, // /x to some, /docs/x to others
		{"GET", "/files//x", bad},

		// parameters
		{"GET", "/strict;x=y", bad},
		{"GET", "/strict;", bad},
		{"GET", "/strict%3Bx=y", bad},
		{"GET", "/strict%253Bx=y", bad},
		{"GET", "/;/strict", bad},
		{"GET", "/docs/x;v=1/y", 6},
		{"GET", "/docs/..;/strict", bad},
		{"GET", "/docs/x;/../../strict", bad},
		{"GET", "/docs/;/../../strict", bad},
		{"GET", "/files/x;v=1", 3},
		{"GET", "/files/;v=1", bad},

		// bytes that no server should have to read
		{"DELETE", "/any/x%00", bad},
		{"DELETE", "/any/x%2500", bad},
		{"DELETE", "/any/x\x00", bad},
		{"DELETE", `/any/a\..\b`, bad},
		{"DELETE", "/any/a%5Cb", bad},
		{"DELETE", "/any/a%255Cb", bad},
		{"DELETE", "/any/a%FF", bad},
		{"DELETE", "/any/a\xff", bad},
		{"DELETE", "/any/%C3%25A9", bad}, // no text in the first round
		{"DELETE", "/any/a b", bad},
		{"DELETE", "/any/a\tb", bad},
		{"DELETE", "/any/a\x7f", bad},
		{"DELETE", "/any/a#b", bad},
		{"DELETE", "/any/a?b", bad},
		{"DELETE", "/any/a%0d%0ab", 11},

		// targets that are no path
		{"OPTIONS", "*", bad},
		{"DELETE", "", bad},
		{"DELETE", "x", bad},
		{"DELETE", "http://h/x", bad},
		{"CONNECT", "/strict", denied},
		{"CONNECT", "h:443", denied},
	} {
		rule, outcome := table.Match(c.method, c.path)
		got := map[Outcome]int{Unmatched: denied, Ambiguous: bad, Matched: rule}[outcome]
		if got != c.want {
			t.Errorf("%s %.60q: got %d, want %d", c.method, c.path, got, c.want)
		}
	}
}

// Rules that differ in the final slash, in a wildcard, in what an empty
// segment is: nothing may slip between them.
func TestMatchBetweenRules(t *testing.T) { // [PV-08]
	for _, c := range []struct {
		rules []string
		path  string
		want  int
	}{
		{[]string{"/", "/a/{$}"}, "/a/.", bad},
		{[]string{"/", "/a/{$}"}, "/a/b/..", bad},
		{[]string{"/", "/a/{$}"}, "/a", 1},
		{[]string{"/", "/a/b"}, "/a//../b", bad},
		{[]string{"/", "/{x}/b"}, "/x/../%252e%252e/b", bad},
		{[]string{"/", "/{x}/b"}, "//b", bad},
		{[]string{"/f/{$}", "/f/{n}"}, "/f/%2F", bad},
		{[]string{"/f/{$}", "/f/{n}"}, "/f/%2E", bad},
		{[]string{"/{x}"}, "//", denied},
		{[]string{"/", "/f/"}, "/f", 1},
		{[]string{"/", "/f", "/f/"}, "/f", 1},
		{[]string{"/", "/f", "/f/"}, "/f/.", bad},
	} {
		rule, outcome := New(c.rules).Match("GET", c.path)
		got := map[Outcome]int{Unmatched: denied, Ambiguous: bad, Matched: rule}[outcome]
		if got != c.want {
			t.Errorf("%v %q: got %d, want %d", c.rules, c.path, got, c.want)
		}
	}
}

func TestCheck(t *testing.T) {
	for pattern, want := range map[string]string{
		"GET /a":          "",
		"/":               "",
		"/a/{b}/{c...}":   "",
		"/.well-known/x":  "",
		"/a%20b":          "",
		"":                "has no host",
		"a":               "has no host",
		"example.com/":    "has no host",
		"GET example.com": "has no host",
		"get /a":          "write GET",
		"CONNECT /a":      "CONNECT",
		"GET  /a":         "one space",
		" /a":             "one space",
		"GET\t/a":         "one space",
		"GET /a b":        "one space",
		"/a b":            "one space",
		"G@T /a":          "invalid method",
		"/a//b":           "empty segments",
		"/a/./b":          "never match",
		"/a/%2e%2e":       "never match",
		"/a%2Fb":          "never match",
		"/a%5Cb":          "never match",
		`/a\b`:            "never match",
		"/a;b":            "never match",
		"/a%00":           "never match",
		"/a%2561":         "never match",
		"/a%zz":           "never match",
		"/a%ff":           "never match",
		"/a?b":            "never match",
		"/a{b}":           "bad wildcard",
		"/{b}{c}":         "bad wildcard",
		"/{b}/{b}":        "duplicate wildcard",
		"/{$}/x":          "not at end",
		"/{x...}/x":       "not at end",
	} {
		err := Check(pattern)
		switch {
		case want == "" && err != nil, want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%q: got %v, want %q", pattern, err, want)
		case err != nil && (strings.Contains(err.Error(), ".go:") || strings.Contains(err.Error(), "\n")):
			t.Errorf("%q: %v speaks of our code", pattern, err)
		}
	}
}

func TestConflicts(t *testing.T) {
	got := Conflicts([]string{"/a/{x}", "GET /a/b", "/{x}/b", "/c", "/c", "POST /c"})
	want := [][2]int{{0, 2}, {3, 4}}
	if len(got) != len(want) || got[0] != want[0] || got[1] != want[1] {
		t.Fatalf("got %v, want %v", got, want)
	}
}

// clean is what a strict client sends: there is nothing to read twice.
func clean(path string) bool {
	return !strings.ContainsAny(path, "%;#?\\\x00 \x7f") && !strings.Contains(path, "//") && !strings.Contains(path, "/.")
}

// Whatever the path: a rule is found only if the plain form and the form
// decoded and cleaned to the end select it, and clean paths get ServeMux's own
// answer.
func TestMatchProperty(t *testing.T) { // [PV-08]
	table := New(patterns)
	mux := http.NewServeMux()
	for _, p := range patterns {
		mux.HandleFunc(p, func(http.ResponseWriter, *http.Request) {})
	}
	piece := rapid.OneOf(
		rapid.SampledFrom([]string{
			"/", "/", "/", "//", ".", "..", "%2e", "%252e", "%2f", "%252F", ";", ";x=y", "%3b", "%00", "%5c", "\\", "%25", "%ff", "%C3", "%A9",
			"read", "strict", "admin", "files", "tree", "docs", "slash", "users", "me", "keys", "a", "b", "é", "#", "?", " ", "*",
		}),
		rapid.StringN(0, 3, 6),
	)
	rapid.Check(t, func(t *rapid.T) {
		path := "/" + strings.Join(rapid.SliceOfN(piece, 0, 8).Draw(t, "path"), "")
		method := rapid.SampledFrom([]string{"GET", "POST", "HEAD", "DELETE", "OPTIONS"}).Draw(t, "method")
		agree(t, table, method, path)
		if rule, outcome := table.Match(method, path); clean(path) && sound(path) {
			r, err := http.NewRequest(method, "http://h"+path, nil)
			if err != nil {
				return
			}
			_, pattern := mux.Handler(r)
			if (outcome == Matched) != (pattern != "") || outcome == Matched && patterns[rule] != pattern {
				t.Fatalf("%s %q: got %d %d, ServeMux says %q", method, path, rule, outcome, pattern)
			}
		}
	})
}

type failer interface {
	Fatalf(format string, args ...any)
}

// agree checks Match against the two forms of the contract, written down here
// a second time.
func agree(t failer, table *Table, method, raw string) {
	rule, outcome := table.Match(method, raw)
	if outcome != Matched {
		return
	}
	first := strings.Split(raw[1:], "/")
	for i := range first {
		first[i] = decode(first[i])
	}
	second := raw
	for decode(second) != second {
		second = decode(second)
	}
	if strings.ContainsAny(second, "\x00\\") {
		t.Fatalf("%q was matched", raw)
	}
	forms := []form{first, strings.Split(merged(second)[1:], "/"), strings.Split(merged(bare(merged(second)))[1:], "/")}
	for _, f := range forms {
		if got := table.lookup(method, f); got != rule {
			t.Fatalf("%s %q: rule %d, but %q selects %d", method, raw, rule, f, got)
		}
	}
}

func FuzzMatch(f *testing.F) {
	for _, path := range []string{"/read", "/docs/%2e%2e/strict", "/docs/..;/strict", "//strict", "/a%252Fb", "/caf\u00e9", "*", "http://h/x", "/%C3%25A9", "/users//keys"} {
		f.Add("GET", path)
	}
	f.Add("CONNECT", "h:443")
	table := New(patterns)
	f.Fuzz(func(t *testing.T, method, path string) {
		agree(t, table, method, path)
	})
}
