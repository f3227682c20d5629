package issuer

import (
	"fmt"
	"slices"
	"strings"

	"github.com/bearward/bearward/internal/forge"
)

// Variant is a kind of token that can be minted. All but the first differ from
// a right token in one thing.
type Variant struct {
	Name string
	What string // what is different
	Code string // why a strict guard refuses it as a bearer token; empty: it is accepted

	header, claims members                                      // merged over the right ones
	edit           func(*draft) error                           // before signing
	finish         func(d *draft, token string) (string, error) // after signing
}

// members of a header or claims; nil leaves the member out.
type members = forge.Members

// Variants returns every kind of token.
func Variants() []Variant { return slices.Clone(variants) }

// Mint makes a token of the kind with this name, "valid" if it is empty, from
// claims as Claims returns them, more or fewer.
func (s *Server) Mint(kind string, claims map[string]any) (string, error) {
	if kind == "" {
		kind = variants[0].Name
	}
	i := slices.IndexFunc(variants, func(v Variant) bool { return v.Name == kind })
	if i < 0 {
		return "", fmt.Errorf("issuer: no kind of token is named %q, there are: %s", kind, strings.Join(names(), " "))
	}
	return s.mint(&variants[i], nil, claims)
}

func names() []string {
	all := make([]string, 0, len(variants))
	for _, v := range variants {
		all = append(all, v.Name)
	}
	return all
}

func (s *Server) mint(v *Variant, header, claims map[string]any) (string, error) {
	d, err := s.begun(header, claims)
	if err != nil {
		return "", err
	}
	d.Merge(v.header, v.claims)
	if v.edit != nil {
		if err := v.edit(d); err != nil {
			return "", err
		}
	}
	token, err := d.JWS()
	if err != nil || v.finish == nil {
		return token, err
	}
	return v.finish(d, token)
}
