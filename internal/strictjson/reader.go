// Package strictjson reads JSON that comes from outside: one object, valid
// UTF-8, no repeated name at any depth, no trailing data, bounded depth.
// Names are compared byte for byte after unescaping (RFC 7515 §5.3).
package strictjson

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

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

// Reader walks over the members of one JSON object. After Next, exactly one of
// the value methods must be called. A Reader is for one goroutine.
type Reader struct {
	src  string
	copy []byte
	in   bytes.Buffer
	dec  *jsontext.Decoder
	name []byte
	err  error
}

var readers = sync.Pool{New: func() any { return &Reader{dec: new(jsontext.Decoder)} }}

// Open starts reading src. Strings without escapes that the Reader returns
// share src's memory. Close gives the Reader back.
func Open(src string) *Reader {
	r := readers.Get().(*Reader)
	r.src, r.err = src, nil
	if !shallow(src) { // [JO-31]
		r.fail(fmt.Errorf("%w: nested deeper than %d", ErrSyntax, MaxDepth))
		return r
	}
	r.copy = append(r.copy[:0], src...)
	r.in = *bytes.NewBuffer(r.copy)
	r.dec.Reset(&r.in)
	tok, err := r.dec.ReadToken()
	switch {
	case err != nil:
		r.syntax(err)
	case tok.Kind() != '{':
		r.fail(fmt.Errorf("%w: not an object", ErrSyntax))
	}
	return r
}

// Close releases the Reader; it must not be used afterwards.
func (r *Reader) Close() {
	r.src, r.name = "", r.name[:0]
	if cap(r.copy) > 64<<10 || cap(r.name) > 1<<10 {
		r.copy, r.name = nil, nil
	}
	r.in = bytes.Buffer{}
	readers.Put(r)
}

// Next moves to the next member and returns its name, valid until the
// following call. It returns false at the end and after an error: see Err.
func (r *Reader) Next() (name []byte, ok bool) {
	if r.err != nil {
		return nil, false
	}
	if r.dec.PeekKind() == '}' {
		r.finish()
		return nil, false
	}
	raw, err := r.dec.ReadValue()
	if err != nil {
		r.syntax(err)
		return nil, false
	}
	if bytes.IndexByte(raw, '\\') < 0 {
		r.name = append(r.name[:0], raw[1:len(raw)-1]...)
	} else if r.name, err = jsontext.AppendUnquote(r.name[:0], raw); err != nil {
		r.syntax(err)
		return nil, false
	}
	return r.name, true
}

func (r *Reader) finish() {
	if _, err := r.dec.ReadToken(); err != nil {
		r.syntax(err)
		return
	}
	if _, err := r.dec.ReadToken(); err != io.EOF { // [JO-16]
		r.fail(fmt.Errorf("%w: data after the object", ErrSyntax))
	}
}

// Err returns what ended the walk: nil only when the whole input was one
// strict object and every value had its type.
func (r *Reader) Err() error { return r.err }

func (r *Reader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

// syntax says where the input is wrong and whether a name is repeated. The
// decoder's own words would quote the input.
func (r *Reader) syntax(err error) {
	what := "malformed"
	if errors.Is(err, jsontext.ErrDuplicateName) {
		what = "repeated name"
	}
	r.fail(fmt.Errorf("%w: %s near byte %d", ErrSyntax, what, r.dec.InputOffset()))
}

// shallow reports whether src nests at most MaxDepth deep. It looks at brackets
// outside of strings only; everything else is the decoder's business.
func shallow(src string) bool {
	depth := 0
	for i := 0; i < len(src); i++ {
		switch src[i] {
		case '"':
			for i++; i < len(src) && src[i] != '"'; i++ {
				if src[i] == '\\' {
					i++
				}
			}
		case '{', '[':
			if depth++; depth > MaxDepth {
				return false
			}
		case '}', ']':
			depth--
		}
	}
	return true
}

// Check reports whether src is one strict JSON object, whatever its members.
func Check(src string) error {
	r := Open(src)
	defer r.Close()
	for _, ok := r.Next(); ok; _, ok = r.Next() {
		r.Skip()
	}
	return r.Err()
}

// plain returns the text of the JSON string raw, sharing the source if it can.
func (r *Reader) plain(raw jsontext.Value) string {
	end := int(r.dec.InputOffset())
	if start := end - len(raw); start >= 0 && end <= len(r.src) && strings.IndexByte(r.src[start:end], '\\') < 0 {
		return r.src[start+1 : end-1]
	}
	b, err := jsontext.AppendUnquote(nil, raw)
	if err != nil {
		r.syntax(err)
	}
	return string(b)
}

// At returns the name of the member that was read last, shortened: what an
// error is about.
func (r *Reader) At() string { return string(clip(r.name)) }
