package introspect

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/bearward/bearward/internal/issuer"
	"github.com/bearward/bearward/validate"
)

// signing is a server that signs, and a reader of its answers.
type signing struct {
	*issuer.Server
	now  *clock
	keys *keyring
	read *signed
}

func newSigning(t testing.TB) *signing {
	t.Helper()
	now := newClock()
	s, err := issuer.Start(issuer.Config{Now: now.Now, Algorithms: []string{"ES256", "RS256"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	keys := &keyring{keys: published(s, "ES256", "RS256")}
	return &signing{s, now, keys, &signed{
		issuer: s.URL(), audience: []string{"api"}, algorithms: validate.DefaultAlgorithms(),
		keys: keys, leeway: time.Minute, clock: now.Now,
	}}
}

func published(s *issuer.Server, algs ...string) (keys []*validate.Key) {
	for _, alg := range algs {
		keys = append(keys, &validate.Key{ID: s.KeyID(alg), Algorithm: alg, Public: s.Key(alg)})
	}
	return keys
}

type object = map[string]any

// answer is a right one, changed.
func (s *signing) answer(t testing.TB, header, claims object) string {
	t.Helper()
	h := object{"typ": "token-introspection+jwt"}
	c := object{"iss": s.URL(), "aud": "api", "iat": s.now.Now().Unix(), "token_introspection": object{"active": true, "sub": "user-1"}}
	for name, value := range header {
		h[name] = value
	}
	for name, value := range claims {
		c[name] = value
	}
	raw, err := s.Sign(h, c)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestSignedAnswer(t *testing.T) { // [IN-19]
	s := newSigning(t)
	const most = maxSignedAge + time.Minute
	at := func(d time.Duration) int64 { return s.now.Now().Add(d).Unix() }
	tests := map[string]struct {
		header, claims object
		want           error
	}{
		"right":               {nil, nil, nil},
		"RS256":               {object{"alg": "RS256"}, nil, nil},
		"full media type":     {object{"typ": "application/Token-Introspection+JWT"}, nil, nil},
		"several audiences":   {nil, object{"aud": []string{"other", "api"}}, nil},
		"without kid":         {object{"kid": nil}, nil, nil},
		"oldest":              {nil, object{"iat": at(-most)}, nil},
		"from the future":     {nil, object{"iat": at(time.Minute)}, nil},
		"sub and jti outside": {nil, object{"sub": "admin", "jti": "1"}, nil},
		"exp":                 {nil, object{"exp": at(time.Second)}, nil},

		"typ of a token":       {object{"typ": "at+jwt"}, nil, errSignedType},
		"typ JWT":              {object{"typ": "JWT"}, nil, errSignedType},
		"no typ":               {object{"typ": nil}, nil, errSignedType},
		"crit":                 {object{"crit": []string{"a"}, "a": 1}, nil, errSigned},
		"b64":                  {object{"b64": true}, nil, errSigned},
		"empty kid":            {object{"kid": ""}, nil, errSignedKey},
		"unknown kid":          {object{"kid": "other"}, nil, errSignedKey},
		"other issuer":         {nil, object{"iss": "https://other.example"}, errSignedIssuer},
		"no issuer":            {nil, object{"iss": nil}, errSignedIssuer},
		"issuer with a slash":  {nil, object{"iss": s.URL() + "/"}, errSignedIssuer},
		"other audience":       {nil, object{"aud": "other"}, errSignedAudience},
		"no audience":          {nil, object{"aud": nil}, errSignedAudience},
		"audience is empty":    {nil, object{"aud": []string{}}, errSignedAudience},
		"no iat":               {nil, object{"iat": nil}, errSignedTime},
		"iat too early":        {nil, object{"iat": at(-most - time.Second)}, errSignedTime},
		"iat too late":         {nil, object{"iat": at(time.Minute + time.Second)}, errSignedTime},
		"iat as text":          {nil, object{"iat": "1"}, errSignedClaims},
		"expired":              {nil, object{"exp": at(-time.Minute)}, errSignedTime},
		"nothing inside":       {nil, object{"token_introspection": nil}, errSignedClaims},
		"inside is text":       {nil, object{"token_introspection": "active"}, errSignedClaims},
		"inside is an array":   {nil, object{"token_introspection": []any{object{"active": true}}}, errSignedClaims},
		"active only outside":  {nil, object{"active": true, "token_introspection": object{}}, errNoActive},
		"active as text":       {nil, object{"token_introspection": object{"active": "true"}}, errActive},
		"nested by a JWT only": {nil, object{"token_introspection": object{"token_introspection": object{"active": true}}}, errNoActive},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r, err := s.read.read(t.Context(), s.answer(t, tt.header, tt.claims))
			if !errors.Is(err, tt.want) || (err == nil) != (tt.want == nil) {
				t.Fatalf("got %v, want %v", err, tt.want)
			}
			if r.active != (err == nil) || err == nil && r.claims != `{"active":true,"sub":"user-1"}` {
				t.Errorf("got %+v", r)
			}
		})
	}
}

func TestSignedInactive(t *testing.T) { // [IN-04]
	s := newSigning(t)
	r, err := s.read.read(t.Context(), s.answer(t, nil, object{"active": true, "token_introspection": object{"active": false, "sub": "user-1"}}))
	if err != nil || r != (reply{}) {
		t.Errorf("got %+v, %v", r, err)
	}
}

func TestSignedBytes(t *testing.T) { // [IN-19]
	s := newSigning(t)
	good := s.answer(t, nil, nil)
	parts := strings.Split(good, ".")
	other := strings.Split(s.answer(t, nil, object{"token_introspection": object{"active": false}}), ".")
	twice, err := s.SignBytes(object{"typ": "token-introspection+jwt"}, []byte(`{"iss":"x","iss":"`+s.URL()+`","aud":"api","iat":1800000000,"token_introspection":{"active":true}}`))
	if err != nil {
		t.Fatal(err)
	}
	inside, err := s.SignBytes(object{"typ": "token-introspection+jwt"}, []byte(`{"iss":"`+s.URL()+`","aud":"api","iat":1800000000,"token_introspection":{"active":false,"active":true}}`))
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		body string
		want error
	}{
		"empty":             {"", errSigned},
		"JSON":              {yes, errSigned},
		"two parts":         {parts[0] + "." + parts[1], errSigned},
		"a line break":      {good + "\n", errSigned},
		"padding":           {good + "=", errSigned},
		"unsigned":          {parts[0] + "." + parts[1] + ".", errSignature},
		"others' signature": {parts[0] + "." + parts[1] + "." + other[2], errSignature},
		"others' payload":   {parts[0] + "." + other[1] + "." + parts[2], errSignature},
		"header no JSON":    {parts[1][1:] + "." + parts[1] + "." + parts[2], errSigned},
		"issuer twice":      {twice, errSignedClaims},
		"active twice":      {inside, errSignedClaims},
	} {
		if _, err := s.read.read(t.Context(), tt.body); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
		}
	}
}

