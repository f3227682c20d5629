// Package strictjson reads JSON that comes from outside: one object, valid
// UTF-8, no repeated name at any depth, no trailing data, bounded depth.
// Names are compared byte for byte after unescaping (RFC 7515 §5.3).
package strictjson

import (
	"errors"
	"fmt"
	"strings"
	"unsafe"

	"github.com/go-json-experiment/json/jsontext"
)

// MaxDepth is how deep arrays and objects may nest.
const MaxDepth = 32

var (
	// ErrSyntax says that the input is not one strict JSON object.
	ErrSyntax = errors.New("not one strict JSON object")
	// ErrType says that a member has another JSON type than it must have.
	ErrType = errors.New("wrong JSON type")
	// ErrRange says that a number lies outside of what is accepted.
	ErrRange = errors.New("number out of range")
)

// Reader walks over the members of one JSON object. The library judges the whole
// text before the walk begins, so that the walk only has to find where members
// of good JSON begin and end. A Reader is for one goroutine.
type Reader struct {
	text
	pos   int
	name  string
	value string // of the member, as it stands
	err   error
}

// Open judges src and starts reading it. Strings without escapes that the Reader
// returns share src's memory.
func Open(src string) Reader {
	r := Reader{text: text{src, strings.IndexByte(src, '\\') >= 0}}
	r.err = judge(src)
	if r.err == nil {
		r.pos = r.space(0) + 1
	}
	return r
}

// Check reports whether src is one strict JSON object, whatever its members.
func Check(src string) error { return judge(src) }

// judge says what is wrong with src. The library's own words would quote it.
func judge(src string) error {
	if plain(src) {
		return nil
	}
	if !shallow(src) { // [JO-31]
		return fmt.Errorf("%w: nested deeper than %d", ErrSyntax, MaxDepth)
	}
	doc := jsontext.Value(view(src))
	switch {
	case !doc.IsValid(): // [JO-16 JO-17 JO-18]
		return fault(doc)
	case doc.Kind() != '{':
		return fmt.Errorf("%w: not an object", ErrSyntax)
	}
	return nil
}

// fault tells apart what is worth telling apart about bad JSON.
func fault(doc jsontext.Value) error {
	what := "malformed"
	if doc.IsValid(jsontext.AllowDuplicateNames(true)) {
		what = "repeated name"
	}
	return fmt.Errorf("%w: %s", ErrSyntax, what)
}

// view is src without a copy: its reader writes into no buffer that it was
// given.
func view(src string) []byte { return unsafe.Slice(unsafe.StringData(src), len(src)) } //nolint:gosec // see above

// Next moves to the next member and returns its name. It returns false at the end
// and after an error: see Err.
func (r *Reader) Next() (name string, ok bool) {
	if r.err != nil {
		return "", false
	}
	start := r.space(r.pos)
	if r.src[start] == ',' {
		start = r.space(start + 1)
	}
	if r.src[start] == '}' {
		r.pos = start
		return "", false
	}
	end := r.quoted(start)
	r.name = r.unquote(r.src[start:end])
	start = r.space(r.space(end) + 1) // the colon
	r.pos = r.end(start)
	r.value = r.src[start:r.pos]
	return r.name, true
}

// Err returns what ended the walk: nil only when the whole input is one strict
// object and every value that was read had its type.
func (r *Reader) Err() error { return r.err }

func (r *Reader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

// At returns the name of the member that was read last, shortened: what an
// error is about.
func (r *Reader) At() string { return clip(r.name) }
