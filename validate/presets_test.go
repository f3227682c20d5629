package validate_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/bearward/bearward/internal/facts"
	"github.com/bearward/bearward/internal/issuer"
	"github.com/bearward/bearward/validate"
)

// fixture is a right token of a provider, and what goes wrong there: one file
// of testdata/presets for each preset. Times are of noon.
type fixture struct {
	Config  settings       `json:"config"`
	Header  map[string]any `json:"header"`
	Claims  map[string]any `json:"claims"`
	Answer  map[string]any `json:"answer"` // of introspection; nil: there is none
	Cases   []presetCase   `json:"cases"`
	outcome `json:",inline"`
}

// presetCase changes the right token, or answer; a null takes a member out.
type presetCase struct {
	Name    string         `json:"name"`
	Config  *settings      `json:"config"` // in place of the fixture's
	Header  map[string]any `json:"header"`
	Claims  map[string]any `json:"claims"`
	Opaque  string         `json:"opaque"` // the whole token
	Mint    string         `json:"mint"`   // kind of package issuer; the header is its own
	Tamper  bool           `json:"tamper"` // with the signature
	Answer  bool           `json:"answer"`
	outcome `json:",inline"`
}

type settings struct {
	Issuer    string   `json:"issuer"`
	Audience  []string `json:"audience"`
	ClientIDs []string `json:"client_ids"`
	Tenants   []string `json:"tenants"`

	Require     map[string][]string `json:"require"`
	RolesClaim  string              `json:"roles_claim"`
	Profile     validate.Profile    `json:"profile"`
	TrustServer bool                `json:"trust_server"`
	ScopeArray  bool                `json:"scope_array"`
	KeyIssuer   string              `json:"key_issuer"`
}

type outcome struct {
	Code   validate.Code `json:"code"`   // "": accepted
	Rule   string        `json:"rule"`   // that failed, in a report
	Fix    string        `json:"fix"`    // a part of its line
	Common bool          `json:"common"` // the line is not the preset's own

	ClientID    string   `json:"client_id"`
	Scopes      []string `json:"scopes"`
	Roles       []string `json:"roles"`
	Groups      []string `json:"groups"`
	Permissions []string `json:"permissions"`
	Client      bool     `json:"client"` // no user is involved
}

func readFixture(t *testing.T, preset string) fixture {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", "presets", preset+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var f fixture
	if err := json.Unmarshal(raw, &f, json.RejectUnknownMembers(true)); err != nil {
		t.Fatal(err)
	}
	return f
}

func (f *fixture) config(preset string, c presetCase, s *issuer.Server) validate.Config {
	set := f.Config
	if c.Config != nil {
		set = *c.Config
	}
	source := published(s, "ES256")
	source.list[0].Issuer = set.KeyIssuer
	config := validate.Config{
		Preset: preset, Issuer: set.Issuer, Audience: set.Audience, ClientIDs: set.ClientIDs, Tenants: set.Tenants,
		Require: set.Require, RolesClaim: set.RolesClaim, Profile: set.Profile, TrustServer: set.TrustServer, Keys: source, Clock: at(noon),
	}
	if set.ScopeArray {
		config.ScopeClaim = validate.ScopeClaim{Name: "scope", Array: true}
	}
	return config
}

func merged(base, change map[string]any) map[string]any {
	out := maps.Clone(base)
	for name, v := range change {
		if out[name] = v; v == nil {
			delete(out, name)
		}
	}
	return out
}

func (f *fixture) token(t *testing.T, c presetCase, s *issuer.Server) string {
	t.Helper()
	header, claims := maps.Clone(f.Header), merged(f.Claims, c.Claims)
	maps.Copy(header, c.Header)
	if c.Opaque != "" {
		return c.Opaque
	}
	raw, err := s.Sign(header, claims)
	if c.Mint != "" {
		raw, err = s.Mint(c.Mint, claims)
	}
	if err != nil {
		t.Fatal(err)
	}
	if c.Tamper {
		at := strings.LastIndexByte(raw, '.') + 1
		raw = raw[:at] + strings.Map(func(r rune) rune { return map[bool]rune{true: 'B', false: 'A'}[r == 'A'] }, raw[at:at+1]) + raw[at+1:]
	}
	return raw
}

// judge returns what is decided and what is reported.
func (f *fixture) judge(t *testing.T, preset string, c presetCase, s *issuer.Server) (*validate.Token, []validate.Finding, error) {
	t.Helper()
	config := f.config(preset, c, s)
	if c.Answer {
		a, err := validate.NewAnswers(config)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := json.Marshal(merged(f.Answer, c.Claims), json.Deterministic(true))
		if err != nil {
			t.Fatal(err)
		}
		token, refusal := a.Judge(string(raw))
		findings, _ := a.Explain(string(raw))
		return token, findings, refusal
	}
	j, err := validate.NewJWT(config)
	if err != nil {
		t.Fatal(err)
	}
	router, err := validate.NewIssuers(validate.Leaf{Issuer: config.Issuer, JWT: j})
	if err != nil {
		t.Fatal(err)
	}
	raw := f.token(t, c, s)
	token, refusal := router.Verify(t.Context(), raw)
	_, direct := j.Verify(t.Context(), raw)
	if validate.CodeOf(direct) != validate.CodeOf(refusal) && !(direct == nil && refusal == nil) {
		t.Errorf("routed %v, without router %v", refusal, direct)
	}
	findings, _ := router.Explain(t.Context(), raw)
	if alone, _ := j.Explain(t.Context(), raw); c.Rule != "" && finding(t, alone, c.Rule).Fix != finding(t, findings, c.Rule).Fix {
		t.Errorf("without router: %q", finding(t, alone, c.Rule).Fix)
	}
	return token, findings, refusal
}

