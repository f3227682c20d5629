package strictjson

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

// latest is the last second of the year 9999, the largest date accepted.
const latest = 253402300799

// is fails unless the member's value begins with kind.
func (r *Reader) is(kind byte) bool {
	if r.err != nil {
		return false
	}
	if r.value == "" || r.value[0] != kind { // [CL-23 CL-15]
		r.fail(fmt.Errorf("%w of %q", ErrType, clip(r.name)))
		return false
	}
	return true
}

// Raw returns the member's value as it stands, whatever its type.
func (r *Reader) Raw() string {
	if r.err != nil {
		return ""
	}
	return r.value
}

// Text reads a string.
func (r *Reader) Text() string {
	if !r.is('"') {
		return ""
	}
	return r.unquote(r.value)
}

// Object reads an object and returns it as it stands.
func (r *Reader) Object() string {
	if !r.is('{') {
		return ""
	}
	return r.value
}

// Texts reads an array of strings.
func (r *Reader) Texts() []string {
	if !r.is('[') {
		return nil
	}
	in := text{r.value, r.escaped}
	list := make([]string, 0, 4)
	for at := in.space(1); in.src[at] != ']'; {
		if in.src[at] != '"' {
			r.fail(fmt.Errorf("%w of %q", ErrType, clip(r.name)))
			return nil
		}
		end := in.quoted(at)
		list = append(list, in.unquote(in.src[at:end]))
		if at = in.space(end); in.src[at] == ',' {
			at = in.space(at + 1)
		}
	}
	return list
}

// TextOrTexts reads one string or an array of strings (RFC 7519 §4.1.3).
func (r *Reader) TextOrTexts() []string {
	if r.err == nil && r.value != "" && r.value[0] == '"' {
		return []string{r.Text()}
	}
	return r.Texts()
}

// Date reads a NumericDate (RFC 7519 §2): a JSON number of seconds, fractions
// allowed, from 0 to the end of the year 9999.
func (r *Reader) Date() time.Time {
	if r.err != nil {
		return time.Time{}
	}
	if r.value == "" || r.value[0] != '-' && (r.value[0] < '0' || r.value[0] > '9') { // [CL-23 CL-15]
		r.fail(fmt.Errorf("%w of %q", ErrType, clip(r.name)))
		return time.Time{}
	}
	if sec, ok := seconds(r.value); ok {
		return time.Unix(sec, 0)
	}
	f, err := strconv.ParseFloat(r.value, 64)
	if err != nil || !(f >= 0 && f <= latest) { // [CL-15]
		r.fail(fmt.Errorf("%w: %q", ErrRange, clip(r.name)))
		return time.Time{}
	}
	whole, part := math.Modf(f)
	return time.Unix(int64(whole), int64(part*1e9))
}

// seconds reads what nearly all dates are: a few digits.
func seconds(s string) (sec int64, ok bool) {
	if len(s) > len("253402300799") {
		return 0, false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		sec = sec*10 + int64(s[i]-'0')
	}
	return sec, sec <= latest
}

// clip bounds a name from outside before it enters an error.
func clip(name string) string {
	const most = 64
	if len(name) > most {
		return name[:most]
	}
	return name
}
