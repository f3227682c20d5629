package openapi

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bearward/bearward/internal/server/config"
	"github.com/bearward/bearward/internal/server/route"
)

// show writes operations one a line.
func show(operations []Operation) (out []string) {
	for _, op := range operations {
		line := fmt.Sprintf("%d:%d %s", op.Line, op.Column, op.Rule.Match)
		for _, part := range []struct {
			name string
			list []string
		}{{"scopes", op.Rule.Scopes}, {"any", op.Rule.AnyScope}} {
			if part.list != nil {
				line += " " + part.name + "=" + strings.Join(part.list, ",")
			}
		}
		for name, set := range map[string]bool{"optional": op.Rule.Optional, "public": op.Rule.Public, "denied": op.Denied} {
			if set {
				line += " " + name
			}
		}
		out = append(out, line)
	}
	return out
}

const shop = `openapi: 3.1.0
info: {title: Shop, version: "1"}
servers:
  - {url: "https://{tenant}.example.com/v1/", variables: {tenant: {default: api}}}
  - {url: /v1}
x-defaults: &read [{oauth: ["orders:read"]}]
security:
  - oauth: []
paths:
  x-note: {get: {}}
  /orders:
    summary: all of them
    parameters: [{$ref: "#/components/parameters/page"}]
    get: {security: *read, responses: {"200": {description: ok}}}
    post: {security: [{oauth: ["orders:write", "orders:read"]}]}
    head: {security: []}
  /orders/{order-id}:
    get: {security: [{oauth: ["orders:read"]}, {oidc: ["orders:admin"]}]}
    put: {security: [{oauth: ["orders:write", audit]}, {oauth: ["orders:admin", audit]}]}
    patch: {security: [{oauth: [a, b]}, {oidc: [a]}, {oauth: [b, a, c]}]}
    delete: {security: [{oauth: [a], oidc: [b]}]}
    options: {security: [{}, {bearer: []}]}
    trace: {security: [{}]}
  /orders/{order-id}/lines/{order-id}/: {get: {security: [{bearer: []}, {oauth: [a]}]}}
  /: {get: {}}
  /shared: {$ref: "#/components/pathItems/shared~1one"}
  /again: {$ref: "#/paths/~1shared", description: the same}
components:
  pathItems:
    shared/one: {get: {security: [{alias: [s]}]}}
  securitySchemes:
    oauth: {type: oauth2, flows: {}}
    oidc: {type: openIdConnect, openIdConnectUrl: "https://login.example.com/.well-known/openid-configuration"}
    bearer: {type: http, scheme: Bearer}
    alias: {$ref: "#/components/securitySchemes/oauth"}
    key: {type: apiKey, in: header, name: X-Key}
webhooks:
  paid: {post: {security: [{key: []}]}}
`

// Every way in which a document says who may call.
func TestRead(t *testing.T) {
	operations, err := Read("api.yaml", []byte(shop), Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"14:5 GET /v1/orders scopes=orders:read",
		"15:5 POST /v1/orders scopes=orders:read,orders:write",
		"16:5 HEAD /v1/orders public",
		"18:5 GET /v1/orders/{p3} any=orders:read,orders:admin",
		"19:5 PUT /v1/orders/{p3} scopes=audit any=orders:write,orders:admin",
		"20:5 PATCH /v1/orders/{p3} scopes=a",
		"21:5 DELETE /v1/orders/{p3} scopes=a,b",
		"22:5 OPTIONS /v1/orders/{p3} optional",
		"23:5 TRACE /v1/orders/{p3} optional",
		"24:42 GET /v1/orders/{p3}/lines/{p5}/{$}",
		"25:7 GET /v1/{$}",
		"30:18 GET /v1/shared scopes=s",
		"30:18 GET /v1/again scopes=s",
	}
	if diff := cmp.Diff(want, show(operations)); diff != "" {
		t.Error(diff)
	}
}

// JSON is read as YAML is.
func TestReadJSON(t *testing.T) {
	operations, err := Read("api.json", []byte(`{
	"openapi": "3.0.3", "info": {"title": "\ud83d\ude00", "version": "1"},
	"paths": {"/a\/{id}": {"get": {"security": [{"o": ["r"]}]}}},
	"components": {"securitySchemes": {"o": {"type": "oauth2"}}}
}`), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"3:25 GET /a/{id} scopes=r"}, show(operations)); diff != "" {
		t.Error(diff)
	}
}

