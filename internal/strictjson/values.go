package strictjson

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

// latest is the last second of the year 9999, the largest date accepted.
const latest = 253402300799

// value reads the next value and fails unless its kind is want.
func (r *Reader) value(want byte) (raw []byte, ok bool) {
	if r.err != nil {
		return nil, false
	}
	kind := byte(r.dec.PeekKind())
	v, err := r.dec.ReadValue()
	if err != nil {
		r.syntax(err)
		return nil, false
	}
	if kind != want { // [CL-23 CL-15]
		r.fail(fmt.Errorf("%w of %q", ErrType, clip(r.name)))
		return nil, false
	}
	return v, true
}

// Skip passes over a value of any type; it still has to be strict JSON.
func (r *Reader) Skip() {
	if r.err != nil {
		return
	}
	if err := r.dec.SkipValue(); err != nil {
		r.syntax(err)
	}
}

// Raw returns the next value as it stands, whatever its type.
func (r *Reader) Raw() string {
	if r.err != nil {
		return ""
	}
	raw, err := r.dec.ReadValue()
	if err != nil {
		r.syntax(err)
		return ""
	}
	end := int(r.dec.InputOffset())
	return r.src[end-len(raw) : end]
}

// Text reads a string.
func (r *Reader) Text() string {
	raw, ok := r.value('"')
	if !ok {
		return ""
	}
	return r.plain(raw)
}

// Object reads an object and returns it as it stands.
func (r *Reader) Object() string {
	raw, ok := r.value('{')
	if !ok {
		return ""
	}
	end := int(r.dec.InputOffset())
	return r.src[end-len(raw) : end]
}

// Texts reads an array of strings.
func (r *Reader) Texts() []string {
	if r.err != nil {
		return nil
	}
	if r.dec.PeekKind() != '[' {
		r.Skip()
		r.fail(fmt.Errorf("%w of %q", ErrType, clip(r.name)))
		return nil
	}
	return r.elements()
}

// TextOrTexts reads one string or an array of strings (RFC 7519 §4.1.3).
func (r *Reader) TextOrTexts() []string {
	if r.err == nil && r.dec.PeekKind() == '"' {
		return []string{r.Text()}
	}
	return r.Texts()
}

func (r *Reader) elements() []string {
	if _, err := r.dec.ReadToken(); err != nil {
		r.syntax(err)
		return nil
	}
	list := make([]string, 0, 4)
	for r.err == nil && r.dec.PeekKind() != ']' {
		s := r.Text()
		if r.err == nil {
			list = append(list, s)
		}
	}
	if r.err != nil {
		return nil
	}
	if _, err := r.dec.ReadToken(); err != nil {
		r.syntax(err)
		return nil
	}
	return list
}

// Date reads a NumericDate (RFC 7519 §2): a JSON number of seconds, fractions
// allowed, from 0 to the end of the year 9999.
func (r *Reader) Date() time.Time {
	raw, ok := r.value('0')
	if !ok {
		return time.Time{}
	}
	if sec, err := strconv.ParseInt(string(raw), 10, 64); err == nil {
		if sec < 0 || sec > latest { // [CL-15]
			r.fail(fmt.Errorf("%w: %q", ErrRange, clip(r.name)))
			return time.Time{}
		}
		return time.Unix(sec, 0)
	}
	f, err := strconv.ParseFloat(string(raw), 64)
	if err != nil || !(f >= 0 && f <= latest) { // [CL-15]
		r.fail(fmt.Errorf("%w: %q", ErrRange, clip(r.name)))
		return time.Time{}
	}
	whole, part := math.Modf(f)
	return time.Unix(int64(whole), int64(part*1e9))
}

// clip bounds a name from outside before it enters an error.
func clip(b []byte) []byte {
	const most = 64
	if len(b) > most {
		return b[:most]
	}
	return b
}
