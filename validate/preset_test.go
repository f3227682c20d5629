package validate_test

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/bearward/bearward/internal/facts"
	"github.com/bearward/bearward/validate"
)

// The table is complete, sorted, and nobody can change it.
func TestPresetTable(t *testing.T) {
	list := validate.Presets()
	names := map[string]bool{}
	for _, p := range list {
		names[p.Name] = true
		if p.Title == "" || len(p.Traps) == 0 || p.Profile != "" && p.Profile != validate.Compat {
			t.Errorf("%s is incomplete", p.Name)
		}
		for _, trap := range p.Traps {
			if trap.Fix == "" || trap.Rule == "" || strings.HasSuffix(trap.Fix, ".") {
				t.Errorf("%s: %+v", p.Name, trap)
			}
		}
	}
	if !slices.IsSortedFunc(list, func(a, b validate.Preset) int { return strings.Compare(a.Name, b.Name) }) {
		t.Error("not sorted")
	}
	for _, name := range []string{
		"generic", "rfc9068", "auth0", "auth0-9068", "cognito", "curity", "entra", "frontegg", "github-actions", "google", "google-access",
		"hydra", "keycloak", "kubernetes", "okta", "pingfederate", "pingone", "salesforce", "zitadel",
	} {
		if !names[name] {
			t.Errorf("%s is missing", name)
		}
		delete(names, name)
	}
	if len(names) > 0 {
		t.Errorf("more than one name for one thing? %v", slices.Collect(maps.Keys(names)))
	}
}

// What Presets returns is a copy, down to the values.
func TestPresetsAreCopies(t *testing.T) {
	want, err := json.Marshal(validate.Presets(), json.Deterministic(true))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range validate.Presets() {
		p.KeyIssuers = append(p.KeyIssuers[:0], "z")
		if p.IssuerSpellings != nil {
			p.IssuerSpellings["x"] = "y"
		}
		if len(p.Whose) > 0 {
			p.Whose[0] = "anything"
		}
		for _, m := range slices.Concat(p.Require, p.Client) {
			if len(m.Values) > 0 {
				m.Values[0] = "anything"
			}
		}
		for i := range p.Require {
			p.Require[i] = validate.Mark{}
		}
		for i := range p.Client {
			p.Client[i] = validate.Mark{}
		}
		for i := range p.Traps {
			if v := p.Traps[i].Sign.Values; len(v) > 0 {
				v[0] = "anything"
			}
			p.Traps[i] = validate.Trap{}
		}
	}
	have, err := json.Marshal(validate.Presets(), json.Deterministic(true))
	if err != nil || string(have) != string(want) {
		t.Errorf("the table was changed from outside: %v", err)
	}
}

// What is configured wins over the preset. [AZ-04 CL-02]
func TestPresetIsOverridden(t *testing.T) {
	s := mint(t, "ES256")
	f := readFixture(t, "okta")
	raw := f.token(t, presetCase{Claims: map[string]any{"scope": "other", "groups": []any{"staff"}, "my.roles": map[string]any{"list": []any{"clerk"}}}}, s)

	config := f.config("okta", presetCase{}, s)
	config.ScopeClaim = validate.ScopeClaim{Name: "scope"}
	config.RolesClaim = "/my.roles/list"
	j, err := validate.NewJWT(config)
	if err != nil {
		t.Fatal(err)
	}
	token, err := j.Verify(t.Context(), raw)
	if err != nil || !slices.Equal(token.Scopes, []string{"other"}) {
		t.Fatalf("%v %v", token, err)
	}
	if roles, err := token.Roles(); err != nil || !slices.Equal(roles, []string{"clerk"}) {
		t.Errorf("%q %v", roles, err)
	}

	config.Profile = validate.RFC9068
	if j, err = validate.NewJWT(config); err != nil {
		t.Fatal(err)
	}
	_, err = j.Verify(t.Context(), raw)
	wantCode(t, err, validate.ErrTypeRefused)
}

