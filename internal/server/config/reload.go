package config

import (
	"crypto/sha256"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// Frozen returns the faults of next as what follows f without a restart: the keys
// whose field has the tag restart. With presence in it, only that the key comes or
// goes is one.
func (f *File) Frozen(next *File) (faults []Fault) {
	frozen(reflect.ValueOf(f).Elem(), reflect.ValueOf(next).Elem(), "", func(path string) {
		faults = append(faults, next.Fault(path, fmt.Errorf("%s cannot change without a restart", path)))
	})
	return faults
}

func frozen(a, b reflect.Value, path string, say func(path string)) {
	fields, _ := schema(a.Type())
	for _, field := range fields {
		x, y, here := a.Field(field.index), b.Field(field.index), join(path, field.key)
		switch {
		case field.restart == "true":
			if !reflect.DeepEqual(x.Interface(), y.Interface()) {
				say(here)
			}
			continue
		case field.restart == "presence" && x.IsNil() != y.IsNil():
			say(here)
			continue
		}
		if x.Kind() == reflect.Pointer && !x.IsNil() && !y.IsNil() {
			x, y = x.Elem(), y.Elem()
		}
		if x.Kind() == reflect.Struct && x.Type() != urlType.Elem() {
			frozen(x, y, here, say)
		}
	}
}

// Files returns the files that were read with f and have to be read again when
// they change. Those that are looked after while they are in use, and those that
// only a restart reads, are not among them.
func (f *File) Files() []string {
	var out []string
	named(reflect.ValueOf(f).Elem(), "", func(_, name string, as field) {
		if as.read == "" || as.read == "file" {
			out = append(out, name)
		}
	})
	slices.Sort(out)
	return slices.Compact(out)
}

// named calls found for each file that v names.
func named(v reflect.Value, path string, found func(path, name string, as field)) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			named(v.Elem(), path, found)
		}
	case reflect.Slice:
		for i := range v.Len() {
			named(v.Index(i), fmt.Sprintf("%s[%d]", path, i), found)
		}
	case reflect.Struct:
		fields, _ := schema(v.Type())
		for _, field := range fields {
			x, here := v.Field(field.index), join(path, field.key)
			switch {
			case x.Kind() != reflect.String:
				named(x, here, found)
			case x.String() != "" && (field.read != "" || strings.HasSuffix(field.key, "_file")):
				found(here, x.String(), field)
			}
		}
	}
}

// Path is where f was read.
func (f *File) Path() string { return f.name }

// Sum is the SHA-256 of the content.
func (f *File) Sum() [sha256.Size]byte { return f.sum }
