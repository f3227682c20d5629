// Package document reads files of configuration into a tree that knows where
// everything stands. It is the only place that parses YAML.
package document

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// Position is a place in a file. Both numbers count from 1; columns count
// characters, not bytes.
type Position struct{ Line, Column int }

// Fault is one thing that is wrong in a file.
type Fault struct {
	Position
	Text string
}

// Limits of a file.
type Limits struct {
	Bytes  int
	Levels int // of brackets, wherever they are, and of lists on one line; 0: the parser's own, 10,000
}

// YAML returns the only document of data as a tree, in which duplicate keys are
// still there, so that they are reported with all other faults.
func YAML(data []byte, limits Limits) (*yaml.Node, *Fault) {
	if fault := readable(data, limits); fault != nil {
		return nil, fault
	}
	tree, err := parse(data)
	switch {
	case errors.Is(err, io.EOF):
		return nil, &Fault{Position{1, 1}, "the file is empty"}
	case err != nil:
		return nil, syntax(err)
	}
	return tree, nil
}

// readable says why no parser should see data, or nothing.
func readable(data []byte, limits Limits) *Fault {
	at := Position{1, 1}
	fault := func(format string, args ...any) *Fault { return &Fault{at, fmt.Sprintf(format, args...)} }
	if len(data) > limits.Bytes {
		return fault("the file is longer than %d bytes", limits.Bytes)
	}
	depth, dashes, leading := 0, 0, true
	for len(data) > 0 {
		c, size := utf8.DecodeRune(data)
		data = data[size:]
		switch {
		case c == '\ufeff':
			return fault("there is a byte order mark: save the file as UTF-8 without one")
		case c == utf8.RuneError && size < 2, c == 0:
			return fault("the file is not UTF-8 text")
		case c == '[', c == '{':
			depth++
		case c == ']', c == '}':
			depth = max(depth-1, 0)
		}
		switch { // lists within lists, on one line
		case c == '\n':
			at, dashes, leading = Position{at.Line + 1, 0}, 0, true
		case leading && (c == '-' || c == '?'):
			dashes++
		case c != ' ' && c != '\t':
			leading = false
		}
		if limits.Levels > 0 && max(depth, dashes) > limits.Levels {
			return fault("the file has more than %d levels", limits.Levels)
		}
		at.Column++
	}
	return nil
}

var errDocuments = errors.New("the file has more than one YAML document")

// parse returns the tree. An empty file is io.EOF. A panic of the parser is a
// fault of the file.
func parse(data []byte) (document *yaml.Node, err error) {
	defer func() {
		if recover() != nil {
			document, err = nil, errors.New("the parser gave up")
		}
	}()
	loader, err := yaml.NewLoader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	var first, second yaml.Node
	if err := loader.Load(&first); err != nil {
		return nil, err
	}
	if err := loader.Load(&second); err == nil {
		return nil, errDocuments
	} else if !errors.Is(err, io.EOF) {
		return nil, err
	}
	if len(first.Content) != 1 {
		return nil, io.EOF
	}
	return first.Content[0], nil
}

func syntax(err error) *Fault {
	if errors.Is(err, errDocuments) {
		return &Fault{Position{1, 1}, err.Error()}
	}
	at, message := Position{1, 1}, err.Error()
	var e *yaml.LoadError
	if errors.As(err, &e) {
		message = e.Message
		if e.ContextMsg != "" {
			message += " " + e.ContextMsg
		}
		if e.Mark.Line > 0 {
			at = Position{e.Mark.Line, max(e.Mark.Column, 1)}
		}
	}
	return &Fault{at, "this is not valid YAML: " + message}
}