// Who may call is never guessed: what has no requirement lets nobody pass, also
// where the document says in general that nobody needs a token.
func TestWithoutSecurity(t *testing.T) {
	for _, global := range []string{"", "security: []\n"} {
		operations, err := Read("a", []byte("openapi: 3.0.0\n"+global+"paths:\n  /a: {get: {}, put: {security: []}}\n"), Options{})
		if err != nil {
			t.Fatal(err)
		}
		if got := show(operations); len(got) != 2 || !strings.HasSuffix(got[0], "GET /a denied") || !strings.HasSuffix(got[1], "PUT /a public") {
			t.Errorf("%q: got %v", global, got)
		}
	}
}

// A rule by hand stands in for an operation with the same pattern, whatever that
// says, and for all of them where it has no method.
func TestByHand(t *testing.T) {
	const text = `openapi: 3.0.0
paths:
  /a/{x}: {get: {security: [{nothing: []}]}, put: {security: []}}
  /b/{x}.json: {get: {security: []}}
  /c/: {get: {security: []}}
`
	for _, c := range []struct {
		byHand []string
		want   string
	}{
		{[]string{"GET /a/{id}", "GET /b/{file}"}, "[3:46 PUT /a/{x} public 5:9 GET /c/{$} public]"},
		{[]string{"/a/{y}", "/b/{file}"}, "[5:9 GET /c/{$} public]"},
		{[]string{"/a/{y}", "/b/{file}", "/c/{$}"}, "[]"},
		{[]string{"/a/{y}", "/b/{file}", "/c/"}, "[5:9 GET /c/{$} public]"}, // a subtree is another pattern
	} {
		operations, err := Read("a", []byte(text), Options{ByHand: c.byHand})
		if got := fmt.Sprint(show(operations)); err != nil || got != c.want {
			t.Errorf("%v: got %s, %v, want %s", c.byHand, got, err, c.want)
		}
	}
}

func TestBasePath(t *testing.T) {
	for _, c := range []struct{ servers, base, want string }{
		{"", "", "/a"},
		{"", "/v2", "/v2/a"},
		{"[]", "", "/a"},
		{"[{url: 'https://h'}]", "", "/a"},
		{"[{url: 'https://h/'}, {url: /}, {url: ''}]", "", "/a"},
		{"[{url: '//h/v1'}, {url: 'http://[::1]:80/v1/'}]", "", "/v1/a"},
		{"[{url: '{scheme}://{host}/v1'}]", "", "/v1/a"},
		{"[{url: '/{v}', variables: {v: {default: v1, enum: [v1]}}}]", "", "/v1/a"},
		{"[{url: '/{v}', variables: {v: {default: v1}}}]", "", "variable"},
		{"[{url: '/{v}', variables: {v: {default: v1, enum: [v1, v2]}}}]", "", "variable"},
		{"[{url: '/{v}', variables: {v: {default: v1, enum: [v2]}}}]", "", "variable"},
		{"[{url: '/{v}'}]", "", "variable"},
		{"[{url: '/{v'}]", "", "variable"},
		{"[{url: '/{v}', variables: {v: {default: v1}}}]", "/v2", "/v2/a"},
		{"[{url: /v1}]", "/", "/a"},
		{"[{url: /v1}, {url: /v2}]", "", `different paths, "/v1" and "/v2": set openapi_base_path`},
		{"[{url: v1}]", "", "is relative to where the document is: set openapi_base_path"},
		{"[{url: './v1'}]", "", "is relative"},
		{"[{url: 'https://h/v1?x'}]", "", "cannot be that of requests"},
		{"[{url: '/v1/../v2'}]", "", "cannot be that of requests"},
		{"[{url: '/v1//v2'}]", "", "cannot be that of requests"},
		{"[{url: 5}]", "", "url must be text"},
		{"[{}]", "", "a server has no url"},
		{"[x]", "", "a server must be an object"},
		{"{url: /v1}", "", "servers must be a list"},
	} {
		text := "openapi: 3.0.0\npaths: {/a: {get: {security: []}}}\n"
		if c.servers != "" {
			text += "servers: " + c.servers + "\n"
		}
		operations, err := Read("a", []byte(text), Options{BasePath: c.base})
		switch {
		case !strings.HasPrefix(c.want, "/"):
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: got %v, want %s", c.servers, err, c.want)
			}
		case err != nil || operations[0].Rule.Match != "GET "+c.want:
			t.Errorf("%s: got %v %v, want %s", c.servers, show(operations), err, c.want)
		}
	}
	// The nearest servers count.
	operations, err := Read("a", []byte(`openapi: 3.0.0
servers: [{url: /v1}]
paths:
  /a: {get: {security: []}, put: {security: [], servers: [{url: /v3}]}, servers: [{url: /v2}]}
  /b: {get: {security: []}}
`), Options{})
	if got := fmt.Sprint(show(operations)); err != nil || got != "[4:8 GET /v2/a public 4:29 PUT /v3/a public 5:8 GET /v1/b public]" {
		t.Errorf("got %s %v", got, err)
	}
}

