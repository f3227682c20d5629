package document

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"
)

// outline writes a tree with the place of each scalar.
func outline(n *yaml.Node) string {
	if n.Kind == yaml.ScalarNode {
		return fmt.Sprintf("%s %q at %d:%d\n", n.ShortTag(), n.Value, n.Line, n.Column)
	}
	out := fmt.Sprintf("%s at %d:%d\n", n.ShortTag(), n.Line, n.Column)
	for _, c := range n.Content {
		out += outline(c)
	}
	return out
}

const text = "{\n\t\"a\": [1, \"é\", \"x\\/y\"], \"b\" : {\"c\": true},\r\n  \"d\": null, \"e\": {}, \"f\": \"\\ud83d\\ude00\"\n}\n"

func TestJSON(t *testing.T) {
	tree, fault := JSON([]byte(text), Limits{Bytes: 1000})
	if fault != nil {
		t.Fatal(fault)
	}
	want := `!!map at 1:1
!!str "a" at 2:2
!!seq at 2:7
!!float "1" at 2:8
!!str "é" at 2:11
!!str "x/y" at 2:16
!!str "b" at 2:25
!!map at 2:31
!!str "c" at 2:32
!!bool "true" at 2:37
!!str "d" at 3:3
!!null "null" at 3:8
!!str "e" at 3:14
!!map at 3:19
!!str "f" at 3:23
!!str "😀" at 3:28
`
	if diff := cmp.Diff(want, outline(tree)); diff != "" {
		t.Error(diff)
	}
}

// Where both grammars have the same words, both trees are the same.
func TestYAMLIsJSON(t *testing.T) {
	data := []byte("{\n  \"a\": [\"é\", \"x\"], \"b\" : {\"c\": true},\n  \"d\": null, \"e\": {}\n}\n")
	one, fault := JSON(data, Limits{Bytes: 1000})
	if fault != nil {
		t.Fatal(fault)
	}
	two, fault := YAML(data, Limits{Bytes: 1000})
	if fault != nil {
		t.Fatal(fault)
	}
	if diff := cmp.Diff(outline(two), outline(one)); diff != "" {
		t.Error(diff)
	}
}

func TestFaults(t *testing.T) {
	for _, c := range []struct {
		text string
		json bool
		want string
	}{
		{"", true, "1:1: this is not valid JSON: it ends in the middle"},
		{`{"a": 1`, true, "1:8: this is not valid JSON: it ends in the middle"},
		{`{"a": 1} x`, true, "1:10: this is not valid JSON: "},
		{`{"a": 1} {}`, true, "1:10: this is not valid JSON: "},
		{"{\n\"a\": 1, \"a\": 2}", true, "2:9: this is not valid JSON: a name is there twice"},
		{"{\n\"a\": tru}", true, "2:9: this is not valid JSON: "},
		{`{"a": 'b'}`, true, "1:7: this is not valid JSON: "},
		{`{"a": "\ud83d"}`, true, "1:8: this is not valid JSON: "},
		{"{\"a\": \"\xff\"}", true, "1:8: the file is not UTF-8 text"},
		{"\ufeff{}", true, "1:1: there is a byte order mark"},
		{strings.Repeat("x", 101), true, "1:1: the file is longer than 100 bytes"},
		{strings.Repeat("x", 101), false, "1:1: the file is longer than 100 bytes"},
		{"", false, "1:1: the file is empty"},
		{"a: b\n---\nc: d\n", false, "1:1: the file has more than one YAML document"},
		{"a: [", false, "this is not valid YAML"},
		{"a: [[[[1]]]]", false, "1:7: the file has more than 3 levels"},
		{"a: \"\x00\"", false, "1:5: the file is not UTF-8 text"},
	} {
		parse := YAML
		if c.json {
			parse = JSON
		}
		tree, fault := parse([]byte(c.text), Limits{Bytes: 100, Levels: 3})
		if fault == nil || tree != nil {
			t.Errorf("%q: got a tree", c.text)
			continue
		}
		if got := fmt.Sprintf("%d:%d: %s", fault.Line, fault.Column, fault.Text); !strings.Contains(got, c.want) {
			t.Errorf("%q: got %s, want %s", c.text, got, c.want)
		}
	}
}

// No nesting overflows the stack or takes long.
func TestDepth(t *testing.T) {
	for _, s := range []string{"[", "{", "- ", "? ", "{\"a\":", "[{\"a\":", "a:\n "} {
		many := []byte(strings.Repeat(s, 1<<20))
		for _, parse := range []func([]byte, Limits) (*yaml.Node, *Fault){YAML, JSON} {
			begun := time.Now()
			_, fault := parse(many, Limits{Bytes: 8 << 20})
			if fault == nil && s != "a:\n " {
				t.Errorf("%q: no fault", s)
			}
			if took := time.Since(begun); took > time.Minute {
				t.Errorf("%q: took %v", s, took)
			}
		}
	}
}

func TestIsJSON(t *testing.T) {
	for s, want := range map[string]bool{" \n\t{": true, "{}": true, "": false, "openapi: 3.1.0": false, "[": false} {
		if IsJSON([]byte(s)) != want {
			t.Errorf("%q: got %v", s, !want)
		}
	}
}

// Whatever is a tree to one parser and to the other is the same tree.
func FuzzDocument(f *testing.F) {
	for _, seed := range []string{text, "", "{}", "a: b", "{\"a\":[1,{}]}", "[{\"\\u0061\": \"\"}]", "- &a b\n- *a", "{\"a\":1}}"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		limits := Limits{Bytes: 4 << 10}
		tree, fault := YAML(data, limits)
		if (tree == nil) == (fault == nil) {
			t.Fatal("a tree and a fault, or none of both")
		}
		made, fault := JSON(data, limits)
		if (made == nil) == (fault == nil) {
			t.Fatal("a tree and a fault, or none of both")
		}
		for _, at := range places(made) {
			if at.Line < 1 || at.Column < 1 {
				t.Fatalf("%q: a place at %v", data, at)
			}
		}
	})
}

func places(n *yaml.Node) (all []Position) {
	if n == nil {
		return nil
	}
	all = append(all, Position{n.Line, n.Column})
	for _, c := range n.Content {
		all = append(all, places(c)...)
	}
	return all
}
