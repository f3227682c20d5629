package validate

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
)

// Leaf is what judges the tokens of one issuer.
type Leaf struct {
	Issuer string   // identifier, or a template with {tenantid}
	JWT    Verifier // nil: JWTs of this issuer are refused
	Opaque Verifier // nil: the issuer has no opaque tokens
	Prefix string   // how its opaque tokens begin; "": they have no mark
}

// Issuers routes a token to the one issuer that it belongs to: a JWT by its
// unverified iss, which only selects from this fixed list, an opaque token by
// its prefix. A token is never shown to another issuer, and one that belongs
// to nobody costs no network traffic (RFC 8725 §3.8, §3.10; RFC 9700 §4.9). It
// is a Verifier.
type Issuers struct {
	leaves    []*Leaf
	byURL     map[string]*Leaf
	templates []pattern
	opaque    opaqueForms
	accepted  map[*Leaf]bool // nil: every one that is configured
	memory    Memory         // nil: nothing is remembered
}

type pattern struct {
	template
	leaf *Leaf
}

// NewIssuers takes every configured issuer.
func NewIssuers(leaves ...Leaf) (*Issuers, error) {
	if len(leaves) == 0 {
		return nil, errors.New("no issuer is configured")
	}
	var faults []error
	i := &Issuers{byURL: map[string]*Leaf{}}
	prefixes := map[string]string{}
	for _, l := range leaves {
		if l.Issuer == "" || l.JWT == nil && l.Opaque == nil {
			faults = append(faults, fmt.Errorf("issuer %q has no name or no verifier", l.Issuer))
		}
		if l.Prefix != "" && (l.Opaque == nil || !isToken68(l.Prefix)) {
			faults = append(faults, fmt.Errorf("issuer %q: %q cannot be how its opaque tokens begin", l.Issuer, l.Prefix))
		}
		if other, twice := prefixes[l.Prefix]; twice && l.Prefix != "" {
			faults = append(faults, fmt.Errorf("issuers %q and %q: opaque tokens of both begin with %q", other, l.Issuer, l.Prefix))
		}
		prefixes[l.Prefix] = l.Issuer
		if i.byURL[l.Issuer] != nil {
			faults = append(faults, fmt.Errorf("issuer %q is there twice", l.Issuer))
		}
		i.add(&l)
	}
	return i, errors.Join(faults...)
}

func (i *Issuers) add(l *Leaf) {
	i.leaves = append(i.leaves, l)
	i.byURL[l.Issuer] = l
	i.opaque.add(l)
	if t, ok := newTemplate(l.Issuer); ok {
		i.templates = append(i.templates, pattern{t, l})
	}
	if j, ok := l.JWT.(*JWT); ok && j != nil {
		for spelling, of := range j.config.habits.IssuerSpellings {
			if of == l.Issuer {
				i.byURL[spelling] = l
			}
		}
	}
}

// Only returns a router that accepts fewer issuers. Every url must be one of
// this router's.
func (i *Issuers) Only(urls ...string) (*Issuers, error) {
	only := *i
	only.accepted = map[*Leaf]bool{}
	for _, url := range urls {
		l, ok := i.byURL[url]
		if !ok || i.refuses(l) {
			return nil, fmt.Errorf("issuer %q is not configured", url)
		}
		only.accepted[l] = true
	}
	only.opaque.unmarked = slices.DeleteFunc(slices.Clone(i.opaque.unmarked), only.refuses)
	return &only, nil
}

// refuses reports that tokens of l are not accepted here.
func (i *Issuers) refuses(l *Leaf) bool { return i.accepted != nil && !i.accepted[l] }

// Verify asks the verifier of the token's own issuer.
func (i *Issuers) Verify(ctx context.Context, raw string) (*Token, error) {
	if i.memory == nil || len(raw) > MaxToken {
		return i.verify(ctx, raw, nil)
	}
	digest := digestOf(raw)
	t, leaf := i.recall(digest)
	switch {
	case t == nil:
		known := digest // the hit needs no memory for it
		return i.verify(ctx, raw, &known)
	case i.refuses(leaf):
		return nil, refuseClaim(ErrIssuerRefused, "iss")
	}
	return t, nil
}

// verify judges a token by its rules. With a digest it may be remembered.
func (i *Issuers) verify(ctx context.Context, raw string, digest *[sha256.Size]byte) (*Token, error) {
	s, kept := begin(ctx, raw), false
	defer func() {
		if !kept {
			s.end()
		}
	}()
	if refusal := s.run(shape); refusal != nil {
		if refusal.Code != ErrNotJWT {
			return nil, refusal
		}
		return i.verifyOpaque(ctx, raw, refusal)
	}
	leaf, refusal := i.route(s.token.Issuer)
	if refusal != nil {
		return nil, refusal
	}
	j, ours := leaf.JWT.(*JWT)
	switch {
	case !ours:
		return foreign(leaf, s)
	case digest == nil:
		return j.judge(s)
	}
	if refusal := j.refuse(s, local); refusal != nil { // before anybody waits for anything
		return nil, refusal
	}
	kept = true // others may wait for the verdict when this call is over
	return i.remembered(s, j, *digest)
}

// route finds the issuer of a JWT.
func (i *Issuers) route(issuer string) (*Leaf, *Error) {
	if issuer == "" {
		return nil, refuseClaim(ErrClaimMissing, "iss")
	}
	leaf := i.byURL[issuer]
	for n := 0; leaf == nil && n < len(i.templates); n++ {
		if _, ok := i.templates[n].tenant(issuer); ok {
			leaf = i.templates[n].leaf
		}
	}
	switch {
	case leaf == nil || leaf.Issuer != issuer && IsTemplate(issuer):
		return nil, refuseClaim(ErrIssuerUnknown, "iss") // [CL-08]
	case i.refuses(leaf):
		return nil, refuseClaim(ErrIssuerRefused, "iss")
	case leaf.JWT == nil: // its access tokens are opaque
		return nil, refuse(ErrJWTRefused)
	}
	return leaf, nil
}

var errBadVerifier = errors.New("a verifier returned neither the issuer's token nor an error")

// foreign asks a verifier that is not ours and believes it only about the
// issuer that was asked for.
func foreign(leaf *Leaf, s *state) (*Token, error) {
	t, err := known(leaf.JWT.Verify(s.ctx, s.raw))
	if err == nil && t.Issuer != s.token.Issuer && t.Issuer != leaf.Issuer {
		return nil, refuseFor(ErrInternal, errBadVerifier)
	}
	return t, err
}

// known makes a missing answer an error.
func known(t *Token, err error) (*Token, error) {
	if err != nil {
		return nil, err
	}
	if t == nil {
		return nil, refuseFor(ErrInternal, errBadVerifier)
	}
	return t, nil
}
