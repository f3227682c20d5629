package strictjson_test

import (
	"testing"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/bearward/bearward/internal/strictjson"
)

func FuzzStrictJSON(f *testing.F) {
	for _, seed := range []string{
		``, `{}`, `{"a":1}`, `{"a":1,"a":2}`, `{"a":"\u0061\ud83d\ude00"}`, `{"a":[{"b":null}]}`, `{}{}`, "\ufeff{}",
		"{\"a\":\"\xff\"}", `{"a":1e300}`, `{"a":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}`, `{"a":"[{"}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, doc string) {
		err := strictjson.Check(doc)
		var want map[string]jsontext.Value
		wantErr := json.Unmarshal([]byte(doc), &want)
		if err == nil && (wantErr != nil || want == nil) {
			t.Fatalf("%q is accepted here only: %v", doc, wantErr)
		}
		if err != nil {
			return
		}
		got := map[string]string{}
		r := strictjson.Open(doc)
		defer r.Close()
		for name, ok := r.Next(); ok; name, ok = r.Next() {
			got[string(name)] = r.Raw()
		}
		if r.Err() != nil || len(got) != len(want) {
			t.Fatalf("got %v, %v, want %v", got, r.Err(), want)
		}
		for name, value := range want {
			if got[name] != string(value) || !utf8.ValidString(name) {
				t.Fatalf("%q: got %q, want %q", name, got[name], value)
			}
		}
	})
}
