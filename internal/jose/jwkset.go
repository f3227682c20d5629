package jose

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

var (
	// ErrSet says that a document is not a JWK Set.
	ErrSet = errors.New("not a JWK Set")
	// ErrTooManyKeys says that a set has more keys than are read.
	ErrTooManyKeys = errors.New("too many keys in the set")
	// ErrEmptySet says that a set has no keys at all.
	ErrEmptySet = errors.New("the set has no keys")
	// ErrNoUsableKey says that a set has keys and none of them can be used.
	ErrNoUsableKey = errors.New("no usable key in the set")
)

// Skipped is a key of a set that is not used.
type Skipped struct {
	Index   int // position in the set, from 0
	Err     error
	Private bool // it carries private material: somebody published a secret
}

// ParseSet reads a JWK Set (RFC 7517 §5) key by key: a key that ParseKey
// refuses is skipped, the rest stays usable. It fails with ErrSet,
// ErrTooManyKeys (more than max), ErrEmptySet or ErrNoUsableKey; skipped is
// told in the last case too.
func ParseSet(doc string, max int) (keys []JWK, skipped []Skipped, err error) {
	raw, err := splitSet(doc, max)
	if err != nil {
		return nil, nil, err
	}
	if len(raw) == 0 { // [JK-16]
		return nil, nil, ErrEmptySet
	}
	for i, one := range raw {
		key, err := ParseKey(one)
		if err != nil {
			skipped = append(skipped, Skipped{Index: i, Err: err, Private: errors.Is(err, ErrPrivateKey)})
			continue
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 { // [JK-16]
		return nil, skipped, ErrNoUsableKey
	}
	return keys, skipped, nil
}

// splitSet returns the elements of keys as they stand. Repeated names inside
// of a key are let pass here, so that ParseKey refuses that key alone.
func splitSet(doc string, max int) (raw []string, err error) {
	dec := jsontext.NewDecoder(strings.NewReader(doc), jsontext.AllowDuplicateNames(true))
	if tok, err := dec.ReadToken(); err != nil || tok.Kind() != '{' {
		return nil, ErrSet
	}
	seen := map[string]bool{}
	for dec.PeekKind() == '"' {
		tok, err := dec.ReadToken()
		if err != nil {
			return nil, ErrSet
		}
		name := tok.String()
		if seen[name] { // [JK-10]
			return nil, fmt.Errorf("%w: repeated member", ErrSet)
		}
		seen[name] = true
		if name == "keys" {
			raw, err = elements(dec, max)
		} else {
			err = dec.SkipValue()
		}
		if errors.Is(err, ErrTooManyKeys) {
			return nil, err
		}
		if err != nil {
			return nil, ErrSet
		}
	}
	if tok, err := dec.ReadToken(); err != nil || tok.Kind() != '}' {
		return nil, ErrSet
	}
	if _, err := dec.ReadToken(); !errors.Is(err, io.EOF) { // [JK-05]
		return nil, fmt.Errorf("%w: data after the object", ErrSet)
	}
	if !seen["keys"] {
		return nil, fmt.Errorf("%w: no member keys", ErrSet)
	}
	return raw, nil
}

func elements(dec *jsontext.Decoder, max int) (raw []string, err error) {
	if tok, err := dec.ReadToken(); err != nil || tok.Kind() != '[' {
		return nil, ErrSet
	}
	for dec.PeekKind() != ']' {
		if len(raw) == max { // [JK-07]
			return nil, ErrTooManyKeys
		}
		one, err := dec.ReadValue()
		if err != nil {
			return nil, err
		}
		raw = append(raw, string(one))
	}
	_, err = dec.ReadToken()
	return raw, err
}
