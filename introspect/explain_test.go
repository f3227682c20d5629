package introspect

import (
	"strings"
	"testing"

	"github.com/bearward/bearward/validate"
)

func TestExplain(t *testing.T) {
	const passed, failed, open = validate.Passed, validate.Failed, validate.NotReached
	tests := []struct {
		name          string
		says          func(string) (reply, *failure)
		asked, active validate.Status
		rule          string // that failed
		code          validate.Code
		more          bool // the rules are listed at first
		again         bool // and when the answer is remembered
	}{
		{"active", func(string) (reply, *failure) { return active(""), nil }, passed, passed, "", "", true, true},
		{"inactive", func(string) (reply, *failure) { return reply{}, nil }, passed, failed, "active", validate.ErrInactive, false, false}, // [IN-04]
		{"audience", func(string) (reply, *failure) { return active(`,"aud":"x"`), nil }, passed, passed, "audience", validate.ErrAudienceRefused, true, false},
		{"down", func(string) (reply, *failure) { return reply{}, outOfOrder(errDown) }, failed, open, "introspection", validate.ErrIntrospectionUnavailable, false, false},
		{"odd", func(string) (reply, *failure) { return reply{}, odd() }, failed, open, "introspection", validate.ErrIntrospectionInvalid, false, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := &fake{}
			s.says = test.says
			v, _ := fronting(t, s, nil)
			for _, more := range []bool{test.more, test.again} {
				findings, token := v.Explain(t.Context(), "secret-token")
				if (token != nil) != (test.code == "") {
					t.Errorf("token %v", token)
				}
				if findings[0].Rule != "introspection" || findings[0].Status != test.asked || findings[1].Rule != "active" || findings[1].Status != test.active {
					t.Errorf("got %+v", findings[:2])
				}
				if (len(findings) > 3) != more {
					t.Errorf("%d findings", len(findings))
				}
				seen := test.code == ""
				for _, f := range findings {
					if f.Status == failed && f.Code == test.code && f.Fix != "" && (f.Rule == test.rule || f.Rule == "answer") {
						seen = true
					}
					if strings.Contains(f.Found+f.Expected+f.Fix, "secret-token") {
						t.Errorf("%+v shows the token", f)
					}
				}
				if !seen {
					t.Errorf("nothing says %s: %+v", test.code, findings)
				}
			}
			if test.name != "down" {
				asks(t, s, 1) // it obeys the caches
			}
		})
	}
}
