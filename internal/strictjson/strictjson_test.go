package strictjson_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bearward/bearward/internal/strictjson"
)

func TestCheck(t *testing.T) { // [JO-16 JO-17 JO-18 JO-31]
	nested := func(n int) string {
		return `{"a":` + strings.Repeat("[", n-1) + strings.Repeat("]", n-1) + `}`
	}
	tests := map[string]struct {
		in string
		ok bool
	}{
		"empty object":          {`{}`, true},
		"white space":           {" \t\r\n{ \"a\" : 1 } \n", true},
		"case variants":         {`{"iss":1,"ISS":2,"Iss":3}`, true},
		"long s is no s":        {`{"sub":1,"` + "\u017f" + `ub":2}`, true},
		"brackets in text":      {`{"a":"` + strings.Repeat("[{", 100) + `\""}`, true},
		"deepest":               {nested(strictjson.MaxDepth), true},
		"surrogate pair":        {`{"a":"\ud83d\ude00"}`, true},
		"too deep":              {nested(strictjson.MaxDepth + 1), false},
		"10,000 deep":           {nested(10_000), false},
		"unclosed 10,000 deep":  {strings.Repeat(`{"a":`, 10_000), false},
		"empty":                 {``, false},
		"space only":            {` `, false},
		"array":                 {`[]`, false},
		"text":                  {`"a"`, false},
		"number":                {`1`, false},
		"null":                  {`null`, false},
		"BOM":                   {"\ufeff{}", false},
		"repeated":              {`{"a":1,"a":1}`, false},
		"repeated escaped":      {`{"a":1,"\u0061":1}`, false},
		"repeated deep":         {`{"a":[{"b":{"c":1,"c":1}}]}`, false},
		"object after":          {`{}{}`, false},
		"letter after":          {`{}x`, false},
		"NUL after":             {"{}\x00", false},
		"comma after":           {`{},`, false},
		"unclosed":              {`{"a":1`, false},
		"closed too often":      {`{"a":1}}`, false},
		"unquoted name":         {`{a:1}`, false},
		"single quotes":         {`{'a':1}`, false},
		"trailing comma":        {`{"a":1,}`, false},
		"comment":               {`{/**/"a":1}`, false},
		"bad UTF-8 in value":    {"{\"a\":\"\xff\"}", false},
		"bad UTF-8 in name":     {"{\"\xc3\x28\":1}", false},
		"lone surrogate":        {`{"a":"\ud800"}`, false},
		"raw control character": {"{\"a\":\"\n\"}", false},
		"NaN":                   {`{"a":NaN}`, false},
		"leading zero":          {`{"a":01}`, false},
		"plus":                  {`{"a":+1}`, false},
		"hex":                   {`{"a":0x1}`, false},
		"True":                  {`{"a":True}`, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			err := strictjson.Check(tt.in)
			if (err == nil) != tt.ok || err != nil && !errors.Is(err, strictjson.ErrSyntax) {
				t.Errorf("got %v, want ok %v", err, tt.ok)
			}
		})
	}
}

// The walk finds the ends of names and values wherever white space, escapes and
// brackets in strings may be, and what was not read is passed over.
func TestWalk(t *testing.T) {
	for _, doc := range []string{
		`{"a":"x","b\\\"}":[{"c":"]}\\\""},[]],"d":-1e3,"e":null}`,
		" {\r\n\"a\" : \"x\" ,\t\"b\\\\\\\"}\" : [ { \"c\" : \"]}\\\\\\\"\" } , [ ] ] , \"d\" : -1e3 , \"e\" : null } ",
	} {
		want := []string{"a", `"x"`, `b\"}`, `[{"c":"]}\\\""},[]]`, "d", "-1e3", "e", "null"}
		var got []string
		r := strictjson.Open(doc)
		for name, ok := r.Next(); ok; name, ok = r.Next() {
			got = append(got, name)
			got = append(got, strings.ReplaceAll(r.Raw(), " ", ""))
		}
		if _, ok := r.Next(); ok || r.Err() != nil || !cmp.Equal(got, want) {
			t.Errorf("%s: %q, %v, want %q", doc, got, r.Err(), want)
		}
	}
	r := strictjson.Open(`{}`)
	if _, ok := r.Next(); ok || r.Err() != nil {
		t.Errorf("an empty object: %v", r.Err())
	}
}

// one reads {"v":value} with read.
func one[T any](value string, read func(*strictjson.Reader) T) (T, error) {
	r := strictjson.Open(`{"v":` + value + `,"w":0}`)
	var out T
	for name, ok := r.Next(); ok; name, ok = r.Next() {
		if name == "v" {
			out = read(&r)
		}
	}
	return out, r.Err()
}