// TestPresetFaults: what cannot be meant is said at the start. [CL-10 JK-22]
func TestPresetFaults(t *testing.T) {
	s := mint(t, "ES256")
	const tid = "11111111-2222-3333-4444-555555555555"
	for name, c := range map[string]struct {
		change func(*validate.Config)
		want   string
	}{
		"no such preset":           {func(c *validate.Config) { c.Preset = "azure" }, "is not one of auth0"},
		"nothing in place of aud":  {func(c *validate.Config) { c.Preset, c.Audience = "cognito", nil }, "audience"},
		"clients are no audience":  {func(c *validate.Config) { c.Preset, c.Audience, c.ClientIDs = "okta", nil, []string{"a"} }, "audience"},
		"empty client":             {func(c *validate.Config) { c.ClientIDs = []string{""} }, "client id is empty"},
		"template without tenants": {func(c *validate.Config) { c.Tenants = nil }, "says any"},
		"template, other preset":   {func(c *validate.Config) { c.Preset = "okta" }, "has no issuers with {tenantid}"},
		"two placeholders":         {func(c *validate.Config) { c.Issuer = "https://x.example.com/{tenantid}/{tenantid}/" }, "only placeholder"},
		"another placeholder":      {func(c *validate.Config) { c.Issuer = "https://{region}.example.com/{tenantid}/" }, "only placeholder"},
		"tenant in capitals":       {func(c *validate.Config) { c.Tenants = []string{"AAAAAAAA-2222-3333-4444-555555555555"} }, "lower case"},
		"tenant by name":           {func(c *validate.Config) { c.Tenants = []string{"contoso.example.com"} }, "not a GUID"},
		"any and one":              {func(c *validate.Config) { c.Tenants = []string{validate.AnyTenant, tid} }, "any alone"},
		"issuer of no version":     {func(c *validate.Config) { c.Issuer = "https://login.microsoftonline.com/{tenantid}/" }, "contain one of"},
		"issuer of both versions":  {func(c *validate.Config) { c.Issuer = "https://sts.windows.net/{tenantid}/v2.0" }, "contain one of"},
		"all tenants by name":      {func(c *validate.Config) { c.Issuer, c.Tenants = "https://login.microsoftonline.com/common/v2.0", nil }, "write it, or {tenantid}"},
		"one tenant by name":       {func(c *validate.Config) { c.Issuer, c.Tenants = "https://sts.windows.net/contoso.example.com/", nil }, "write it, or {tenantid}"},
		"nobody is named": {func(c *validate.Config) {
			c.Preset, c.Require = "github-actions", map[string][]string{"repository": {"octo/shop"}}
		}, "repository_owner_id or repository_id"},
		"no value": {func(c *validate.Config) {
			c.Preset, c.Require = "github-actions", map[string][]string{"repository_id": {}}
		}, `require "repository_id" needs`},
		"an empty value":              {func(c *validate.Config) { c.Require = map[string][]string{"oid": {"a", ""}} }, `require "oid" needs`},
		"no claim":                    {func(c *validate.Config) { c.Require = map[string][]string{"": {"a"}} }, `require "" needs`},
		"tenants without placeholder": {func(c *validate.Config) { c.Issuer = "https://login.microsoftonline.com/" + tid + "/v2.0" }, "for an issuer that contains"},
	} {
		t.Run(name, func(t *testing.T) {
			config := validate.Config{
				Preset: "entra", Issuer: "https://login.microsoftonline.com/{tenantid}/v2.0", Audience: []string{api},
				Tenants: []string{tid}, Keys: published(s, "ES256"), Clock: at(noon),
			}
			c.change(&config)
			if _, err := validate.NewJWT(config); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v", err)
			}
		})
	}
	_, err := validate.NewAnswers(validate.Config{
		Preset: "entra", Issuer: "https://login.microsoftonline.com/{tenantid}/v2.0", Audience: []string{api}, Tenants: []string{tid},
	})
	if err == nil || !strings.Contains(err.Error(), "nobody can be asked") {
		t.Errorf("%v", err)
	}
}

// One user under two spellings of iss is one principal, whatever wraps the
// verifier. [CL-06 CL-16]
func TestIssuerSpelling(t *testing.T) {
	s := mint(t, "ES256")
	f := readFixture(t, "google")
	config := f.config("google", presetCase{}, s)
	j, err := validate.NewJWT(config)
	if err != nil {
		t.Fatal(err)
	}
	raw := f.token(t, presetCase{Claims: map[string]any{"iss": "accounts.google.com"}}, s)
	token, err := j.Verify(t.Context(), raw)
	if err != nil || token.Issuer != config.Issuer {
		t.Fatalf("%v %v", token, err)
	}
	elsewhere := config
	elsewhere.Issuer = "https://accounts.example.com"
	if j, err = validate.NewJWT(elsewhere); err != nil {
		t.Fatal(err)
	}
	_, err = j.Verify(t.Context(), raw)
	wantCode(t, err, validate.ErrIssuerUnknown)
}

