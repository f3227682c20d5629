package validate_test

import (
	"strings"
	"testing"

	"github.com/bearward/bearward/validate"
)

func finding(t *testing.T, list []validate.Finding, rule string) validate.Finding {
	t.Helper()
	for _, f := range list {
		if f.Rule == rule {
			return f
		}
	}
	t.Fatalf("no finding about %s", rule)
	return validate.Finding{}
}

// A report goes to the end, tells what was not reached, and believes nothing
// before the signature.
func TestExplain(t *testing.T) {
	s := mint(t, "ES256")
	j := verifier(t, s, nil)
	explain := func(raw string) []validate.Finding {
		list, _ := j.Explain(t.Context(), raw)
		for _, f := range list {
			for _, part := range strings.Split(raw, ".") {
				if len(part) > 20 && strings.Contains(f.Found+f.Expected+f.Fix, part) {
					t.Errorf("the report contains a part of the token: %+v", f)
				}
			}
		}
		return list
	}

	good := explain(token(t, s, nil, nil))
	for _, f := range good {
		if f.Status != validate.Passed || f.Unverified || f.Source == "" {
			t.Errorf("%+v", f)
		}
	}
	if len(good) < 20 {
		t.Errorf("%d rules", len(good))
	}

	two := explain(token(t, s, map[string]any{"typ": "JWT"}, map[string]any{"exp": 1, "aud": "account"}))
	for rule, want := range map[string]validate.Code{
		"type": validate.ErrTypeRefused, "expiry": validate.ErrExpired, "audience": validate.ErrAudienceRefused, "signature": "", "subject": "",
	} {
		f := finding(t, two, rule)
		if f.Code != want || (want != "") != (f.Status == validate.Failed) || f.Unverified {
			t.Errorf("%+v", f)
		}
	}
	if fix := finding(t, two, "audience").Fix; !strings.Contains(fix, "audience mapper") {
		t.Error(fix)
	}
	if fix := finding(t, two, "expiry").Fix; !strings.Contains(fix, "more than a day ago") {
		t.Error(fix)
	}

	forged, err := s.Mint("bad-signature", s.Claims(""))
	if err != nil {
		t.Fatal(err)
	}
	list := explain(forged)
	if f := finding(t, list, "audience"); f.Status != validate.Passed || !f.Unverified {
		t.Errorf("%+v", f)
	}

	for _, raw := range []string{"opaque", "a.b.c", "", strings.Repeat("a", validate.MaxToken+1)} {
		list := explain(raw)
		if len(list) != len(good) {
			t.Errorf("%d rules instead of %d", len(list), len(good))
		}
		for _, rule := range []string{"algorithm", "expiry", "key", "signature", "confirmation"} {
			if f := finding(t, list, rule); f.Status != validate.NotReached || f.Found != "" {
				t.Errorf("%q: %+v", raw[:min(len(raw), 9)], f)
			}
		}
	}

	id, err := s.Mint("id-token", s.Claims(""))
	if err != nil {
		t.Fatal(err)
	}
	if f := finding(t, explain(id), "type"); !strings.Contains(f.Fix, "ID token (at_hash)") {
		t.Errorf("%+v", f)
	}

	hs, err := s.Mint("hs256-pem", s.Claims(""))
	if err != nil {
		t.Fatal(err)
	}
	if f := finding(t, explain(hs), "algorithm"); !strings.Contains(f.Fix, "shared secret") || f.Found != "HS256" {
		t.Errorf("%+v", f)
	}
}

// What a report shows of a token can break neither terminal nor log.
func TestReportsAreHarmless(t *testing.T) {
	s := mint(t, "ES256")
	j := verifier(t, s, nil)
	evil := "https://x.example/\x1b[31m\r\n\u009b\u2028" + strings.Repeat("é", 500)
	list, _ := j.Explain(t.Context(), token(t, s, nil, map[string]any{"aud": evil}))
	f := finding(t, list, "audience")
	if strings.ContainsAny(f.Found, "\x1b\r\n\u009b\u2028") || len(f.Found) > 210 || !strings.HasSuffix(f.Found, "…") {
		t.Errorf("%q", f.Found)
	}
}