// What is not exactly a rule is a fault at its place, that says what to do.
func TestFaults(t *testing.T) {
	const schemes = "components: {securitySchemes: {o: {type: oauth2}, b: {type: http, scheme: bearer}, k: {type: apiKey}, d: {type: http, scheme: DPoP}, m: {type: mutualTLS}, out: {$ref: 'x.yaml#/y'}, loop: {$ref: '#/components/securitySchemes/loop'}}}\n"
	secured := func(security string) string {
		return "openapi: 3.1.0\npaths: {/a: {get: {security: " + security + "}}}\n" + schemes
	}
	paths := func(text string) string { return "openapi: 3.1.0\npaths:\n" + text + schemes }
	for _, c := range []struct{ text, want string }{
		{"", "a:1:1: the file is empty"},
		{"[]", "a:1:1: the document must be an object"},
		{"info: {}", "a:1:1: this is no OpenAPI document: openapi is missing"},
		{"swagger: '2.0'", "a:1:10: this is Swagger 2.0: convert it to OpenAPI 3"},
		{"openapi: 3.2.0", "a:1:10: the version is not 3.0 or 3.1"},
		{"openapi: 2.0", "the version is not 3.0 or 3.1"},
		{"openapi: 3.10.0", "the version is not 3.0 or 3.1"},
		{"openapi: {}", "the version is not 3.0 or 3.1"},
		{"openapi: 3.1", "a:1:1: there are no paths"},
		{"openapi: 3.1.0\npaths: []", "a:2:8: paths must be an object"},
		{"openapi: 3.1.0\npaths: {a: {}}", `a:2:9: the path "a" does not begin with a slash`},
		{"openapi: 3.1.0\npaths: {/a: {get: {}}, /a: {}}", `a:2:24: "/a" is there twice`},
		{"openapi: 3.1.0\n<<: {}\npaths: {}", "a:2:1: a name must be text, and merge keys are not followed here"},
		{`{"openapi": "3.1.0", "paths": {"/a": {}, "/a": {}}}`, "a name is there twice"},
		{paths("  /a: x\n"), "a:3:7: a path must be an object"},
		{paths("  /a: {GET: {}}\n"), `a:3:8: "GET" is no part of a path: methods are get put`},
		{paths("  /a: {query: {}}\n"), `"query" is no part of a path`},
		{paths("  /a: {get: }\n"), "an operation must be an object"},

		// paths
		{paths("  /a/{x}.json: {get: {security: []}}\n"), `a:3:3: "{x}.json" is a part of a segment, and rules have whole segments: write a rule for "GET /a/{p2}" by hand`},
		{paths("  /a/{x}{y}: {get: {security: []}}\n"), `"{x}{y}" is a part of a segment`},
		{paths("  /a/{}: {get: {security: []}}\n"), `"{}" is a part of a segment`},
		{paths("  /a//b: {get: {security: []}}\n"), `a:3:3: "GET /a//b" cannot be a rule: a path with empty segments can never match`},
		{paths("  /a?x={y}: {get: {security: []}}\n"), `is a part of a segment`},
		{paths("  /a?x=y: {get: {security: []}}\n"), `cannot be a rule`},
		{paths("  /a/..: {get: {security: []}}\n"), `cannot be a rule`},
		{paths("  /a b: {get: {security: []}}\n"), `cannot be a rule`},
		{paths("  /{x}: {get: {security: []}}\n  /{y}: {get: {security: []}}\n"), `a:4:3: "GET /{y}" is the same as the path in line 3`},
		{paths("  /{x}/b: {get: {security: []}}\n  /a/{x}: {get: {security: []}}\n"), `a:4:12: "GET /a/{x}" and the operation in line 3 match some requests in common and none of both is more specific`},

		// references
		{paths("  /a: {$ref: 'other.yaml#/a'}\n"), `a:3:14: "other.yaml#/a" leads out of the document, and nothing else is read: bundle it into one`},
		{paths("  /a: {$ref: '#/components/pathItems/x'}\n"), `"#/components/pathItems/x" leads nowhere`},
		{paths("  /a: {$ref: '#/openapi/x'}\n"), `what a reference goes through must be an object`},
		{paths("  /a: {$ref: 5}\n"), `$ref must be text`},
		{paths("  /a: {$ref: '#/paths/~1b'}\n  /b: {$ref: '#/paths/~1a'}\n"), `the references do not end`},
		{paths("  /a: {$ref: '#/paths/~1b', get: {}}\n  /b: {get: {security: []}}\n"), `a:3:29: "get" beside $ref can be read in two ways`},
		{paths("  /a: {$ref: '#/paths/~1b', servers: []}\n  /b: {get: {security: []}}\n"), `"servers" beside $ref can be read in two ways`},

		// security
		{secured("{}"), "a:2:30: security must be a list"},
		{secured(""), "security must be a list"},
		{secured("[x]"), "a security requirement must be an object"},
		{secured("[{x: []}]"), `a:2:32: there is no security scheme "x"; write a rule by hand for "GET /a"`},
		{secured("[{k: []}]"), `the security scheme "k" is of type "apiKey", and no access token; write a rule by hand for "GET /a"`},
		{secured("[{o: [r]}, {k: []}]"), `the security scheme "k" is of type "apiKey"`},
		{secured("[{o: [r], k: []}]"), `the security scheme "k" is of type "apiKey"`},
		{secured("[{m: []}]"), `the security scheme "m" is of type "mutualTLS"`},
		{secured("[{d: []}]"), `the security scheme "d" is HTTP "DPoP", and no bearer token`},
		{secured("[{out: []}]"), `"x.yaml#/y" leads out of the document`},
		{secured("[{loop: []}]"), `the references do not end`},
		{secured("[{b: [r]}]"), `a:2:36: "b" has no scopes: what else a bearer scheme lists is not defined; write a rule by hand for "GET /a"`},
		{secured("[{o: r}]"), "the scopes of a security scheme must be a list"},
		{secured("[{o: [5]}]"), "a scope must be text"},
		{secured("[{o: ['a b']}]"), `a:2:36: "a b" is not a scope (RFC 6749 §3.3)`},
		{secured("[{o: [a, b]}, {o: [c]}]"), `a:2:30: these alternatives are not one rule: each may have one scope of its own, beside those that all have; write a rule by hand for "GET /a"`},
		{secured("[{o: [a, b]}, {o: [a, c, d]}]"), `these alternatives are not one rule`},
		{"openapi: 3.1.0\nsecurity: [{x: []}]\npaths: {/a: {get: {}}, /b: {get: {}}}\n", `there is no security scheme "x"; write a rule by hand for the operations without security of their own`},
		{"openapi: 3.1.0\nsecurity: [{o: []}]\npaths: {/a: {get: {}}}\ncomponents: {securitySchemes: []}\n", "securitySchemes must be an object"},
	} {
		operations, err := Read("a", []byte(c.text), Options{})
		if err == nil || len(operations) > 0 || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s\ngot  %v\nwant %s", c.text, err, c.want)
		}
	}
	// What nobody uses is not judged, and all faults are told at once, each once.
	if _, err := Read("a", []byte("openapi: 3.1.0\nsecurity: [{x: []}]\npaths: {/a: {get: {security: []}}}\n"), Options{}); err != nil {
		t.Error(err)
	}
	_, err := Read("a", []byte(paths("  /a: {get: {security: [{x: []}]}, put: {security: {}}}\n  b: {}\n")), Options{})
	if err == nil || strings.Count(err.Error(), "\n") != 2 {
		t.Errorf("got %v", err)
	}
}