// TestTrapsAmongIssuers: a trap of one issuer is not told about the tokens of
// another.
func TestTrapsAmongIssuers(t *testing.T) {
	s := mint(t, "ES256")
	var leaves []validate.Leaf
	for _, name := range []string{"keycloak", "entra", "auth0"} {
		f := readFixture(t, name)
		config := f.config(name, presetCase{}, s)
		j, err := validate.NewJWT(config)
		if err != nil {
			t.Fatal(err)
		}
		leaves = append(leaves, validate.Leaf{Issuer: config.Issuer, JWT: j})
	}
	leaves = append(leaves, validate.Leaf{Issuer: "https://own.example.com", JWT: validate.VerifierFunc(
		func(context.Context, string) (*validate.Token, error) { return nil, validate.ErrExpired })})
	router, err := validate.NewIssuers(leaves...)
	if err != nil {
		t.Fatal(err)
	}
	f := readFixture(t, "entra")
	for iss, want := range map[string]string{
		"https://sts.windows.net/11111111-2222-3333-4444-555555555555/": "a v1 token at a v2 issuer",
		"https://sso.example.com/realms/other":                          "hostname option",
		"https://unknown.example.com/":                                  "must be the same text",
		"no URL":                                                        "must be the same text",
	} {
		list, _ := router.Explain(t.Context(), f.token(t, presetCase{Claims: map[string]any{"iss": iss}}, s))
		if line := finding(t, list, "issuer"); !strings.Contains(line.Fix, want) {
			t.Errorf("%s: %q", iss, line.Fix)
		}
	}
	list, _ := router.Explain(t.Context(), "opaque")
	if line := finding(t, list, "compact"); !strings.Contains(line.Fix, "audience=IDENTIFIER") {
		t.Errorf("%q", line.Fix)
	}
	list, _ = router.Explain(t.Context(), f.token(t, presetCase{Claims: map[string]any{"iss": "https://own.example.com"}}, s))
	if line := finding(t, list, "verifier"); line.Code != validate.ErrExpired {
		t.Errorf("%+v", line)
	}
}

// A payload that says DPoP is bound, whatever became of cnf. [CL-21]
func TestDPoPWithoutConfirmation(t *testing.T) {
	s := mint(t, "ES256")
	f := readFixture(t, "keycloak")
	for _, answer := range []bool{false, true} {
		token, _, err := f.judge(t, "keycloak", presetCase{Answer: answer, Claims: map[string]any{"typ": "DPoP"}}, s)
		if err != nil || !facts.Of(token).Bound {
			t.Errorf("answer %v: passes as a bearer token, %v", answer, err)
		}
	}
	strict := verifier(t, s, nil)
	token, err := strict.Verify(t.Context(), token(t, s, nil, map[string]any{"typ": "DPoP"}))
	if err != nil || !facts.Of(token).Bound {
		t.Errorf("strict: passes as a bearer token, %v", err)
	}
}

// TestDemandsInReports: a report says what the configuration wants, and each
// answer is held to it as well.
func TestDemandsInReports(t *testing.T) {
	s := mint(t, "ES256")
	f := readFixture(t, "keycloak")
	config := f.Config
	config.Require = map[string][]string{"acr": {"1", "2"}, "realm_access.owner": {"me"}}
	for _, answer := range []bool{false, true} {
		_, findings, err := f.judge(t, "keycloak", presetCase{Config: &config, Answer: answer, Claims: map[string]any{"realm_access": map[string]any{"owner": []any{"me"}}}}, s)
		wantCode(t, err, validate.ErrClaimRefused)
		line := finding(t, findings, "require")
		if line.Expected != "acr 1 or 2, realm_access.owner me" || line.Claim != "realm_access.owner" || line.Fix != validate.ErrClaimRefused.Fix() {
			t.Errorf("%+v", line)
		}
	}
}

// TestMarksInReports: a report says what the preset wanted and what there was.
func TestMarksInReports(t *testing.T) {
	s := mint(t, "ES256")
	for preset, want := range map[string][2]string{
		"auth0":      {"azp or client_id, no nonce", `azp "client-1"`},
		"cognito":    {"token_use access", `token_use "access"`},
		"keycloak":   {"typ Bearer or DPoP", `typ "Bearer"`},
		"kubernetes": {"/kubernetes.io/namespace, /kubernetes.io/serviceaccount/name, sub system:serviceaccount:…", `/kubernetes.io/namespace "shop", /kubernetes.io/serviceaccount/name "web", sub "system:serviceaccount:shop:web"`},
		"zitadel":    {"no nonce, jti", `jti "j-1"`},
		"generic":    {"", ""},
	} {
		f := readFixture(t, preset)
		_, findings, _ := f.judge(t, preset, presetCase{}, s)
		if line := finding(t, findings, "marks"); line.Expected != want[0] || line.Found != want[1] {
			t.Errorf("%s: %q, %q", preset, line.Expected, line.Found)
		}
	}
}

