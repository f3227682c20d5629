package validate_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bearward/bearward/internal/issuer"
	"github.com/bearward/bearward/validate"
)

// withDetails signs a token whose authorization_details are this text.
func withDetails(t *testing.T, s *issuer.Server, details string) string {
	t.Helper()
	all := s.Claims("user-1")
	all["authorization_details"] = "here"
	payload, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := s.SignBytes(nil, []byte(strings.Replace(string(payload), `"here"`, details, 1)))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// TestDetailsForm: an array of objects with a string type, and nothing else.
// [AZ-11]
func TestDetailsForm(t *testing.T) {
	s := mint(t, "ES256")
	j := verifier(t, s, nil)
	for details, want := range map[string]validate.Code{
		`[]`:                                     "",
		`[{"type":"a"}]`:                         "",
		`[{"x":[1,{"type":1}],"type":"a"}]`:      "",
		`[{"type":"a"},{"type":"a"}]`:            "",
		`null`:                                   validate.ErrClaimsInvalid, // [AZ-11]
		`"a"`:                                    validate.ErrClaimsInvalid, // [AZ-11]
		`1`:                                      validate.ErrClaimsInvalid, // [AZ-11]
		`{"type":"a"}`:                           validate.ErrClaimsInvalid, // [AZ-11]
		`["a"]`:                                  validate.ErrClaimsInvalid, // [AZ-11]
		`[null]`:                                 validate.ErrClaimsInvalid, // [AZ-11]
		`[[]]`:                                   validate.ErrClaimsInvalid, // [AZ-11]
		`[[{"type":"a"}]]`:                       validate.ErrClaimsInvalid, // [AZ-11]
		`[{}]`:                                   validate.ErrClaimsInvalid, // [AZ-11]
		`[{"type":""}]`:                          validate.ErrClaimsInvalid, // [AZ-11]
		`[{"type":null}]`:                        validate.ErrClaimsInvalid, // [AZ-11]
		`[{"type":1}]`:                           validate.ErrClaimsInvalid, // [AZ-11]
		`[{"type":["a"]}]`:                       validate.ErrClaimsInvalid, // [AZ-11]
		`[{"Type":"a"}]`:                         validate.ErrClaimsInvalid, // [AZ-11]
		`[{"type":"a"},{"actions":["read"]}]`:    validate.ErrClaimsInvalid, // [AZ-11]
		`[{"type":"a"},{"type":2}]`:              validate.ErrClaimsInvalid, // [AZ-11]
		"[{\"type\":\"a\",\"x\":\"\\ud800\"}]":   validate.ErrClaimsInvalid,
		`[{"type":"a","x":1,"x":1}]`:             validate.ErrClaimsInvalid,
		`[{"type":"a","\u0074ype":"b"}]`:         validate.ErrClaimsInvalid,
		`[{"type":"a","x":{"y":{"z":1,"z":1}}}]`: validate.ErrClaimsInvalid,
	} {
		tok, err := j.Verify(t.Context(), withDetails(t, s, details))
		if validate.CodeOf(err) != want && (err != nil || want != "") {
			t.Errorf("%s: %v, want %s", details, err, want)
		}
		if err == nil {
			if _, err := tok.Details(); err != nil {
				t.Errorf("%s: %v", details, err)
			}
		}
	}
}

// TestDetailsOfToken: objects in their order, decoded strictly; nil without
// the claim.
func TestDetailsOfToken(t *testing.T) {
	s := mint(t, "ES256")
	j := verifier(t, s, nil)
	tok, err := j.Verify(t.Context(), withDetails(t, s, `[{"type":"p\u0061y","limit":5},{"limit":7,"type":"x","more":true}]`))
	wantCode(t, err, "")
	list, err := tok.Details()
	if err != nil || len(list) != 2 || list[0].Type != "pay" || list[1].Type != "x" {
		t.Fatalf("%v %v", list, err)
	}
	type grant struct {
		Type  string `json:"type"`
		Limit int    `json:"limit"`
	}
	var got grant
	if err := list[0].Decode(&got); err != nil || !cmp.Equal(got, grant{"pay", 5}) {
		t.Errorf("%v %v", got, err)
	}
	if err := list[1].Decode(&got); err == nil { // more
		t.Error("a member that is not known was passed over")
	}
	if err := (validate.Detail{}).Decode(&got); err == nil {
		t.Error("the zero Detail can be decoded")
	}
	tok, err = j.Verify(t.Context(), token(t, s, nil, nil))
	wantCode(t, err, "")
	for _, tok := range []*validate.Token{tok, {}} {
		if list, err := tok.Details(); list != nil || err != nil {
			t.Errorf("%v %v", list, err)
		}
	}
}

// FuzzDetails: any text as authorization_details is refused, or is read as
// encoding/json reads it.
func FuzzDetails(f *testing.F) {
	for _, seed := range []string{
		`[]`, `[{"type":"a"}]`, `[{"type":"a","actions":["b"]},{"type":"c","x":{"y":[1,null]}}]`, `[{"\u0074ype":"\ud83d\ude00"}]`, `{"type":"a"}`,
		`[{"type":"a","type":"b"}]`, `[{"type":1}]`, `[null]`, `null`, `[{"type":"a"}] `, `[{"type":"a"}],"aud":"b"`, "[{\"type\":\"\xff\"}]", strings.Repeat(`[{"type":`, 40),
	} {
		f.Add(seed)
	}
	s, err := issuer.Start(issuer.Config{Now: at(noon)})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = s.Close() })
	j, err := validate.NewJWT(validate.Config{
		Issuer: "i", Audience: []string{"a"}, Keys: trusting{published(s, "ES256").list[0]}, Clock: at(noon), Profile: validate.Compat,
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, details string) {
		raw, err := s.SignBytes(nil, []byte(`{"iss":"i","sub":"s","aud":"a","exp":4102444800,"authorization_details":`+details+`}`))
		if err != nil {
			t.Skip()
		}
		tok, err := j.Verify(t.Context(), raw)
		if err != nil {
			return
		}
		list, err := tok.Details()
		if err != nil {
			t.Fatalf("accepted and cannot be read: %v", err)
		}
		var claims struct {
			Details []map[string]any `json:"authorization_details"`
		}
		var all map[string]any
		if err := tok.Claims(&all); err != nil {
			t.Fatal(err)
		}
		again, err := json.Marshal(all)
		if err != nil || json.Unmarshal(again, &claims) != nil || len(claims.Details) != len(list) {
			t.Fatalf("%s: %d objects, want %d", details, len(list), len(claims.Details))
		}
		for i, d := range list {
			var got map[string]any
			if err := d.Decode(&got); err != nil || !cmp.Equal(got, claims.Details[i]) || d.Type == "" || got["type"] != d.Type {
				t.Errorf("%s: %v %v, want %v", details, got, err, claims.Details[i])
			}
		}
	})
}