func check[T any](t *testing.T, value string, read func(*strictjson.Reader) T, want T, wantErr error) {
	t.Helper()
	got, err := one(value, read)
	if !errors.Is(err, wantErr) || wantErr == nil && !cmp.Equal(got, want) {
		t.Errorf("%s: got %v, %v, want %v, %v", value, got, err, want, wantErr)
	}
}

func TestText(t *testing.T) {
	read := (*strictjson.Reader).Text
	check(t, `"a"`, read, "a", nil)
	check(t, `""`, read, "", nil)
	check(t, `"a\u0062\"\\\n"`, read, "ab\"\\\n", nil)
	check(t, `"äß"`, read, "äß", nil)
	for _, wrong := range []string{`1`, `null`, `true`, `["a"]`, `{"a":1}`} {
		check(t, wrong, read, "", strictjson.ErrType)
	}
	check(t, `"a`, read, "", strictjson.ErrSyntax)
}

func TestTexts(t *testing.T) {
	read, either := (*strictjson.Reader).Texts, (*strictjson.Reader).TextOrTexts
	check(t, `["a","b"]`, read, []string{"a", "b"}, nil)
	check(t, `[]`, read, []string{}, nil)
	check(t, `["a","b"]`, either, []string{"a", "b"}, nil)
	check(t, `"a"`, either, []string{"a"}, nil)
	check(t, `"a"`, read, nil, strictjson.ErrType)
	for _, wrong := range []string{`1`, `null`, `{}`, `["a",1]`, `[null]`, `[["a"]]`} {
		check(t, wrong, read, nil, strictjson.ErrType)
		check(t, wrong, either, nil, strictjson.ErrType)
	}
	check(t, `["a"`, read, nil, strictjson.ErrSyntax)
	check(t, `["a",]`, read, nil, strictjson.ErrSyntax)
}

func TestObjectAndRaw(t *testing.T) {
	object, raw := (*strictjson.Reader).Object, (*strictjson.Reader).Raw
	check(t, `{"a": [1, 2]}`, object, `{"a": [1, 2]}`, nil)
	check(t, `[]`, object, "", strictjson.ErrType)
	check(t, `{"a":1,"a":1}`, object, "", strictjson.ErrSyntax)
	for _, value := range []string{`{"a": 1}`, `[ 1 ]`, `"a\u0062"`, `null`, `-1e3`} {
		check(t, value, raw, value, nil)
	}
}

func TestDate(t *testing.T) {
	read := (*strictjson.Reader).Date
	check(t, `0`, read, time.Unix(0, 0), nil)
	check(t, `1700000000`, read, time.Unix(1700000000, 0), nil)
	check(t, `1700000000.5`, read, time.Unix(1700000000, 5e8), nil)
	check(t, `17e8`, read, time.Unix(1700000000, 0), nil)
	check(t, `4102444800`, read, time.Unix(4102444800, 0), nil) // past 2038
	check(t, `253402300799`, read, time.Unix(253402300799, 0), nil)
	for _, far := range []string{`-1`, `-0.5`, `253402300800`, `1e18`, `1e300`, `1e999`, `99999999999999999999`} {
		check(t, far, read, time.Time{}, strictjson.ErrRange)
	}
	for _, wrong := range []string{`"1700000000"`, `"2026-01-01T00:00:00Z"`, `null`, `true`, `[1]`, `{}`} {
		check(t, wrong, read, time.Time{}, strictjson.ErrType)
	}
}

// An error ends the walk for good: nothing that follows is read.
func TestErrorsStay(t *testing.T) {
	r := strictjson.Open(`{"a":1,"b":"x"}`)
	if _, ok := r.Next(); !ok {
		t.Fatal(r.Err())
	}
	if got := r.Text(); got != "" || !errors.Is(r.Err(), strictjson.ErrType) {
		t.Fatalf("got %q, %v", got, r.Err())
	}
	if _, ok := r.Next(); ok || r.Text() != "" || r.Raw() != "" || r.Object() != "" || r.Texts() != nil {
		t.Error("reading went on after an error")
	}
}

func TestErrorsBoundNames(t *testing.T) {
	r := strictjson.Open(`{"` + strings.Repeat("n", 5000) + `":1}`)
	r.Next()
	r.Text()
	if err := r.Err(); err == nil || len(err.Error()) > 200 {
		t.Errorf("error of %d bytes", len(err.Error()))
	}
}
