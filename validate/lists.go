package validate

import (
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/bearward/bearward/internal/strictjson"
)

// Roles returns the token's roles: the claim roles (RFC 9068 §2.2.3.1), or
// the issuer's roles_claim; nil if absent.
func (t *Token) Roles() ([]string, error) {
	if at := t.habits().Roles; at.Path != "" {
		return t.list(at)
	}
	return t.list(ListClaim{Path: "roles"})
}

// Groups returns the token's groups: the claim groups (RFC 9068 §2.2.3.1), or
// what the issuer's preset names; nil if absent.
func (t *Token) Groups() ([]string, error) {
	if at := t.habits().Groups; at.Path != "" {
		return t.list(at)
	}
	return t.list(ListClaim{Path: "groups"})
}

// Permissions returns the claim permissions, or what the issuer's preset
// names; nil if absent. Permissions are no scopes: no client can ask for them.
func (t *Token) Permissions() ([]string, error) {
	if at := t.habits().Permissions; at.Path != "" {
		return t.list(at)
	}
	return t.list(ListClaim{Path: "permissions"})
}

// Entitlements returns the entitlements claim (RFC 9068 §2.2.3.1); nil if
// absent.
func (t *Token) Entitlements() ([]string, error) { return t.list(ListClaim{Path: "entitlements"}) }

// RolesAt returns a list of names from any claim; see ListClaim.Path. Use it
// for a second source of roles, those of one client for example:
// "resource_access.orders-api.roles".
func (t *Token) RolesAt(path string) ([]string, error) {
	return t.list(ListClaim{Path: path, Keys: t.habits().Roles.Keys})
}

// list reads an array of strings, or of objects with a value as in SCIM (RFC
// 7643 §4.1.2), or, with Keys, the member names of an object. Any other type is
// an error.
func (t *Token) list(claim ListClaim) ([]string, error) {
	if t.claims() == "" {
		return nil, nil
	}
	raw, err := lookup(t.claims(), claim.Path)
	if err != nil {
		return nil, &Error{Code: ErrClaimsInvalid, Claim: claim.Path, Err: err}
	}
	if raw == "" {
		return nil, nil
	}
	var out []string
	if claim.Keys && raw[0] == '{' {
		out, err = memberNames(raw)
	} else {
		out, err = memberTexts(raw)
	}
	if err != nil {
		return nil, refuseClaim(ErrClaimsInvalid, claim.Path)
	}
	return out, nil
}

// lookup finds a member by its path and returns it as it stands, "" if it is
// absent. A step into something that is no object is an error.
func lookup(claims, path string) (string, error) {
	raw := claims
	for _, name := range steps(path) {
		r := strictjson.Open(raw)
		next := ""
		for have, ok := r.Next(); ok; have, ok = r.Next() {
			if have == name {
				next = r.Raw()
			}
		}
		err := r.Err()
		if err != nil || next == "" {
			return "", err
		}
		raw = next
	}
	return raw, nil
}

// steps splits a path: a JSON Pointer starts with a slash, a claim name that
// is a URL is one name, everything else is split at dots.
func steps(path string) []string {
	switch {
	case strings.HasPrefix(path, "/"):
		parts := strings.Split(path[1:], "/")
		for i, p := range parts {
			parts[i] = strings.ReplaceAll(strings.ReplaceAll(p, "~1", "/"), "~0", "~")
		}
		return parts
	case strings.Contains(path, "://"):
		return []string{path}
	}
	return strings.Split(path, ".")
}

func memberNames(raw string) ([]string, error) {
	r := strictjson.Open(raw)
	out := []string{}
	for name, ok := r.Next(); ok; name, ok = r.Next() {
		// A name that is denied in its value is not one of the list.
		if value := r.Raw(); value != "null" && value != "false" {
			out = append(out, name)
		}
	}
	return out, r.Err()
}

func memberTexts(raw string) ([]string, error) {
	var list []jsontext.Value
	if err := json.UnmarshalRead(strings.NewReader(raw), &list); err != nil {
		return nil, err
	}
	if list == nil {
		return nil, strictjson.ErrType
	}
	out := make([]string, 0, len(list))
	for _, v := range list {
		s, err := memberText(v)
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

func memberText(v jsontext.Value) (string, error) {
	var text string
	if v.Kind() == '"' {
		err := json.Unmarshal(v, &text)
		return text, err
	}
	var object struct {
		Value *string `json:"value"`
	}
	if err := json.Unmarshal(v, &object); err != nil {
		return "", err
	}
	if object.Value == nil {
		return "", strictjson.ErrType
	}
	return *object.Value, nil
}
