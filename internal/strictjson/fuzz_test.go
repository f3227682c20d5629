package strictjson_test

import (
	"slices"
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
		`{"a":["x","\"],[\\"],"b\"":{"c":[" ] "]} ,"d": -1.5e3 }`, ` { "" : [ "" , 1 ] } `,
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
		r := strictjson.Open(doc)
		if (r.Err() == nil) != (err == nil) {
			t.Fatalf("%q: Check says %v, Open %v", doc, err, r.Err())
		}
		if err != nil {
			return
		}
		n := 0
		for name, ok := r.Next(); ok; name, ok = r.Next() {
			n++
			value, there := want[name]
			if !there || r.Raw() != string(value) || !utf8.ValidString(name) {
				t.Fatalf("%q: got %q, want %q", name, r.Raw(), value)
			}
			read(t, r, value)
		}
		if r.Err() != nil || n != len(want) {
			t.Fatalf("%d members, %v, want %d", n, r.Err(), len(want))
		}
	})
}

// read compares how a value is read with the library, on copies of the reader,
// which a wrong type ends. null is no value of any type.
func read(t *testing.T, r strictjson.Reader, value jsontext.Value) {
	t.Helper()
	one, many, object := r, r, r
	var text string
	good := value.Kind() == '"' && json.Unmarshal(value, &text) == nil
	if got := one.Text(); got != text || (one.Err() == nil) != good {
		t.Fatalf("Text of %s is %q, %v", value, got, one.Err())
	}
	var list []jsontext.Value
	good = value.Kind() == '[' && json.Unmarshal(value, &list) == nil
	texts := make([]string, len(list))
	for i := range list {
		good = good && list[i].Kind() == '"' && json.Unmarshal(list[i], &texts[i]) == nil
	}
	if got := many.Texts(); good != (many.Err() == nil) || good && !slices.Equal(got, texts) {
		t.Fatalf("Texts of %s are %q, %v", value, got, many.Err())
	}
	if got := object.Object(); (got != "") != (value.Kind() == '{') || (object.Err() == nil) != (got != "") {
		t.Fatalf("Object of %s is %q, %v", value, got, object.Err())
	}
}
