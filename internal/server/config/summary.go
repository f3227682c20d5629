package config

import (
	"fmt"
	"reflect"
	"strings"
)

// Facts are what the rule demands, a key each: those that differ from the default.
func (r Rule) Facts() []string {
	var facts []string
	v := reflect.ValueOf(r)
	fields, _ := schema(v.Type())
	for _, field := range fields {
		x := v.Field(field.index)
		if field.key == "match" || x.IsZero() || fmt.Sprint(x.Interface()) == field.byDefault {
			continue
		}
		switch value := x.Interface().(type) {
		case bool:
			facts = append(facts, field.key)
		case []string:
			facts = append(facts, field.key+" "+strings.Join(value, " "))
		case []Detail:
			for _, d := range value {
				facts = append(facts, field.key+" "+d.Type)
			}
		default:
			facts = append(facts, fmt.Sprint(field.key, " ", value))
		}
	}
	return facts
}
