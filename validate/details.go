package validate

import (
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/bearward/bearward/internal/strictjson"
)

// Detail is one object of authorization_details (RFC 9396 §2). Objects are
// separate grants; the members of one object hold together.
type Detail struct {
	Type string
	text string
}

// Decode reads the whole object into v, strictly: a member that v has no field
// for is an error, because what is not understood may restrict the grant.
func (d Detail) Decode(v any) error {
	return json.UnmarshalRead(strings.NewReader(d.text), v, json.RejectUnknownMembers(true))
}

// Details returns the objects of authorization_details; nil if absent.
func (t *Token) Details() ([]Detail, error) {
	if t.claims() == "" {
		return nil, nil
	}
	raw, err := lookup(t.claims(), "authorization_details")
	if err != nil || raw == "" {
		return nil, err
	}
	details, ok := readDetails(raw)
	if !ok {
		return nil, refuseClaim(ErrClaimsInvalid, "authorization_details")
	}
	return details, nil
}

// checkDetails holds authorization_details to its form; what it grants is the
// route's question.
func checkDetails(s *state) *Error {
	if s.claims.details == "" {
		return nil
	}
	if _, ok := readDetails(s.claims.details); !ok { // [AZ-11]
		return refuseClaim(ErrClaimsInvalid, "authorization_details")
	}
	return nil
}

func readDetails(raw string) ([]Detail, bool) {
	var list []jsontext.Value
	if err := json.UnmarshalRead(strings.NewReader(raw), &list); err != nil || list == nil {
		return nil, false
	}
	out := make([]Detail, 0, len(list))
	for _, object := range list {
		d := Detail{text: string(object)}
		r := strictjson.Open(d.text)
		for name, ok := r.Next(); ok; name, ok = r.Next() {
			if name == "type" {
				d.Type = r.Text()
			}
		}
		err := r.Err()
		if err != nil || d.Type == "" {
			return nil, false
		}
		out = append(out, d)
	}
	return out, true
}
