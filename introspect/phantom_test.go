package introspect

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/bearward/bearward/internal/issuer"
	"github.com/bearward/bearward/validate"
)

func TestPhantom(t *testing.T) {
	s := newSigning(t)
	foreign := newSigning(t)
	mint := func(on *signing, header, changes object) string {
		claims := on.Claims("")
		claims["purpose"] = "access_token"
		for name, value := range changes {
			claims[name] = value
		}
		raw, err := on.Sign(header, claims)
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	const jwt = "application/jwt"
	now := s.now.Now()
	tests := map[string]struct {
		status     int
		kind, body string
		code       validate.Code // "" for a good token
		counts     bool
	}{
		"good":           {200, jwt, mint(s, nil, nil), "", false},
		"inactive":       {204, "", "", validate.ErrInactive, false},                                                                             // [IN-04]
		"expired":        {200, jwt, mint(s, nil, object{"exp": now.Add(-time.Hour).Unix()}), validate.ErrExpired, false},                        // [IN-07]
		"other audience": {200, jwt, mint(s, nil, object{"aud": "https://other.example"}), validate.ErrAudienceRefused, false},                   // [IN-07]
		"other kind":     {200, jwt, mint(s, nil, object{"purpose": "id"}), validate.ErrKindRefused, false},                                      // [IN-07]
		"other issuer":   {200, jwt, mint(s, nil, object{"iss": foreign.URL()}), validate.ErrIntrospectionInvalid, false},                        // [IN-07]
		"other key":      {200, jwt, mint(foreign, object{"kid": s.KeyID("")}, object{"iss": s.URL()}), validate.ErrIntrospectionInvalid, false}, // [IN-07]
		"other typ":      {200, jwt, mint(s, object{"typ": "dpop+jwt"}, nil), validate.ErrIntrospectionInvalid, false},                           // [IN-07]
		"no JWT":         {200, jwt, opaque, validate.ErrIntrospectionInvalid, false},                                                            // [IN-06]
		"empty":          {200, jwt, "", validate.ErrIntrospectionInvalid, false},                                                                // [IN-06]
		"JSON":           {200, "application/json", yes, validate.ErrIntrospectionInvalid, true},                                                 // [IN-06]
		"JWT as JSON":    {200, "application/json", mint(s, nil, nil), validate.ErrIntrospectionInvalid, true},                                   // [IN-06]
		"401":            {401, jwt, mint(s, nil, nil), validate.ErrIntrospectionRefused, true},                                                  // [IN-06]
		"500":            {500, jwt, mint(s, nil, nil), validate.ErrIntrospectionUnavailable, true},                                              // [IN-06]
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			e, cfg := started(t, saysAs(tt.status, tt.kind, tt.body))
			cfg.Token = phantomConfig(s)
			cfg.AllowHTTP = true
			r, f := asking(t, cfg).ask(t.Context(), opaque)
			if got := e.last(t); got.header.Get("Accept") != jwt || got.form.Get("token") != opaque {
				t.Errorf("asked %v", got)
			}
			var code validate.Code
			switch {
			case f != nil:
				code = f.code
				discreet(t, f)
				if f.counts != tt.counts {
					t.Errorf("counts: %v", f.counts)
				}
			case !r.active:
				code = validate.ErrInactive
			case r.refusal != nil:
				code = r.refusal.Code
			}
			if code != tt.code || (r.token != nil) != (tt.code == "") || r.claims != "" {
				t.Errorf("got %q, want %q: %+v", code, tt.code, r)
			}
		})
	}
}

func phantomConfig(s *signing) validate.Config {
	return validate.Config{
		Issuer: s.URL(), Audience: []string{issuer.DefaultAudience}, Preset: "curity", Keys: s.keys, Clock: s.now.Now,
	}
}

func TestPhantomWithoutKeys(t *testing.T) { // [IN-06]
	s := newSigning(t)
	raw, err := s.Sign(nil, s.Claims(""))
	if err != nil {
		t.Fatal(err)
	}
	_, cfg := started(t, saysAs(200, "application/jwt", raw))
	cfg.Token, cfg.AllowHTTP = phantomConfig(s), true
	c := asking(t, cfg)
	s.keys.err = errDown
	if _, f := c.ask(t.Context(), opaque); f == nil || f.code != validate.ErrKeysUnavailable || f.counts {
		t.Errorf("got %+v", f)
	}
	cfg.Token.Keys = nil
	if _, err := New(cfg); err == nil || !strings.Contains(err.Error(), "no key source") {
		t.Errorf("no keys: %v", err)
	}
	cfg.Token.Keys, cfg.Token.TrustServer = s.keys, true
	if _, err := New(cfg); err == nil || !strings.Contains(err.Error(), "trust_server") {
		t.Errorf("trust: %v", err)
	}
}

func TestPhantomOfSomebodyElse(t *testing.T) { // [IN-07]
	s := newSigning(t)
	claims := s.Claims("")
	claims["purpose"], claims["org"] = "access_token", "theirs"
	raw, err := s.Sign(nil, claims)
	if err != nil {
		t.Fatal(err)
	}
	_, cfg := started(t, saysAs(200, "application/jwt", raw))
	cfg.Token, cfg.AllowHTTP = phantomConfig(s), true
	cfg.Token.Require = map[string][]string{"org": {"ours"}}
	if r, f := asking(t, cfg).ask(t.Context(), opaque); f != nil || r.refusal == nil || r.refusal.Code != validate.ErrClaimRefused {
		t.Errorf("got %+v, %+v", r, f)
	}
}

func TestPhantomRefusal(t *testing.T) { // [IN-07]
	s := newSigning(t)
	claims := s.Claims("", "https://other.example")
	claims["purpose"] = "access_token"
	raw, err := s.Sign(nil, claims)
	if err != nil {
		t.Fatal(err)
	}
	_, cfg := started(t, saysAs(200, "application/jwt", raw))
	cfg.Token, cfg.AllowHTTP = phantomConfig(s), true
	v, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	var refusal *validate.Error
	if _, err := v.Verify(t.Context(), opaque); !errors.As(err, &refusal) || refusal.Code != validate.ErrAudienceRefused {
		t.Errorf("got %v", err)
	}
}