// TestPresets: the right token of each provider passes and is read as it is
// meant; each classic wrong one is refused, and its report names the fix.
// [CL-04 CL-10 CL-17 CL-24 AZ-04 IN-12 JK-22]
func TestPresets(t *testing.T) {
	s := mint(t, "ES256")
	for _, p := range validate.Presets() {
		t.Run(p.Name, func(t *testing.T) {
			f := readFixture(t, p.Name)
			told := map[string]bool{}
			cases := append([]presetCase{{Name: "right", outcome: f.outcome}}, f.Cases...)
			for _, c := range cases {
				t.Run(c.Name, func(t *testing.T) {
					token, findings, refusal := f.judge(t, p.Name, c, s)
					wantCode(t, refusal, c.Code)
					if c.Code == "" {
						c.check(t, token)
						return
					}
					if c.Rule == "" {
						return
					}
					line := finding(t, findings, c.Rule)
					own := slices.ContainsFunc(p.Traps, func(trap validate.Trap) bool { return trap.Rule == c.Rule && trap.Fix == line.Fix })
					if line.Status != validate.Failed || !strings.Contains(line.Fix, c.Fix) || c.Fix != "" && own == c.Common {
						t.Errorf("want a line with %q: %+v", c.Fix, line)
					}
					told[line.Rule+line.Fix] = true
				})
			}
			for _, trap := range p.Traps {
				if !told[trap.Rule+trap.Fix] {
					t.Errorf("no case tells: %s: %s", trap.Rule, trap.Fix)
				}
			}
		})
	}
}

// check compares what is read.
func (c *outcome) check(t *testing.T, token *validate.Token) {
	t.Helper()
	for name, list := range map[string]struct {
		want []string
		read func() ([]string, error)
	}{
		"scopes":      {c.Scopes, func() ([]string, error) { return token.Scopes, nil }},
		"roles":       {c.Roles, token.Roles},
		"groups":      {c.Groups, token.Groups},
		"permissions": {c.Permissions, token.Permissions},
	} {
		have, err := list.read()
		if err != nil || name != "roles" && !slices.Equal(have, list.want) || !slices.Equal(slices.Sorted(slices.Values(have)), slices.Sorted(slices.Values(list.want))) {
			t.Errorf("%s %q %v, want %q", name, have, err, list.want)
		}
	}
	if token.ClientID != c.ClientID || token.IsClient() != c.Client {
		t.Errorf("client %q, alone %v; want %q, %v", token.ClientID, token.IsClient(), c.ClientID, c.Client)
	}
}

// renamed lists the kinds of tokens whose fault is in what presets are there
// to change: typ, a missing aud, claims that another one stands for.
var renamed = []string{
	"id-token", "typ-jwt", "typ-absent", "no-aud", "no-iat", "no-jti", "no-client_id", "type-scope", "scope-comma",
}

// TestPresetsNeverWeaken runs every kind of token through every preset, and
// through a strict issuer: whatever is wrong with signature, issuer, times,
// audience, form or cnf ends in the same way.
// [CL-06 CL-09 CL-12 CL-21 CL-22 JO-01 JO-27]
func TestPresetsNeverWeaken(t *testing.T) {
	s := mint(t, "ES256")
	strict := verifier(t, s, nil)
	for _, p := range validate.Presets() {
		if p.AnswersOnly {
			continue // no JWT passes at all
		}
		f := readFixture(t, p.Name)
		preset, err := validate.NewJWT(f.config(p.Name, presetCase{}, s))
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range issuer.Variants() {
			want := outcomeOf(t, strict, s, v.Name, s.Claims(""))
			if want == "" || slices.Contains(renamed, v.Name) {
				continue
			}
			have := outcomeOf(t, preset, s, v.Name, f.Claims)
			if p.Name == "salesforce" && have == string(validate.ErrKindRefused) {
				continue // its mark is in the header, which these tokens do not have
			}
			if have != want {
				t.Errorf("%s, %s: %q, a strict issuer %q", p.Name, v.Name, have, want)
			}
		}
	}
}

// outcomeOf is the code of the refusal, "bound" for a token that passes no
// route without its proof, or "".
func outcomeOf(t *testing.T, j *validate.JWT, s *issuer.Server, kind string, claims map[string]any) string {
	t.Helper()
	raw, err := s.Mint(kind, claims)
	if err != nil {
		t.Fatal(err)
	}
	token, err := j.Verify(t.Context(), raw)
	switch {
	case err != nil:
		return string(validate.CodeOf(err))
	case facts.Of(token).Bound:
		return "bound"
	}
	return ""
}
