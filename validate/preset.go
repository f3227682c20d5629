package validate

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Preset is what is known about the access tokens of one provider. It renames
// claims, relaxes typ, or replaces the check of aud by a stated substitute; it
// never weakens signature, iss, exp or cnf. Every setting of Config that is
// given wins over the preset's.
type Preset struct {
	Name  string
	Title string // provider and kind of token

	Profile     Profile    // default of Config.Profile; "" stands for RFC9068
	Scope       ScopeClaim // default of Config.ScopeClaim for JWTs; that of answers is the string "scope" (RFC 7662 §2.2)
	Roles       ListClaim  // default of Config.RolesClaim; zero: "roles"
	Permissions ListClaim  // zero: "permissions"
	Groups      ListClaim  // zero: "groups"

	IssuerSpellings map[string]string // further texts of iss, and the identifier that each stands for
	Template        bool              // the issuer may contain {tenantid}, and a key is the tenant's that it names
	KeyIssuers      []string          // with Template: names of one and the same server, of which a key may have any
	ClientsForAud   bool              // Config.ClientIDs may stand in for a missing aud
	IDToken         bool              // the credential is an ID token by design, chosen with the preset
	AnswersOnly     bool              // the access tokens are opaque: every JWT is another kind of token

	Require []Mark   // claims that say "access token"; all must hold
	Whose   []string // everybody can have such tokens for any audience: Config.Require has to name one of these claims
	Client  []Mark   // claims that say "no user is involved"; one is enough

	Answer AnswerHabits
	Traps  []Trap // the first that fits is told
}

// ListClaim says where a list of names is.
type ListClaim struct {
	Path string // a claim; members inside of it by dots, or as a JSON Pointer (RFC 6901) that starts with a slash
	Keys bool   // it may be an object as well, whose member names are the list
}

// Mark is a claim and the values that it may have. Values are strings,
// compared exactly; a value of another type is none of them.
type Mark struct {
	Claim  string   // see ListClaim.Path; "header." in front: a header member
	Or     string   // where Claim is absent, this one counts
	Values []string // one of; empty: any string but ""
	Prefix string   // in place of Values: a string that starts so
	Suffix string   // in place of Values: a string that ends so
	Absent bool     // in place of Values: the claim is absent

	JWT    bool   // only in JWTs
	Answer bool   // only in introspection answers
	Issuer string // only where the configured issuer contains this text
}

// AnswerHabits are an introspection endpoint's.
type AnswerHabits struct {
	Dialect  string // "", "tokeninfo" or "phantom": how package introspect asks
	Endpoint string // path below the issuer, where its metadata names none
}

// Trap is a well-known wrong token, or a right one at a wrong configuration:
// its Fix replaces that of the rule that failed.
type Trap struct {
	Rule string // that failed; "compact" for every opaque token where a JWT is expected
	Sign Mark   // what the token has; a list claim counts by any of its members; zero: anything
	Fix  string
}

// Presets returns a copy of the table, in alphabetical order of names.
func Presets() []Preset {
	out := make([]Preset, 0, len(presets))
	for _, name := range slices.Sorted(maps.Keys(presets)) {
		p, _ := PresetNamed(name)
		out = append(out, p)
	}
	return out
}

// PresetNamed returns a copy of one row; "" is generic.
func PresetNamed(name string) (Preset, bool) {
	p, err := presetOf(name)
	if err != nil {
		return Preset{}, false
	}
	p.IssuerSpellings, p.KeyIssuers = maps.Clone(p.IssuerSpellings), slices.Clone(p.KeyIssuers)
	p.Whose = slices.Clone(p.Whose)
	p.Require, p.Client, p.Traps = slices.Clone(p.Require), slices.Clone(p.Client), slices.Clone(p.Traps)
	for _, marks := range [][]Mark{p.Require, p.Client} {
		for i := range marks {
			marks[i].Values = slices.Clone(marks[i].Values)
		}
	}
	for i := range p.Traps {
		p.Traps[i].Sign.Values = slices.Clone(p.Traps[i].Sign.Values)
	}
	return p, true
}

// presetOf finds a preset; "" is generic.
func presetOf(name string) (Preset, error) {
	if name == "" {
		name = "generic"
	}
	p, ok := presets[name]
	if !ok {
		return Preset{}, fmt.Errorf("preset %q is not one of %s", name, strings.Join(slices.Sorted(maps.Keys(presets)), " "))
	}
	p.Name = name
	return p, nil
}
