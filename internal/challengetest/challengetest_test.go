package challengetest

import (
	"encoding/json"
	"maps"
	"os"
	"testing"
)

func TestParseRefuses(t *testing.T) {
	for _, line := range []string{
		"", "Bearer", "Bearer ", `Bearer realm=x`, `Bearer realm="x" error="y"`, `Bearer realm="x",error="y"`,
		`Bearer realm="x", Realm="y"`, `Bearer realm="x`, `Bearer realm="x\`, "Bearer realm=\"\x01\"", "Bearer realm=\"\xe4\"",
		`Bearer scope="a  b"`, `Bearer scope=" a"`, `Bearer scope=""`, `Bearer error="a b"`, `Bearer error_description="a\"b"`,
		`Bearer max_age="-1"`, `Bearer max_age=""`, `Bearer  realm="x"`, `Bea rer realm="x", `, `Bearer realm="x", `,
	} {
		if c, err := Parse(line); err == nil {
			t.Errorf("%q was read as %v", line, c)
		}
	}
	c, err := Parse(`Bearer realm="a\"b\\c", error="e"`)
	if err != nil || c.Scheme != "Bearer" || c.Params["realm"] != `a"b\c` || len(c.Order) != 2 {
		t.Errorf("%v %v", c, err)
	}
}

// TestParseRFC reads the examples of RFC 6750, RFC 9470 and RFC 9728.
func TestParseRFC(t *testing.T) {
	const file = "../../../shared/vectors/rfc/challenges.json"
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Skip("the published examples are not here")
	}
	var doc struct {
		Challenges []struct {
			Source string            `json:"source"`
			Line   string            `json:"www_authenticate"`
			Params map[string]string `json:"params"`
		} `json:"challenges"`
	}
	if err := json.Unmarshal(raw, &doc); err != nil || len(doc.Challenges) == 0 {
		t.Fatal("the examples are not readable:", err)
	}
	for _, e := range doc.Challenges {
		c, err := Parse(e.Line)
		if err != nil || c.Scheme != "Bearer" {
			t.Errorf("%s: %v", e.Source, err)
			continue
		}
		for name, value := range e.Params {
			if c.Params[name] != value {
				t.Errorf("%s: %s is %q, want %q (%v)", e.Source, name, c.Params[name], value, maps.Keys(c.Params))
			}
		}
	}
}
