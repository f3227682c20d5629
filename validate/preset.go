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
	Scope       ScopeClaim // default of Config.ScopeClaim
	Roles       ListClaim  // default of Config.RolesClaim; zero: "roles"
	Permissions ListClaim  // zero: "permissions"
	Groups      ListClaim  // zero: "groups"

	IssuerSpellings map[string]string // further texts of iss, and the identifier that each stands for
	Template        bool              // the issuer may contain {tenantid}
	ClientsForAud   bool              // Config.ClientIDs may stand in for a missing aud
	IDToken         bool              // the credential is an ID token by design, chosen with the preset

	Require []Mark // claims that say "access token"; all must hold
	Client  []Mark // claims that say "no user is involved"; one is enough

	Answer AnswerHabits
	Traps  []Trap
}

// ListClaim says where a list of names is.
type ListClaim struct {
	Path string // a claim; members inside of it by dots, or as a JSON Pointer (RFC 6901) that starts with a slash
	Keys bool   // an object whose member names are the list, in place of an array
}

// Mark is a claim and the values that it may have. Values that are strings are
// compared exactly.
type Mark struct {
	Claim    string
	Values   []string // one of; empty: any string
	Suffix   string   // in place of Values: a string that ends so
	Prefix   string   // in place of Values: a string that starts so
	Absent   bool     // the claim is absent; for Client
	Optional bool     // the claim may also be absent; for Require
	JWT      bool     // only in JWTs
	Answer   bool     // only in introspection answers
}

// AnswerHabits are an introspection endpoint's.
type AnswerHabits struct {
	TokenTypes []string // further values of token_type that mean an access token, without case
	Dialect    string   // "", "tokeninfo" or "phantom": how package introspect asks
	Endpoint   string   // below the issuer, where its metadata does not name it
}

// Trap is a well-known wrong token, or a right one at a wrong configuration:
// its Fix replaces that of the rule that failed.
type Trap struct {
	Rule   string // that failed
	Claim  string // looked at; a list claim matches by any of its members; "header." in front: a header member
	Prefix string // of its text; "" with Values empty: the claim is there at all
	Values []string
	Fix    string
}

// Presets returns the table, in alphabetical order of names.
func Presets() []Preset {
	out := make([]Preset, 0, len(presets))
	for _, name := range slices.Sorted(maps.Keys(presets)) {
		p := presets[name]
		p.Name = name
		out = append(out, p)
	}
	return out
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
