package strictjson

import (
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// text is JSON that was found good, so that nothing has to be judged any more to
// find the ends of its values. What is asked for an offset gets one of a value.
type text struct {
	src     string
	escaped bool // there are escapes somewhere
}

// space returns the offset behind white space.
func (t *text) space(at int) int {
	for at < len(t.src) && isSpace(t.src[at]) {
		at++
	}
	return at
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }

// quoted returns the offset behind the string that begins at start.
func (t *text) quoted(start int) int {
	at := start + 1
	if !t.escaped {
		return at + strings.IndexByte(t.src[at:], '"') + 1
	}
	for t.src[at] != '"' {
		if t.src[at] == '\\' {
			at++
		}
		at++
	}
	return at + 1
}

// end returns the offset behind the value that begins at start.
func (t *text) end(start int) int {
	switch t.src[start] {
	case '"':
		return t.quoted(start)
	case '{', '[':
		return t.nested(start)
	}
	at := start
	for at < len(t.src) && !isSpace(t.src[at]) && t.src[at] != ',' && t.src[at] != '}' && t.src[at] != ']' {
		at++
	}
	return at
}

// nested is end for an object or an array.
func (t *text) nested(start int) int {
	depth := 0
	for at := start; ; {
		switch t.src[at] {
		case '"':
			at = t.quoted(at)
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return at + 1
			}
		}
		at++
	}
}

// unquote is what a string says. It shares the source if it can.
func (t *text) unquote(raw string) string {
	if !t.escaped || strings.IndexByte(raw, '\\') < 0 {
		return raw[1 : len(raw)-1]
	}
	b, err := jsontext.AppendUnquote(nil, raw)
	if err != nil {
		panic("strictjson: " + ErrSyntax.Error()) // it was found good
	}
	return string(b)
}

// shallow reports whether src nests at most MaxDepth deep. Of a text that was not
// judged yet, it looks at brackets outside of strings only.
func shallow(src string) bool {
	if strings.Count(src, "{")+strings.Count(src, "[") <= MaxDepth {
		return true
	}
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
