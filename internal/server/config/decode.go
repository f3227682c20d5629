package config

import (
	"net/netip"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// places knows where in the file a value stands: by its path, for example
// issuers[0].leeway.
type places map[string]Position

// at returns the position of path, or of the nearest thing around it.
func (p places) at(path string) Position {
	for path != "" {
		if at, ok := p[path]; ok {
			return at
		}
		path = path[:max(strings.LastIndexAny(path, ".["), 0)]
	}
	return Position{Line: 1, Column: 1}
}

// decoder fills structs from nodes, guided by their tags.
type decoder struct {
	faults *Faults
	places places
	failed map[string]bool   // paths whose value has a fault: nothing more is said about them
	hidden map[string]string // by path, what a fault would show of a value from the environment
}

var (
	durationType = reflect.TypeFor[time.Duration]()
	urlType      = reflect.TypeFor[*url.URL]()
	prefixType   = reflect.TypeFor[netip.Prefix]()
)

func (d *decoder) fault(at Position, path, format string, args ...any) {
	d.failed[path] = true
	d.faults.Add(at, format, args...)
}

// table fills the struct v. A nil node leaves every default.
func (d *decoder) table(n *node, v reflect.Value, path string) {
	values := map[string]*node{}
	fields, known := schema(v.Type())
	at := d.places.at(path)
	if n != nil {
		at = n.Position
		for _, e := range n.entries {
			switch {
			case slices.Contains(known, e.key):
				values[e.key] = e.value
				d.places[join(path, e.key)] = e.value.Position
			default:
				d.faults.Add(e.Position, "unknown key %s%s", quote(e.key), suggest(e.key, known))
			}
		}
	}
	for _, f := range fields {
		value, here := values[f.key], join(path, f.key)
		switch {
		case value == nil && f.required:
			d.fault(at, here, "%s is missing", quote(f.key))
		case value == nil && f.byDefault != "":
			d.value(&node{kind: text, text: f.byDefault, replaced: true}, v.Field(f.index), f, here)
		case value == nil && f.nested:
			d.table(nil, v.Field(f.index), here)
		case value != nil:
			d.value(value, v.Field(f.index), f, here)
		}
	}
}

// value fills one field.
func (d *decoder) value(n *node, v reflect.Value, f field, path string) {
	if n.replaced && f.byDefault != n.text {
		d.hidden[path] = quote(n.text)
	}
	switch {
	case n.kind == broken:
		d.failed[path] = true
	case n.kind == null && f.required:
		d.fault(n.Position, path, "%s has no value", quote(f.name(path)))
	case n.kind == null:
		d.fault(n.Position, path, "%s has no value: leave the key out to use its default", quote(f.name(path)))
	case v.Type() == durationType:
		d.duration(n, v, f, path)
	case v.Type() == urlType:
		d.url(n, v, path)
	case v.Type() == prefixType:
		d.prefix(n, v, path)
	case v.Kind() == reflect.String:
		d.string(n, v, f, path)
	case v.Kind() == reflect.Bool:
		d.bool(n, v, path)
	case v.Kind() == reflect.Int:
		d.int(n, v, f, path)
	case v.Kind() == reflect.Slice:
		d.list(n, v, f, path)
	case v.Kind() == reflect.Map:
		d.mapping(n, v, path)
	case !d.is(n, table, path):
	case v.Kind() == reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		d.table(n, v.Elem(), path)
	default:
		d.table(n, v, path)
	}
}

// is reports whether n is of the kind, and that it is not.
func (d *decoder) is(n *node, want kind, path string) bool {
	if n.kind == want {
		return true
	}
	if want == text {
		d.fault(n.Position, path, "this must be text, not %s: put it in quotes if it is", n.kind)
	} else {
		d.fault(n.Position, path, "this must be %s, not %s", want, n.kind)
	}
	return false
}

func (d *decoder) string(n *node, v reflect.Value, f field, path string) {
	if !d.is(n, text, path) {
		return
	}
	switch {
	case len(f.enum) > 0 && !slices.Contains(f.enum, n.text):
		d.fault(n.Position, path, "%s is not %s%s", n.shown(), alternatives(f.enum), hint(n, f))
	case n.text == "":
		d.fault(n.Position, path, "this is empty: leave the key out to use its default")
	default:
		v.SetString(n.text)
	}
}

func hint(n *node, f field) string {
	if near := nearest(n.text, f.enum); near != "" && !n.replaced {
		return "; did you mean " + quote(near) + "?"
	}
	return ""
}

func (d *decoder) bool(n *node, v reflect.Value, path string) {
	if n.kind == boolean || n.kind == text && n.replaced {
		if b, err := strconv.ParseBool(n.text); err == nil && len(n.text) > 1 {
			v.SetBool(b)
			return
		}
	}
	d.fault(n.Position, path, "this must be true or false")
}

func (d *decoder) int(n *node, v reflect.Value, f field, path string) {
	if n.kind != number && !(n.kind == text && n.replaced) {
		d.fault(n.Position, path, "this must be a number")
		return
	}
	value, err := strconv.ParseInt(n.text, 10, 32)
	least, _ := strconv.ParseInt(f.min, 10, 32) // tags of this package
	most, _ := strconv.ParseInt(f.max, 10, 32)
	if err != nil || value < least || value > most {
		d.fault(n.Position, path, "%s is not a number from %s to %s", n.shown(), f.min, f.max)
		return
	}
	v.SetInt(value)
}

func (d *decoder) duration(n *node, v reflect.Value, f field, path string) {
	if n.kind == number {
		d.fault(n.Position, path, "the duration %s has no unit: write %ss, %sm or %sh", quote(n.text), n.text, n.text, n.text)
		return
	}
	if !d.is(n, text, path) {
		return
	}
	value, err := time.ParseDuration(n.text)
	switch unit := strings.TrimLeft(n.text, "+-.0123456789"); {
	case err != nil || unit == "":
		d.fault(n.Position, path, "%s is not a duration: a number and a unit, like 500ms, 60s, 15m or 24h", n.shown())
	case f.min != "" && value < mustDuration(f.min):
		d.fault(n.Position, path, "%s is below %s", n.shown(), f.min)
	case f.max != "" && value > mustDuration(f.max):
		d.fault(n.Position, path, "%s is above %s", n.shown(), f.max)
	default:
		v.SetInt(int64(value))
	}
}

func mustDuration(s string) time.Duration {
	d, err := time.ParseDuration(s)
	if err != nil {
		panic(err) // a tag of this package
	}
	return d
}

func (d *decoder) url(n *node, v reflect.Value, path string) {
	if !d.is(n, text, path) {
		return
	}
	u, err := url.Parse(n.text)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || strings.Contains(n.text, "#") || !isPort(u) {
		d.fault(n.Position, path, "%s is not an http or https URL with a host, without user name and fragment", n.shown())
		return
	}
	v.Set(reflect.ValueOf(u))
}

// isPort reports that the port, if there is one, can exist.
func isPort(u *url.URL) bool {
	n, err := strconv.ParseUint(u.Port(), 10, 16)
	return u.Port() == "" || err == nil && n > 0
}

// prefix reads a range of addresses, or one address.
func (d *decoder) prefix(n *node, v reflect.Value, path string) {
	if !d.is(n, text, path) {
		return
	}
	p, err := netip.ParsePrefix(n.text)
	if addr, bad := netip.ParseAddr(n.text); bad == nil && addr.Zone() == "" {
		p, err = netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	switch {
	case err != nil:
		d.fault(n.Position, path, "%s is not an address, like 192.0.2.1, or a range, like 192.0.2.0/24", n.shown())
	case p != p.Masked():
		d.fault(n.Position, path, "%s is an address inside of a range: write the address alone, or the first of the range", n.shown())
	case p.Addr().Is4In6():
		d.fault(n.Position, path, "%s is IPv4 written as IPv6: write it as IPv4", n.shown())
	default:
		v.Set(reflect.ValueOf(p))
	}
}

func (d *decoder) list(n *node, v reflect.Value, f field, path string) {
	if f.scalar && n.kind == text {
		n = &node{Position: n.Position, kind: list, items: []*node{n}}
	}
	if !d.is(n, list, path) {
		return
	}
	if len(n.items) == 0 {
		d.fault(n.Position, path, "this list is empty: leave the key out if nothing belongs there")
	}
	out := reflect.MakeSlice(v.Type(), len(n.items), len(n.items))
	for i, item := range n.items {
		here := path + "[" + strconv.Itoa(i) + "]"
		d.places[here] = item.Position
		d.value(item, out.Index(i), field{enum: f.enum}, here)
		d.failed[path] = d.failed[path] || d.failed[here]
	}
	v.Set(out)
}

func (d *decoder) mapping(n *node, v reflect.Value, path string) {
	if !d.is(n, table, path) {
		return
	}
	out := reflect.MakeMap(v.Type())
	for _, e := range n.entries {
		here := join(path, e.key)
		d.places[here] = e.Position
		value := reflect.New(v.Type().Elem()).Elem()
		d.value(e.value, value, field{key: e.key}, here)
		if !d.failed[here] {
			out.SetMapIndex(reflect.ValueOf(e.key), value)
		}
	}
	v.Set(out)
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}