// A rule by hand that an operation conflicts with is named.
func TestConflictWithHand(t *testing.T) {
	_, err := Read("a", []byte("openapi: 3.1.0\npaths:\n  /a/{x}: {get: {security: []}}\n"), Options{ByHand: []string{"GET /{x}/b", "/z"}})
	if want := `a:3:12: "GET /a/{x}" and the rule for "GET /{x}/b" match some requests in common`; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v", err)
	}
}

// What is too large ends, and says so.
func TestLimits(t *testing.T) {
	var many strings.Builder
	many.WriteString("openapi: 3.1.0\npaths:\n")
	for i := range maxOperations + 2 {
		fmt.Fprintf(&many, " /p%d: {get: {}}\n", i)
	}
	if _, err := Read("a", []byte(many.String()), Options{}); err == nil || !strings.Contains(err.Error(), "more than 10000 operations") {
		t.Errorf("got %.200v", err)
	}
	if _, err := Read("a", []byte("openapi: 3.1.0\npaths: {}\n#"+strings.Repeat("x", MaxBytes)), Options{}); err == nil || !strings.Contains(err.Error(), "longer than") {
		t.Errorf("got %.200v", err)
	}
	var faulty strings.Builder
	faulty.WriteString("openapi: 3.1.0\npaths:\n")
	for i := range 1000 {
		fmt.Fprintf(&faulty, " p%d: {}\n", i)
	}
	if _, err := Read("a", []byte(faulty.String()), Options{}); err == nil || strings.Count(err.Error(), "\n") != maxFaults-1 {
		t.Errorf("got %.200v", err)
	}
	// Aliases of aliases are not multiplied: only what is read is looked at.
	bomb := "openapi: 3.1.0\nx-0: &a0 [x]\n"
	for i := 1; i < 60; i++ {
		bomb += fmt.Sprintf("x-%d: &a%d [*a%d, *a%d]\n", i, i, i-1, i-1)
	}
	if _, err := Read("a", []byte(bomb+"paths: {/a: {get: {security: []}}}\n"), Options{}); err != nil {
		t.Error(err)
	}
}

