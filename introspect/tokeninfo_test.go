package introspect

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/bearward/bearward/validate"
)

// googling is a Config for tokeninfo on e's server.
func googling(t *testing.T, body string, status int) (*endpoint, Config, *validate.Answers) {
	t.Helper()
	e, cfg := started(t, says(status, body))
	cfg.Auth = Auth{Method: None}
	cfg.Token = validate.Config{
		Issuer: "https://accounts.google.com", Preset: "google-access", ClientIDs: []string{"mine", "mine2"}, Clock: newClock().Now,
	}
	answers, err := validate.NewAnswers(cfg.Token)
	if err != nil {
		t.Fatal(err)
	}
	return e, cfg, answers
}

func TestTokenInfo(t *testing.T) {
	exp := newClock().Now().Add(time.Hour)
	const (
		rest    = `,"sub":"7","scope":"openid email","exp":"1800003600","expires_in":"3600","email":"a@b.example","email_verified":"true","access_type":"online"}`
		invalid = validate.ErrIntrospectionInvalid
	)
	tests := map[string]struct {
		status int
		body   string
		code   validate.Code // "" for a good token
	}{
		"mine":             {200, `{"aud":"mine","azp":"mine"` + rest, ""},
		"mine for mine2":   {200, `{"aud":"mine2","azp":"mine"` + rest, ""},
		"without azp":      {200, `{"aud":"mine"` + rest, ""},
		"numbers":          {200, `{"aud":"mine","exp":1800003600,"expires_in":3600,"scope":"","email_verified":true}`, ""},
		"only a life":      {200, `{"aud":"mine","expires_in":"3600"}`, ""},
		"only an end":      {200, `{"aud":"mine","exp":"1800003600"}`, ""},
		"others' aud":      {200, `{"aud":"other","azp":"mine"` + rest, validate.ErrClientRefused},                  // [IN-08]
		"others' azp":      {200, `{"aud":"mine","azp":"other"` + rest, validate.ErrClientRefused},                  // [IN-08]
		"others'":          {200, `{"aud":"other","azp":"other"` + rest, validate.ErrClientRefused},                 // [IN-08]
		"no life left":     {200, `{"aud":"mine","exp":"1800003600","expires_in":"0"}`, validate.ErrInactive},       // [IN-07]
		"life below zero":  {200, `{"aud":"mine","exp":"1800003600","expires_in":"-5"}`, validate.ErrInactive},      // [IN-07]
		"expired":          {200, `{"aud":"mine","exp":"1799999000"}`, validate.ErrExpired},                         // [IN-07]
		"invalid":          {400, `{"error":"invalid_token","error_description":"x"}`, validate.ErrInactive},        // [IN-04]
		"invalid, older":   {400, `{"error_description":"Invalid Value"}`, validate.ErrInactive},                    // [IN-04]
		"another 400":      {400, `{"error":"invalid_request","error_description":"x"}`, invalid},                   // [IN-04]
		"400 of others":    {400, `{}`, invalid},                                                                    // [IN-04]
		"no aud":           {200, `{"azp":"mine"` + rest, invalid},                                                  //
		"no end":           {200, `{"aud":"mine"}`, invalid},                                                        // [IN-07]
		"end is no number": {200, `{"aud":"mine","exp":"soon"}`, invalid},                                           //
		"end is far":       {200, `{"aud":"mine","exp":"999999999999999"}`, invalid},                                //
		"life is no":       {200, `{"aud":"mine","expires_in":"1e9"}`, invalid},                                     //
		"aud is an array":  {200, `{"aud":["mine"]` + rest, invalid},                                                // [IN-06]
		"aud is null":      {200, `{"aud":null` + rest, invalid},                                                    // [IN-06]
		"aud twice":        {200, `{"aud":"other","aud":"mine"` + rest, invalid},                                    // [IN-06]
		"error twice":      {400, `{"error":"x","error":"invalid_token"}`, invalid},                                 // [IN-06]
		"sub is an object": {200, `{"aud":"mine","sub":{},"expires_in":"9"}`, invalid},                              // [IN-06]
		"two documents":    {200, `{"aud":"mine","expires_in":"9"}{}`, invalid},                                     // [IN-06]
		"cut off":          {200, `{"aud":"mine"`, invalid},                                                         // [IN-06]
		"refused":          {403, `{}`, validate.ErrIntrospectionRefused},                                           // [IN-06]
		"500":              {500, `{"aud":"mine"` + rest, validate.ErrIntrospectionUnavailable},                     // [IN-06]
		"quoted subject":   {200, `{"aud":"mine","sub":"a\",\"client_id\":\"b","expires_in":"3600"}`, ""},           //
		"quoted client":    {200, `{"aud":"x\",\"client_id\":\"mine","expires_in":"9"}`, validate.ErrClientRefused}, // [IN-08]
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			e, cfg, answers := googling(t, tt.body, tt.status)
			r, f := asking(t, cfg).ask(t.Context(), opaque)
			got := e.last(t)
			if got.form.Get("access_token") != opaque || len(got.form) != 1 || got.method != "POST" || got.header.Get("Authorization") != "" {
				t.Errorf("asked %v", got)
			}
			var code validate.Code
			var token *validate.Token
			switch {
			case f != nil:
				code = f.code
				discreet(t, f)
			case !r.active:
				code = validate.ErrInactive
			default:
				var err error
				if token, err = answers.Judge(r.claims); err != nil {
					code = validate.CodeOf(err)
				}
			}
			if code != tt.code {
				t.Fatalf("got %q, want %q: %+v", code, tt.code, r)
			}
			if token != nil && (token.ClientID != "mine" || !token.ExpiresAt.Equal(exp) || token.Issuer != cfg.Token.Issuer) {
				t.Errorf("got %+v", token)
			}
		})
	}
}

