package validate

import (
	"crypto/sha256"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/bearward/bearward/internal/jose"
	"github.com/bearward/bearward/internal/strictjson"
)

// members reads a claim of RFC 9068 §2.2.3.1: an array of strings, or of
// objects with a value as in SCIM (RFC 7643 §4.1.2). Any other type is an error.
func (t *Token) members(claim string) ([]string, error) {
	if t.claims == "" {
		return nil, nil
	}
	r := strictjson.Open(t.claims)
	defer r.Close()
	var raw string
	for name, ok := r.Next(); ok; name, ok = r.Next() {
		if string(name) == claim {
			raw = r.Raw()
		} else {
			r.Skip()
		}
	}
	if err := r.Err(); err != nil || raw == "" {
		return nil, err
	}
	var list []jsontext.Value
	if err := json.UnmarshalRead(strings.NewReader(raw), &list); err != nil || list == nil {
		return nil, refuseClaim(ErrClaimsInvalid, claim)
	}
	out := make([]string, 0, len(list))
	for _, v := range list {
		s, err := memberText(v)
		if err != nil {
			return nil, refuseClaim(ErrClaimsInvalid, claim)
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

// SubjectHash names the principal in logs without telling who it is: the first
// 12 characters of base64url(SHA-256(iss, 0, sub)).
func (t *Token) SubjectHash() string {
	if t.Subject == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(t.Issuer + "\x00" + t.Subject))
	return jose.Encode(sum[:9])
}
