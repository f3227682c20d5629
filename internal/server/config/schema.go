package config

import (
	"reflect"
	"strings"
)

// field is what a struct field's tags say.
type field struct {
	index     int // in the struct
	key       string
	scalar    bool // one string stands for a list of one
	required  bool
	nested    bool // a table that has defaults of its own
	byDefault string
	enum      []string
	min, max  string
	restart   string // "true": a change needs one; "presence": that it comes or goes
	read      string // whether the file that it names is read again, see Files
}

// name is what a fault calls the field; an element of a list has no key.
func (f field) name(path string) string {
	if f.key != "" {
		return f.key
	}
	return path[strings.LastIndex(path, ".")+1:]
}

// schema returns the fields of t and their keys.
func schema(t reflect.Type) (fields []field, known []string) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, option, _ := strings.Cut(f.Tag.Get("key"), ",")
		if name == "" {
			continue
		}
		fields = append(fields, field{
			index:     i,
			key:       name,
			scalar:    option == "scalar",
			required:  f.Tag.Get("required") != "",
			nested:    f.Type.Kind() == reflect.Struct,
			byDefault: f.Tag.Get("default"),
			enum:      strings.Fields(f.Tag.Get("enum")),
			min:       f.Tag.Get("min"),
			max:       f.Tag.Get("max"),
			restart:   f.Tag.Get("restart"),
			read:      f.Tag.Get("read"),
		})
		known = append(known, name)
	}
	return fields, known
}