func TestTokenInfoAsHTML(t *testing.T) { // [IN-06]
	_, cfg, _ := googling(t, "", 200)
	for status, counts := range map[int]bool{200: true, 400: false} {
		e, _ := started(t, saysAs(status, "text/html", `{"aud":"mine","error":"invalid_token","exp":"1800003600"}`))
		cfg.Endpoint, cfg.RootCAs = e.URL, roots(e)
		if r, f := asking(t, cfg).ask(t.Context(), opaque); f == nil || f.code != validate.ErrIntrospectionInvalid || f.counts != counts {
			t.Errorf("%d: %+v, %+v", status, r, f)
		}
	}
}

func TestTokenInfoFaults(t *testing.T) {
	_, sound, _ := googling(t, yes, 200)
	sound.AllowPrivate, sound.Endpoint = false, ""
	c := asking(t, sound)
	if c.config.Endpoint != infoEndpoint || c.endpoint != nil || !c.known() { // Google is public
		t.Errorf("asks %q", c.config.Endpoint)
	}
	for name, tt := range map[string]struct {
		change func(*Config)
		want   string
	}{
		"secret":     {func(c *Config) { c.Auth = Auth{Method: Basic, ClientID: "a", Secret: "s"} }, "takes no credentials"},
		"no clients": {func(c *Config) { c.Token.ClientIDs, c.Token.Audience = nil, []string{api} }, "client ids are required"},
		"signed":     {func(c *Config) { c.SignedResponse, c.SignedAudience, c.Token.Keys = Require, []string{"a"}, &keyring{} }, "do not sign"},
	} {
		cfg := sound
		tt.change(&cfg)
		if _, err := cfg.prepare(); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestUnansweredTokenInfo(t *testing.T) {
	in := information{text: map[string]string{"aud": "mine", "expires_in": "9223372036854775807"}}
	if _, err := in.reply("i", []string{"mine"}, time.Now()); !errors.Is(err, errTokenInfo) {
		t.Errorf("got %v", err)
	}
}
