package validate

import (
	"context"
	"fmt"
	"slices"
)

// opaqueForms tells issuers apart by how their opaque tokens begin.
type opaqueForms struct {
	marked   map[string]*Leaf // by prefix
	lengths  []int            // of the prefixes, the longest first
	unmarked []*Leaf          // accepted here, without a prefix
	some     bool             // there are issuers with opaque tokens
}

func (o *opaqueForms) add(l *Leaf) {
	switch {
	case l.Opaque == nil:
		return
	case l.Prefix == "":
		o.unmarked = append(o.unmarked, l)
	default:
		if o.marked == nil {
			o.marked = map[string]*Leaf{}
		}
		o.marked[l.Prefix] = l
		if n := len(l.Prefix); !slices.Contains(o.lengths, n) {
			o.lengths = append(o.lengths, n)
			slices.SortFunc(o.lengths, func(a, b int) int { return b - a })
		}
	}
	o.some = true
}

// find returns the issuer whose prefix raw has, the longest if several.
func (o *opaqueForms) find(raw string) *Leaf {
	for _, n := range o.lengths {
		if n > len(raw) {
			continue
		}
		if l := o.marked[raw[:n]]; l != nil {
			return l
		}
	}
	return nil
}

// Ambiguous returns an error if opaque tokens could belong to several of the
// issuers accepted here.
func (i *Issuers) Ambiguous() error {
	if len(i.opaque.unmarked) < 2 {
		return nil
	}
	var names []string
	for _, l := range i.opaque.unmarked {
		names = append(names, l.Issuer)
	}
	return fmt.Errorf("opaque tokens could belong to each of %q: give all but one an opaque_prefix, switch opaque tokens off where none are issued, or list the route's issuers", names)
}

func (i *Issuers) verifyOpaque(ctx context.Context, raw string, notJWT *Error) (*Token, error) {
	leaf, refusal := i.routeOpaque(raw, notJWT)
	if refusal != nil {
		return nil, refusal
	}
	return leaf.ask(ctx, raw)
}

// ask shows the issuer an opaque token and believes it only about itself.
func (l *Leaf) ask(ctx context.Context, raw string) (*Token, error) {
	t, err := known(l.Opaque.Verify(ctx, raw))
	if err == nil && t.Issuer != l.Issuer {
		return nil, refuseFor(ErrInternal, errBadVerifier)
	}
	return t, err
}

// routeOpaque finds the issuer of an opaque token: the one whose prefix it
// has, the longest if several, else the only one accepted here whose tokens
// have no mark.
func (i *Issuers) routeOpaque(raw string, notJWT *Error) (*Leaf, *Error) {
	marked := i.opaque.find(raw)
	switch {
	case marked != nil && i.refuses(marked): // [IN-17]
		return nil, refuse(ErrIssuerRefused)
	case marked != nil:
		return marked, nil
	case len(i.opaque.unmarked) == 1: // [IN-17]
		return i.opaque.unmarked[0], nil
	case i.opaque.some:
		return nil, refuse(ErrOpaqueUnassigned)
	}
	return nil, notJWT
}
