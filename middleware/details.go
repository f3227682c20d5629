package middleware

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/bearward/bearward/internal/strictjson"
	"github.com/bearward/bearward/validate"
)

// Detail demands a grant of the token's authorization_details (RFC 9396). One
// object has to grant all of it: objects are never added up.
//
// An object covers the demand if it has the same type, if its locations, when
// it has them, name this API (Config.Resource or an audience accepted here),
// and if its other members are exactly those that the demand names, each with
// all of the demanded values. So a member that the demand does not know grants
// nothing, whatever it restricts, and a member that the object lacks grants
// nothing either. Everything is compared exactly. Where that is too plain, see
// MatchDetail.
type Detail struct {
	Type       string
	Actions    []string
	DataTypes  []string
	Privileges []string
	Identifier string // of the one resource that the route is about
	// Fields are further members of the type: a string or a list of strings.
	// The values are all those that the route is about; an object that is
	// restricted to some of them does not cover it.
	Fields map[string][]string

	typed *matcher
}

// MatchDetail demands an object of this type for which covers returns true. T
// is a struct with all members that the type may have, but for type and
// locations, which are judged as for any Detail. An object with a member that T
// lacks, with a null at any depth, or that does not fit T grants nothing and is not handed
// over. A member that the object lacks is the zero value: use pointers where
// that could be read as a grant. covers must have no side effects.
func MatchDetail[T any](typ string, covers func(ctx context.Context, grant T) bool) Detail {
	m := &matcher{}
	switch err := json.Unmarshal([]byte("{}"), new(object[T])); {
	case covers == nil:
		m.fault = "there is no function"
	case reflect.TypeFor[T]().Kind() != reflect.Struct: // [AZ-12]
		m.fault = "a grant is read into a struct, which says what it knows"
	case err != nil:
		m.fault = err.Error()
	}
	m.covers = func(ctx context.Context, grant validate.Detail) bool {
		var o object[T]
		if grant.Decode(&o) != nil { // [AZ-12]
			return false
		}
		return covers(ctx, o.Grant)
	}
	return Detail{Type: typ, typed: m}
}

// matcher is a typed demand; its address tells it from others.
type matcher struct {
	covers func(context.Context, validate.Detail) bool
	fault  string
}

type object[T any] struct {
	Type      jsontext.Value `json:"type"`
	Locations jsontext.Value `json:"locations"`
	Grant     T              `json:",embed"`
}

func cloneDetails(list []Detail) []Detail {
	list = slices.Clone(list)
	for i := range list {
		d := &list[i]
		d.Actions, d.DataTypes, d.Privileges = slices.Clone(d.Actions), slices.Clone(d.DataTypes), slices.Clone(d.Privileges)
		d.Fields = maps.Clone(d.Fields)
		for name, values := range d.Fields {
			d.Fields[name] = slices.Clone(values)
		}
	}
	return list
}

func equalDetails(a, b Detail) bool {
	return a.Type == b.Type && a.Identifier == b.Identifier && a.typed == b.typed && slices.Equal(a.Actions, b.Actions) &&
		slices.Equal(a.DataTypes, b.DataTypes) && slices.Equal(a.Privileges, b.Privileges) &&
		maps.EqualFunc(a.Fields, b.Fields, slices.Equal[[]string])
}

// common are the members that RFC 9396 §2 defines.
var common = []string{"type", "locations", "actions", "datatypes", "privileges", "identifier"}

// check returns the faults of one demand by itself.
func (d *Detail) check() error {
	var faults []error
	if bad(d.Type) {
		faults = append(faults, errors.New("its Type is empty or not UTF-8"))
	}
	if d.typed != nil && len(d.wants()) > 0 {
		faults = append(faults, errors.New("a typed demand takes no Actions, DataTypes, Privileges, Identifier or Fields"))
	}
	if d.typed != nil && d.typed.fault != "" {
		faults = append(faults, fmt.Errorf("MatchDetail: %s", d.typed.fault))
	}
	for name := range d.Fields {
		if bad(name) || slices.Contains(common, name) {
			faults = append(faults, fmt.Errorf("%q cannot be one of Fields", name))
		}
	}
	for name, w := range d.wants() {
		if len(w.values) == 0 || slices.ContainsFunc(w.values, bad) || repeats(w.values) {
			faults = append(faults, fmt.Errorf("the values of %s are none, empty, repeated or not UTF-8", name))
		}
	}
	if len(faults) > 0 {
		return fmt.Errorf("detail %q: %w", d.Type, errors.Join(faults...))
	}
	return nil
}

// bad tells what no token can hold, or what nobody means to ask for.
func bad(s string) bool { return s == "" || !utf8.ValidString(s) }

func repeats(list []string) bool {
	sorted := slices.Sorted(slices.Values(list))
	return len(slices.Compact(sorted)) != len(list)
}

// want is what one member has to hold.
type want struct {
	values []string
	read   func(*strictjson.Reader) []string
}

// wants are the members that an object must have, by name.
func (d *Detail) wants() map[string]want {
	out := map[string]want{}
	for name, values := range d.Fields {
		out[name] = want{values, (*strictjson.Reader).TextOrTexts}
	}
	for name, values := range map[string][]string{"actions": d.Actions, "datatypes": d.DataTypes, "privileges": d.Privileges} {
		if len(values) > 0 {
			out[name] = want{values, (*strictjson.Reader).Texts}
		}
	}
	if d.Identifier != "" {
		out["identifier"] = want{[]string{d.Identifier}, func(r *strictjson.Reader) []string { return []string{r.Text()} }}
	}
	return out
}

// demand is a Detail made ready.
type demand struct {
	Detail
	wants map[string]want
}

// grantedBy reports that this one object covers the demand by itself.
func (d *demand) grantedBy(p *pass, grant validate.Detail) bool {
	var text jsontext.Value
	if grant.Type != d.Type || grant.Decode(&text) != nil { // [AZ-12]
		return false
	}
	return d.fits(string(text), p.here) && (d.typed == nil || d.typed.covers(p.ctx, grant))
}

// fits looks at every member of the object.
func (d *demand) fits(text string, here func(string) bool) bool {
	r := strictjson.Open(text)
	left := len(d.wants)
	for name, ok := r.Next(); ok; name, ok = r.Next() {
		w, known := d.wants[name]
		switch {
		case name == "type":
		case name == "locations":
			if !slices.ContainsFunc(r.Texts(), here) { // [AZ-12]
				return false
			}
		case d.typed != nil:
			if holdsNull(r.Raw()) { // [AZ-12]
				return false
			}
		case !known: // [AZ-12]
			return false
		default:
			if !includes(w.read(&r), w.values) { // [AZ-13]
				return false
			}
			left--
		}
	}
	return r.Err() == nil && left == 0
}

// holdsNull reports a null at any depth, or what is no JSON.
func holdsNull(raw string) bool {
	for dec := jsontext.NewDecoder(strings.NewReader(raw)); ; {
		switch token, err := dec.ReadToken(); {
		case errors.Is(err, io.EOF):
			return false
		case err != nil || token.Kind() == 'n':
			return true
		}
	}
}

func includes(have, need []string) bool {
	for _, n := range need {
		if !slices.Contains(have, n) {
			return false
		}
	}
	return true
}