// What a document can lead to over and over is small, or read once.
func TestRepetition(t *testing.T) {
	lots := func(format string) (out string) {
		for i := range maxMembers + 1 {
			out += fmt.Sprintf(format, i)
		}
		return out
	}
	for text, want := range map[string]string{
		"  /a: {get: {security: [" + lots("{o: [s%d]},") + "]}}\n":                                                 "more than 64 alternatives",
		"  /a: {get: {security: [{o: [" + lots("s%d,") + "]}]}}\n":                                                 "more than 64 scopes",
		"  /a: {get: {security: []," + lots("x-%d: 1,") + "}}\n":                                                   "an operation has more than 1000 members",
		"  /a: {get: {security: []}," + lots("x-%d: 1,") + "}\n":                                                   "a path has more than 1000 members",
		"  /a: {servers: [{url: 'https://{h}/v1', variables: {h: {default: a.test/api}}}], get: {security: []}}\n": "where the path of \"https://{h}/v1\" begins is not clear",
		"  /a: {servers: [{url: 'https://a.test?b/v1'}], get: {security: []}}\n":                                   "begins is not clear",
		"  /a: {servers: &s [{url: a}], get: {security: []}}\n  /b: {servers: *s, get: {}}\n":                      "relative to where the document is",
		"  /a: {get: {security: &s [{x: []}]}}\n  /b: {get: {security: *s}}\n":                                     "there is no security scheme",
	} {
		_, err := Read("a", []byte("openapi: 3.1.0\ncomponents: {securitySchemes: {o: {type: oauth2}}}\npaths:\n"+text), Options{})
		if err == nil || strings.Count(err.Error(), want) != 1 {
			t.Errorf("%.40s: got %.300v", text, err)
		}
	}
	operations, err := Read("a", []byte("openapi: 3.1.0\npaths: {'/{p2}/{type}': {get: {security: []}}}\n"), Options{})
	if diff := cmp.Diff([]string{"2:26 GET /{p2}/{p3} public"}, show(operations)); err != nil || diff != "" {
		t.Error(err, diff) // the word type is no name, and p2 is taken
	}
}

// The example of the documentation is a document.
func TestExample(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("..", "..", "..", "examples", "serve", "api.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Read("api.yaml", data, Options{}); err != nil {
		t.Error(err)
	}
}

// Whatever the document: faults or patterns that can be a table, with scopes that
// can be in a challenge, and nothing public that does not say so.
func FuzzOpenAPI(f *testing.F) {
	for _, seed := range []string{
		shop, "", "openapi: 3.0.0\npaths: {/a: {get: {security: []}}}", `{"openapi":"3.1.0","paths":{"/{a}/{a}/":{"get":{}}}}`,
		"openapi: 3.0.0\npaths: {/a: {$ref: '#/paths/~1a'}}", "openapi: 3.0.0\npaths: &p {/a: *p}", "openapi: 3.0.0\nservers: [{url: '{a}://{b}/{c}'}]\npaths: {/: {get: {}}}",
		"openapi: 3.0.0\nsecurity: [{o: [a]}, {}]\npaths: {/{$}: {get: {}}, /{x...}: {put: {}}}\ncomponents: {securitySchemes: {o: {type: oauth2}}}",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 8<<10 {
			return
		}
		byHand := []string{"GET /byhand/{x}"}
		operations, err := Read("a", data, Options{ByHand: byHand})
		if err != nil {
			var faults *config.Faults
			if !errors.As(err, &faults) || len(faults.List) == 0 || operations != nil {
				t.Fatalf("got %v, %v", operations, err)
			}
			return
		}
		patterns := byHand
		for _, op := range operations {
			patterns = append(patterns, op.Rule.Match)
			if op.Rule.Public && (op.Denied || !strings.Contains(string(data), "security")) {
				t.Fatalf("%q: public without a word", data)
			}
		}
		route.New(patterns)
	})
}
