package facts

// Of returns the facts of a *validate.Token, its own, nil if it has none. Package
// validate sets it.
var Of func(token any) *Facts

// Whole reports that a *validate.Token is as it was verified, and neither a copy
// nor overwritten. Package validate sets it.
var Whole func(token any) bool

// Known returns the facts to decide by: the token's own if it is sealed, else,
// for a verifier that is not ours, a copy of what the token says now. Package
// validate sets it.
var Known func(token any) *Facts
