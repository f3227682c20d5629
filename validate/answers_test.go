package validate_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/bearward/bearward/validate"
)

var answered = time.Unix(1_800_000_000, 0)

func answers(t *testing.T, change func(*validate.Config)) *validate.Answers {
	t.Helper()
	c := validate.Config{Issuer: "https://as.example", Audience: []string{"https://api.example"}, Clock: func() time.Time { return answered }}
	if change != nil {
		change(&c)
	}
	a, err := validate.NewAnswers(c)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// statement is an active answer: the members given, in place of the right ones
// or beside them. An empty value leaves one out.
func statement(members map[string]string) string {
	all := map[string]string{
		"active": "true", "iss": `"https://as.example"`, "aud": `"https://api.example"`, "sub": `"user-1"`,
		"client_id": `"client-1"`, "scope": `"read write"`, "exp": "1800000300", "iat": "1799999990", "token_type": `"Bearer"`,
	}
	for name, value := range members {
		all[name] = value
	}
	var b strings.Builder
	for name, value := range all {
		if value != "" {
			fmt.Fprintf(&b, `,%q:%s`, name, value)
		}
	}
	return "{" + strings.TrimPrefix(b.String(), ",") + "}"
}

// An answer is held to the rules that a JWT is held to. [IN-07 IN-08 IN-09 IN-11 IN-12]
func TestAnswers(t *testing.T) {
	const thumbprint = `"0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"`
	for name, c := range map[string]struct {
		members map[string]string
		change  func(*validate.Config)
		code    validate.Code
	}{
		"right":                         {},
		"no iss":                        {members: map[string]string{"iss": ""}},
		"iss of another":                {members: map[string]string{"iss": `"https://as.example/"`}, code: validate.ErrIssuerUnknown},
		"iss no text":                   {members: map[string]string{"iss": "1"}, code: validate.ErrClaimsInvalid},
		"aud of another":                {members: map[string]string{"aud": `["https://other.example"]`}, code: validate.ErrAudienceRefused},
		"aud empty":                     {members: map[string]string{"aud": `[]`}, code: validate.ErrAudienceRefused},
		"no aud":                        {members: map[string]string{"aud": ""}, code: validate.ErrClaimMissing},
		"no aud, server trusted":        {members: map[string]string{"aud": ""}, change: trust},
		"aud of another, trusted":       {members: map[string]string{"aud": `"https://other.example"`}, change: trust, code: validate.ErrAudienceRefused},
		"aud empty, trusted":            {members: map[string]string{"aud": `[]`}, change: trust, code: validate.ErrAudienceRefused},
		"expired":                       {members: map[string]string{"exp": "1799999900"}, code: validate.ErrExpired},
		"exp text":                      {members: map[string]string{"exp": `"1800000300"`}, code: validate.ErrClaimsInvalid},
		"no exp":                        {members: map[string]string{"exp": ""}},
		"nbf ahead":                     {members: map[string]string{"nbf": "1800000100"}, code: validate.ErrNotYetValid},
		"iat ahead":                     {members: map[string]string{"iat": "1800000100"}, code: validate.ErrIssuedInFuture},
		"no iat":                        {members: map[string]string{"iat": ""}},
		"too long":                      {change: func(c *validate.Config) { c.MaxLifetime = time.Minute }, code: validate.ErrLifetimeTooLong},
		"too long, nobody knows":        {members: map[string]string{"exp": ""}, change: func(c *validate.Config) { c.MaxLifetime = time.Minute }},
		"no sub":                        {members: map[string]string{"sub": ""}},
		"sub no text":                   {members: map[string]string{"sub": "1"}, code: validate.ErrClaimsInvalid},
		"scope array":                   {members: map[string]string{"scope": `["read"]`}, code: validate.ErrClaimsInvalid},
		"scope array as configured":     {members: map[string]string{"scope": `["read"]`}, change: func(c *validate.Config) { c.ScopeClaim.Array = true }},
		"no scope":                      {members: map[string]string{"scope": ""}},
		"ID token":                      {members: map[string]string{"token_use": `"id"`}, code: validate.ErrKindRefused},
		"refresh token":                 {members: map[string]string{"token_use": `"refresh_token"`}, code: validate.ErrKindRefused},
		"access token":                  {members: map[string]string{"token_use": `"access_token"`}},
		"refresh token by type":         {members: map[string]string{"token_type": `"refresh_token"`}, code: validate.ErrKindRefused},
		"type in any case":              {members: map[string]string{"token_type": `"bearer"`}},
		"type unknown":                  {members: map[string]string{"token_type": `"mac"`}, code: validate.ErrKindRefused},
		"type no text":                  {members: map[string]string{"token_type": "1"}, code: validate.ErrClaimsInvalid},
		"no type":                       {members: map[string]string{"token_type": ""}},
		"marks of an ID token":          {members: map[string]string{"at_hash": `"x"`}, code: validate.ErrKindRefused},
		"cnf unknown":                   {members: map[string]string{"cnf": `{"kid":"1"}`}, code: validate.ErrConfirmationInvalid},
		"cnf empty":                     {members: map[string]string{"cnf": `{}`}, code: validate.ErrConfirmationInvalid},
		"cnf of a key":                  {members: map[string]string{"cnf": `{"jkt":` + thumbprint + `}`}},
		"act no object":                 {members: map[string]string{"act": `"a"`}, code: validate.ErrClaimsInvalid},
		"details no list":               {members: map[string]string{"authorization_details": `{"type":"a"}`}, code: validate.ErrClaimsInvalid},
		"details without type":          {members: map[string]string{"authorization_details": `[{}]`}, code: validate.ErrClaimsInvalid},
		"details":                       {members: map[string]string{"authorization_details": `[{"type":"a"}]`}},
		"client not listed":             {change: func(c *validate.Config) { c.ClientIDs = []string{"other"} }, code: validate.ErrClientRefused},
		"no client, some listed":        {members: map[string]string{"client_id": ""}, change: func(c *validate.Config) { c.ClientIDs = []string{"other"} }, code: validate.ErrClientRefused},
		"client listed":                 {change: func(c *validate.Config) { c.ClientIDs = []string{"other", "client-1"} }},
		"username is nobody's identity": {members: map[string]string{"sub": "", "username": `"alice"`}},
	} {
		t.Run(name, func(t *testing.T) {
			a := answers(t, c.change)
			text := statement(c.members)
			tok, err := a.Judge(text)
			wantCode(t, err, c.code)
			if (tok == nil) == (c.code == "") {
				t.Errorf("token %v", tok)
			}
			findings, explained := a.Explain(text)
			if (explained == nil) == (c.code == "") {
				t.Errorf("explained otherwise: %+v", findings)
			}
		})
	}
}

func trust(c *validate.Config) { c.TrustServer = true }

// What is no strict JSON object says nothing. [IN-07]
func TestAnswersAreStrict(t *testing.T) {
	for _, text := range []string{``, `null`, `[]`, `{"sub":"a","sub":"b"}`, `{"exp":1}{}`, `{"exp":"1"}`, "{\"sub\":\"\xff\"}"} {
		_, err := answers(t, trust).Judge(text)
		wantCode(t, err, validate.ErrClaimsInvalid)
	}
}

// A token of an answer knows what it does not say. [IN-10 IN-22 CL-17]
func TestAnswerTokens(t *testing.T) {
	a := answers(t, nil)
	tok, err := a.Judge(statement(map[string]string{"iss": "", "exp": "", "sub": "", "username": `"alice"`}))
	if err != nil {
		t.Fatal(err)
	}
	if tok.Issuer != "https://as.example" || tok.Subject != "" || !tok.IsClient() {
		t.Errorf("%+v", tok)
	}
	if want := answered.Add(validate.AnswerLife); !tok.ExpiresAt.Equal(want) {
		t.Errorf("lives until %v, want %v", tok.ExpiresAt, want)
	}
	if tok.KeyID() != "" {
		t.Errorf("key %q", tok.KeyID())
	}
}

func TestAnswersConfiguration(t *testing.T) {
	for name, c := range map[string]validate.Config{
		"no issuer":   {Audience: []string{"a"}},
		"no audience": {Issuer: "https://as.example"},
		"a template":  {Issuer: "https://as.example/{tenantid}", Audience: []string{"a"}},
		"a leeway":    {Issuer: "https://as.example", Audience: []string{"a"}, Leeway: time.Hour},
		"no preset":   {Issuer: "https://as.example", Audience: []string{"a"}, Preset: "none"},
	} {
		if _, err := validate.NewAnswers(c); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// asked is an opaque verifier that counts.
type asked struct {
	issuer string
	calls  int
}

func (a *asked) leaf(prefix string) validate.Leaf {
	return validate.Leaf{Issuer: a.issuer, Prefix: prefix, Opaque: validate.VerifierFunc(a.verify)}
}

func (a *asked) verify(_ context.Context, _ string) (*validate.Token, error) {
	a.calls++
	return &validate.Token{Issuer: a.issuer}, nil
}

// An opaque token goes to the one issuer that it belongs to, or to nobody. [IN-17]
func TestOpaqueRouting(t *testing.T) {
	const a, b, c = "https://a.example", "https://b.example", "https://c.example"
	for name, tt := range map[string]struct {
		prefixes map[string]string // by issuer
		accepted []string          // nil: all
		token    string
		to       string
		code     validate.Code
	}{
		"the only one":              {map[string]string{a: ""}, nil, "opaque", a, ""},
		"one dot":                   {map[string]string{a: ""}, nil, "one.dot", a, ""},
		"five parts":                {map[string]string{a: ""}, nil, "a.b.c.d.e", a, ""},
		"two dots, no header":       {map[string]string{a: ""}, nil, "YQ.YQ.YQ", a, ""},
		"by prefix":                 {map[string]string{a: "ory_at_", b: ""}, nil, "ory_at_x", a, ""},
		"without prefix":            {map[string]string{a: "ory_at_", b: ""}, nil, "x", b, ""},
		"the longer prefix":         {map[string]string{a: "t_", b: "t_b_"}, nil, "t_b_x", b, ""},
		"no prefix fits":            {map[string]string{a: "t_", b: "u_"}, nil, "x", "", validate.ErrOpaqueUnassigned},
		"ambiguous":                 {map[string]string{a: "", b: ""}, nil, "x", "", validate.ErrOpaqueUnassigned},
		"the route decides":         {map[string]string{a: "", b: ""}, []string{b}, "x", b, ""},
		"prefix of a refused one":   {map[string]string{a: "t_", b: ""}, []string{b}, "t_x", "", validate.ErrIssuerRefused},
		"nobody accepted has any":   {map[string]string{a: "", c: "-"}, []string{c}, "x", "", validate.ErrOpaqueUnassigned},
		"nobody has any":            {map[string]string{c: "-"}, nil, "x", "", validate.ErrNotJWT},
		"no token at all":           {map[string]string{a: ""}, nil, "a\"b", "", validate.ErrTokenMalformed},
		"too long":                  {map[string]string{a: ""}, nil, strings.Repeat("a", validate.MaxToken+1), "", validate.ErrTokenTooLong},
		"a JWT of nobody":           {map[string]string{a: ""}, nil, "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJ4In0.YQ", "", validate.ErrIssuerUnknown},
		"a JWT, only opaque issued": {map[string]string{a: ""}, nil, "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJodHRwczovL2EuZXhhbXBsZSJ9.YQ", "", validate.ErrJWTRefused},
	} {
		t.Run(name, func(t *testing.T) {
			issuers := map[string]*asked{}
			var leaves []validate.Leaf
			for url, prefix := range tt.prefixes {
				if prefix == "-" {
					leaves = append(leaves, validate.Leaf{Issuer: url, JWT: validate.VerifierFunc((&asked{}).verify)})
					continue
				}
				issuers[url] = &asked{issuer: url}
				leaves = append(leaves, issuers[url].leaf(prefix))
			}
			router, err := validate.NewIssuers(leaves...)
			if err == nil && tt.accepted != nil {
				router, err = router.Only(tt.accepted...)
			}
			if err != nil {
				t.Fatal(err)
			}
			tok, err := router.Verify(t.Context(), tt.token)
			wantCode(t, err, tt.code)
			for url, i := range issuers {
				if (i.calls == 1) != (url == tt.to) || i.calls > 1 {
					t.Errorf("%s was asked %d times", url, i.calls)
				}
			}
			if tt.to != "" && tok.Issuer != tt.to {
				t.Errorf("judged by %s", tok.Issuer)
			}
			findings, explained := router.Explain(t.Context(), tt.token)
			if (explained != nil) != (tt.code == "") {
				t.Errorf("explained otherwise: %+v", findings)
			}
		})
	}
}

// What no rule could tell apart is said at start. [IN-17]
func TestOpaqueRoutingFaults(t *testing.T) {
	a, b := &asked{issuer: "https://a.example"}, &asked{issuer: "https://b.example"}
	router, err := validate.NewIssuers(a.leaf(""), b.leaf(""))
	if err != nil || router.Ambiguous() == nil {
		t.Errorf("two issuers without prefix: %v", err)
	}
	only, err := router.Only(a.issuer)
	if err != nil || only.Ambiguous() != nil {
		t.Errorf("one of them: %v, %v", err, only.Ambiguous())
	}
	if router, err = validate.NewIssuers(a.leaf("a_"), b.leaf("")); err != nil || router.Ambiguous() != nil {
		t.Errorf("one has a prefix: %v", err)
	}
	for _, leaves := range [][]validate.Leaf{
		{a.leaf("x_"), b.leaf("x_")},
		{a.leaf("x y")},
		{a.leaf(""), a.leaf("")},
		{{Issuer: "https://c.example", Prefix: "c_", JWT: validate.VerifierFunc(a.verify)}},
	} {
		if _, err := validate.NewIssuers(leaves...); err == nil {
			t.Errorf("%+v is accepted", leaves)
		}
	}
}

// A verifier of opaque tokens is believed only about its own issuer. [IN-17]
func TestForeignOpaqueVerifier(t *testing.T) {
	other := &asked{issuer: "https://b.example"}
	leaf := other.leaf("")
	leaf.Issuer = "https://a.example"
	router, err := validate.NewIssuers(leaf)
	if err != nil {
		t.Fatal(err)
	}
	_, err = router.Verify(t.Context(), "opaque")
	wantCode(t, err, validate.ErrInternal)
	if findings, tok := router.Explain(t.Context(), "opaque"); tok != nil {
		t.Errorf("explained otherwise: %+v", findings)
	}
}
