package document

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
	"go.yaml.in/yaml/v4"
)

// JSON is YAML for documents in JSON. YAML's own grammar has no pairs of
// surrogates, which many programs write.
func JSON(data []byte, limits Limits) (*yaml.Node, *Fault) {
	if fault := readable(data, limits); fault != nil {
		return nil, fault
	}
	r := &jsonReader{Decoder: jsontext.NewDecoder(bytes.NewReader(data)), data: data, at: Position{1, 1}}
	tree, err := r.value()
	if err != nil {
		return nil, r.fault(err)
	}
	end := r.next()
	if _, err := r.ReadToken(); !errors.Is(err, io.EOF) {
		return nil, &Fault{end, "this is not valid JSON: there is something behind the document"}
	}
	return tree, nil
}

// IsJSON reports that data looks like a JSON object.
func IsJSON(data []byte) bool {
	data = bytes.TrimLeft(data, " \t\r\n")
	return len(data) > 0 && data[0] == '{'
}

// jsonReader makes nodes of tokens.
type jsonReader struct {
	*jsontext.Decoder
	data   []byte
	offset int      // of at
	at     Position // never goes back
}

// seek moves to an offset ahead.
func (r *jsonReader) seek(offset int) Position {
	for r.offset < offset && r.offset < len(r.data) {
		c, size := utf8.DecodeRune(r.data[r.offset:])
		r.offset += size
		r.at.Column++
		if c == '\n' {
			r.at = Position{r.at.Line + 1, 1}
		}
	}
	return r.at
}

// next is the place of the next token.
func (r *jsonReader) next() Position {
	offset := int(r.InputOffset())
	for offset < len(r.data) && strings.IndexByte(" \t\r\n,:", r.data[offset]) >= 0 {
		offset++
	}
	return r.seek(offset)
}

var scalarTags = map[jsontext.Kind]string{'n': "!!null", 't': "!!bool", 'f': "!!bool", '0': "!!float", '"': "!!str"}

func (r *jsonReader) value() (*yaml.Node, error) {
	at := r.next()
	token, err := r.ReadToken()
	if err != nil {
		return nil, err
	}
	node := &yaml.Node{Line: at.Line, Column: at.Column}
	switch kind := token.Kind(); kind {
	case '{':
		node.Kind, node.Tag = yaml.MappingNode, "!!map"
	case '[':
		node.Kind, node.Tag = yaml.SequenceNode, "!!seq"
	default:
		node.Kind, node.Tag, node.Value = yaml.ScalarNode, scalarTags[kind], token.String()
		return node, nil
	}
	for { // names and values in turn, as YAML's nodes have them
		if kind := r.PeekKind(); kind == '}' || kind == ']' {
			_, err := r.ReadToken()
			return node, err
		}
		inner, err := r.value()
		if err != nil {
			return nil, err
		}
		node.Content = append(node.Content, inner)
	}
}

func (r *jsonReader) fault(err error) *Fault {
	reason := err.Error()
	var syntactic *jsontext.SyntacticError
	switch {
	case errors.Is(err, jsontext.ErrDuplicateName):
		reason = "a name is there twice"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		reason = "it ends in the middle"
	case errors.As(err, &syntactic):
		reason = syntactic.Err.Error()
	}
	at := r.next()
	if syntactic != nil {
		at = r.seek(int(syntactic.ByteOffset))
	}
	return &Fault{at, "this is not valid JSON: " + reason}
}
