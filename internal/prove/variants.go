package prove

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/bearward/bearward/internal/forge"
)

// Variant is a kind of proof that can be signed. All but the first differ from
// a right one in one thing.
type Variant struct {
	Name string
	What string // what is different
	Code string // why a guard with the defaults refuses it, a validate.Code; empty: it is accepted

	// Text in claims and field may have names in braces: those of words, and in
	// field those of parts.
	header, claims, jwk members                    // merged over the right ones
	by                  string                     // algorithm of a new key that signs and is in jwk; own: the client's
	edit                func(d *forge.Draft) error // before signing
	field               []string                   // the values of the field; nil: the one proof
}

// members of an object; nil leaves the member out.
type members = forge.Members

const own = "own"

// Variants returns every kind of proof, the right one first. Two of them, at the
// edges of the time window, are for guards whose clock stands still at a whole
// second: iat-60s-old and iat-11s-ahead.
func Variants() []Variant { return slices.Clone(variants) }

var errToken = errors.New("prove: a proof for an API needs an access token")

// Wrong returns the values of the field DPoP: none, one or several. They prove
// what the claims say but for what the kind with this name makes wrong.
func (k *Key) Wrong(kind string, c Claims) ([]string, error) {
	i := slices.IndexFunc(variants, func(v Variant) bool { return v.Name == kind })
	if i < 0 {
		return nil, fmt.Errorf("prove: no kind of proof is named %q, there are: %s", kind, strings.Join(names(), " "))
	}
	if c.Token == "" {
		return nil, errToken
	}
	return variants[i].make(k.pair, c)
}

func names() []string {
	all := make([]string, 0, len(variants))
	for _, v := range variants {
		all = append(all, v.Name)
	}
	return all
}

func (v *Variant) make(by *forge.Key, c Claims) ([]string, error) {
	d, err := v.draft(by, c)
	if err != nil {
		return nil, err
	}
	proof, err := d.JWS()
	if err != nil || v.field == nil {
		return []string{proof}, err
	}
	c.ID = "" // of a second proof, which is another one
	second, err := draft(by, c)
	if err != nil {
		return nil, err
	}
	other, err := second.JWS()
	if err != nil {
		return nil, err
	}
	return fill(v.field, parts(proof, other)), nil
}

func (v *Variant) draft(by *forge.Key, c Claims) (*forge.Draft, error) {
	if v.by != "" {
		alg := v.by
		if alg == own {
			alg = by.Algorithm
		}
		var err error
		if by, err = forge.NewKey(alg); err != nil {
			return nil, fmt.Errorf("prove: %w", err)
		}
	}
	d, err := draft(by, c)
	if err != nil {
		return nil, err
	}
	words, err := words(d, c)
	if err != nil {
		return nil, err
	}
	d.Merge(v.header, expand(v.claims, words))
	if jwk, ok := d.Header["jwk"].(members); ok {
		forge.Merge(jwk, expand(v.jwk, words), d.Now)
	}
	if v.edit != nil {
		err = v.edit(d)
	}
	return d, err
}