// TestLists: roles are where they are configured, and nothing else counts as a
// list. [CL-23 CL-24 AZ-08]
func TestLists(t *testing.T) {
	s := mint(t, "ES256")
	for name, c := range map[string]struct {
		preset, path string
		claim        any
		want         []string
		refused      bool
	}{
		"array":                {"generic", "roles", []any{"a", "b"}, []string{"a", "b"}, false},
		"SCIM":                 {"generic", "roles", []any{map[string]any{"value": "a"}, "b"}, []string{"a", "b"}, false},
		"SCIM without value":   {"generic", "roles", []any{map[string]any{"display": "a"}}, nil, true},
		"empty":                {"generic", "roles", []any{}, []string{}, false},
		"absent":               {"generic", "roles", nil, nil, false},
		"text":                 {"generic", "roles", "a", nil, true},
		"number inside":        {"generic", "roles", []any{"a", 1}, nil, true},
		"object, not expected": {"generic", "roles", map[string]any{"a": true}, nil, true},
		"object":               {"zitadel", "roles", map[string]any{"a": map[string]any{"o": "x"}}, []string{"a"}, false},
		"object, denied":       {"zitadel", "roles", map[string]any{"a": nil, "b": false, "c": map[string]any{}}, []string{"c"}, false},
		"object or array":      {"zitadel", "roles", []any{"a"}, []string{"a"}, false},
		"by dots":              {"generic", "roles.inner", map[string]any{"inner": []any{"a"}}, []string{"a"}, false},
		"by pointer":           {"generic", "/roles/a~1b/c~0d", map[string]any{"a/b": map[string]any{"c~d": []any{"a"}}}, []string{"a"}, false},
		"step into text":       {"generic", "roles.inner", "a", nil, true},
		"step into nothing":    {"generic", "roles.inner", map[string]any{}, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			j := verifier(t, s, func(v *validate.Config) { v.Preset, v.RolesClaim = c.preset, c.path })
			got, err := j.Verify(t.Context(), token(t, s, nil, map[string]any{"roles": c.claim}))
			if err != nil {
				t.Fatal(err)
			}
			for _, read := range []func() ([]string, error){got.Roles, func() ([]string, error) { return got.RolesAt(c.path) }} {
				roles, err := read()
				if (err != nil) != c.refused || !slices.Equal(roles, c.want) || (roles == nil) != (c.want == nil) {
					t.Errorf("%q %v", roles, err)
				}
				if err != nil && validate.CodeOf(err) != validate.ErrClaimsInvalid {
					t.Errorf("%v", err)
				}
			}
		})
	}
	j := verifier(t, s, func(v *validate.Config) { v.RolesClaim = "https://api.example.com/roles" })
	got, err := j.Verify(t.Context(), token(t, s, nil, map[string]any{"https://api.example.com/roles": []any{"a"}}))
	if err != nil {
		t.Fatal(err)
	}
	if roles, err := got.Roles(); err != nil || !slices.Equal(roles, []string{"a"}) {
		t.Errorf("%q %v", roles, err)
	}
	if none, err := (&validate.Token{}).Roles(); none != nil || err != nil {
		t.Errorf("%v %v", none, err)
	}
}

// FuzzLists reads claims at a path: whatever both are, it ends with a list or
// an error, the same one each time.
func FuzzLists(f *testing.F) {
	for _, path := range []string{"roles", "a.b", "/a~1b/c", "https://x/y", "", "/", ".", "a..b", "~"} {
		f.Add(`{"roles":["a"],"a":{"b":[{"value":"c"}]},"a/b":{"c":{"d":1}}}`, path)
		f.Add(`{"":{"":[""]},"~":"x","a":[[]]}`, path)
	}
	a, err := validate.NewAnswers(validate.Config{Issuer: "https://login.example.com", Preset: "zitadel", TrustServer: true, Clock: at(noon)})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, claims, path string) {
		token, err := a.Judge(claims)
		if err != nil {
			return
		}
		first, err1 := token.RolesAt(path)
		second, err2 := token.RolesAt(path)
		if !slices.Equal(first, second) || (err1 == nil) != (err2 == nil) || err1 != nil && first != nil {
			t.Errorf("%q %v, then %q %v", first, err1, second, err2)
		}
		for _, read := range []func() ([]string, error){token.Roles, token.Groups, token.Permissions, token.Entitlements} {
			if list, err := read(); err != nil && (list != nil || validate.CodeOf(err) != validate.ErrClaimsInvalid) {
				t.Errorf("%q %v", list, err)
			}
		}
	})
}
