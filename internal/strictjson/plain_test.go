package strictjson

import (
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
)

// FuzzPlain: the quick judge accepts nothing that the library refuses.
func FuzzPlain(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"a":1}`, `{"a":1,"a":2}`, `{"a":[1,{"b":"c"},[],{}],"d":true,"e":null,"f":false,"g":0}`, `{"a":{"a":1},"b":{"a":1}}`,
		`{"a":01}`, `{"a":-1}`, `{"a":1.5}`, `{"a":tru}`, `{"a":1,}`, `{"a":[1,]}`, `{"a" :1}`, `{"a":"\u0061"}`, "{\"a\":\"\x7f\"}",
		"{\"a\":\"\x1f\"}", "{\"a\":\"ä\"}", `{}{}`, `[]`, `{"a":1`, `{"a`, `{"a"`, `{"a":`, `{,}`, `{"aaaaaaaaaaaaaaaaaaaa":"bbbbbbbbbbbbbbbbbbbb"}`,
		`{"a":` + strings.Repeat("[", 31) + strings.Repeat("]", 31) + `}`, `{"a":` + strings.Repeat("[", 32) + strings.Repeat("]", 32) + `}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, doc string) {
		if !plain(doc) {
			return
		}
		if v := jsontext.Value(doc); !v.IsValid() || v.Kind() != '{' || !shallow(doc) || strings.Contains(doc, `\`) {
			t.Fatalf("%q is accepted here only", doc)
		}
	})
}

// What nearly all tokens are is plain, and what is only slightly different is
// left to the library.
func TestPlain(t *testing.T) {
	names := func(n int) string {
		var b strings.Builder
		for i := range n {
			b.WriteString(`"` + strings.Repeat("n", i) + `":1,`)
		}
		return "{" + strings.TrimSuffix(b.String(), ",") + "}"
	}
	for doc, want := range map[string]bool{
		`{}`: true,
		`{"iss":"https://as.example","aud":["a","b"],"exp":1700000000,"realm_access":{"roles":["x"]},"email_verified":true,"a":{},"b":[],"c":null,"d":false,"e":0}`: true,
		`{"a":{"x":1,"y":2},"b":{"x":1,"y":2}}`: true,
		names(maxNames):                         true,
		names(maxNames + 1):                     false,
		`{"a":1,"a":1}`:                         false,
		`{"a":{"b":1,"c":2,"b":1}}`:             false,
		`{"a":[{"b":1,"b":1}]}`:                 false,
		`{"a":"\n"}`:                            false,
		`{"a":"ä"}`:                             false,
		`{"a": 1}`:                              false,
		`{"a":1.0}`:                             false,
		`{"a":-1}`:                              false,
		`{"a":00}`:                              false,
		`{"a":0x}`:                              false,
		`{"a":nul}`:                             false,
		`{"a":1}}`:                              false,
		`{"a":1`:                                false,
		`[]`:                                    false,
		``:                                      false,
	} {
		if got := plain(doc); got != want {
			t.Errorf("%s: %v, want %v", doc, got, want)
		}
	}
	for c := range 256 {
		for _, pad := range []string{"", "xxxxxxxxxxxxxxxx"} { // by byte, and eight at a time
			doc := `{"a":"` + pad + string([]byte{byte(c)}) + pad + `"}`
			want := c >= ' ' && c < 0x80 && c != '"' && c != '\\'
			if got := plain(doc); got != want {
				t.Errorf("byte %#x in %q: %v, want %v", c, doc, got, want)
			}
		}
	}
}