func TestSignedAlgorithm(t *testing.T) { // [IN-19]
	s := newSigning(t)
	s.read.algorithms = []string{"RS256"}
	if _, err := s.read.read(t.Context(), s.answer(t, nil, nil)); !errors.Is(err, errSignedAlgorithm) {
		t.Errorf("got %v", err)
	}
}

// TestSignedKeys: a key source is anybody's, so what it returns is looked at.
func TestSignedKeys(t *testing.T) { // [IN-19]
	s := newSigning(t)
	body := s.answer(t, nil, nil)
	right := s.keys.keys[0]
	renamed := *right
	renamed.ID = "other"
	foreign := newSigning(t).keys.keys[0]
	stranger := *foreign
	stranger.ID = right.ID
	for name, tt := range map[string]struct {
		keys []*validate.Key
		want error
	}{
		"right":               {[]*validate.Key{right}, nil},
		"none":                {nil, errSignedKey},
		"nil":                 {[]*validate.Key{nil}, errSignedKey},
		"of another kid":      {[]*validate.Key{&renamed}, errSignedKey},
		"for another alg":     {[]*validate.Key{{ID: right.ID, Algorithm: "RS256", Public: right.Public}}, errSignedKey},
		"of another type":     {[]*validate.Key{{ID: right.ID, Algorithm: "ES256", Public: s.Key("RS256")}}, errSignedKey},
		"a stranger's":        {[]*validate.Key{&stranger}, errSignature},
		"the fourth":          {[]*validate.Key{&stranger, &stranger, &stranger, right}, nil},
		"beyond the fourth":   {[]*validate.Key{&stranger, &stranger, &stranger, &stranger, right}, errSignature},
		"after what fits not": {[]*validate.Key{nil, &renamed, nil, nil, nil, right}, nil},
	} {
		s.read.keys = every(tt.keys)
		if _, err := s.read.read(t.Context(), body); !errors.Is(err, tt.want) || (err == nil) != (tt.want == nil) {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
		}
	}
}

// every is a key source that returns the same keys whatever it is asked for.
type every []*validate.Key

func (e every) Keys(context.Context, string, string) ([]*validate.Key, error) { return e, nil }
func (every) Live(*validate.Key) bool                                         { return true }

func TestSignedResponses(t *testing.T) { // [IN-18]
	s := newSigning(t)
	signedYes := saysAs(200, "Application/Token-Introspection+JWT; charset=utf-8", s.answer(t, nil, nil))
	plain := says(200, yes)
	for _, tt := range []struct {
		mode   SignedResponse
		accept string
		answer http.HandlerFunc
		ok     bool
	}{
		{Off, "application/json", plain, true},
		{Off, "application/json", signedYes, false},
		{Accept, "application/token-introspection+jwt, application/json;q=0.5", signedYes, true},
		{Accept, "application/token-introspection+jwt, application/json;q=0.5", plain, true},
		{Require, "application/token-introspection+jwt", signedYes, true},
		{Require, "application/token-introspection+jwt", plain, false},
	} {
		e, cfg := started(t, tt.answer)
		cfg.Token.Issuer, cfg.Token.Keys, cfg.Token.Clock = s.URL(), s.keys, s.now.Now
		cfg.Endpoint, cfg.AllowHTTP = e.URL, true
		cfg.SignedResponse = tt.mode
		r, f := asking(t, cfg).ask(t.Context(), opaque)
		if got := e.last(t).header.Get("Accept"); got != tt.accept {
			t.Errorf("%s: asked for %q", tt.mode, got)
		}
		if tt.ok && (f != nil || !r.active) || !tt.ok && (f == nil || f.code != validate.ErrIntrospectionInvalid || !f.counts) {
			t.Errorf("%s: %+v, %+v", tt.mode, r, f)
		}
	}
}

func TestSignedAudience(t *testing.T) { // [IN-19]
	s := newSigning(t)
	_, cfg := started(t, saysAs(200, signedType, s.answer(t, nil, object{"aud": api})))
	cfg.Token.Issuer, cfg.Token.Keys, cfg.Token.Clock, cfg.AllowHTTP = s.URL(), s.keys, s.now.Now, true
	cfg.SignedResponse = Require
	_, f := asking(t, cfg).ask(t.Context(), opaque)
	if f == nil || f.code != validate.ErrIntrospectionInvalid || f.counts {
		t.Fatalf("the token's audience by default: %+v", f)
	}
	discreet(t, f)
	cfg.SignedAudience = []string{api}
	if r, f := asking(t, cfg).ask(t.Context(), opaque); f != nil || !r.active {
		t.Errorf("named: %+v, %+v", r, f)
	}
	s.keys.err = errDown
	_, f = asking(t, cfg).ask(t.Context(), opaque)
	if f == nil || f.code != validate.ErrKeysUnavailable || f.counts {
		t.Fatalf("without keys: %+v", f)
	}
	discreet(t, f)
}

// TestSignedAnswerIsNoAccessToken: it is signed by the issuer, and may look
// like a token from outside.
func TestSignedAnswerIsNoAccessToken(t *testing.T) { // [IN-20]
	s := newSigning(t)
	now := s.now.Now()
	body := s.answer(t, nil, object{
		"sub": "user-1", "exp": now.Add(time.Hour).Unix(), "jti": "1", "client_id": "api", "scope": "read",
	})
	if _, err := s.read.read(t.Context(), body); err != nil {
		t.Fatal(err)
	}
	for _, profile := range []validate.Profile{validate.RFC9068, validate.Compat} {
		j, err := validate.NewJWT(validate.Config{
			Issuer: s.URL(), Audience: []string{"api"}, Keys: s.keys, Clock: s.now.Now, Profile: profile,
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := j.Verify(t.Context(), body); !errors.Is(err, validate.ErrTypeRefused) {
			t.Errorf("%s: got %v", profile, err)
		}
		untyped := s.answer(t, object{"typ": "JWT"}, object{
			"sub": "user-1", "exp": now.Add(time.Hour).Unix(), "jti": "1", "client_id": "api",
		})
		if _, err := j.Verify(t.Context(), untyped); err == nil {
			t.Errorf("%s: accepted under another typ", profile)
		}
	}
}
