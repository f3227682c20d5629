package middleware_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/bearward/bearward/internal/challengetest"
	"github.com/bearward/bearward/internal/issuer"
	"github.com/bearward/bearward/middleware"
)

// statuses are those of the table of codes for a policy that demands a token.
var statuses = []int{400, 401, 403, 425}

// sound holds any decision about any Authorization values to what must always
// be true.
func (s *stand) sound(t interface{ Errorf(string, ...any) }, values []string, signed map[string]bool) {
	r := middleware.Request{Method: "POST", RawPath: "/orders", Header: http.Header{"Authorization": values}}
	d := s.decide(r, middleware.Policy{})
	if d.Allowed {
		scheme, rest, _ := strings.Cut(values[0], " ")
		if len(values) != 1 || !strings.EqualFold(scheme, "Bearer") || !signed[strings.TrimLeft(rest, " ")] || d.Token == nil || d.Denial != nil {
			t.Errorf("%q was accepted", values)
		}
		return
	}
	if d.Denial == nil || d.Token != nil || d.Err == nil || !slices.Contains(statuses, d.Denial.Status) {
		t.Errorf("%q: %+v", values, d)
		return
	}
	line := d.Denial.Header.Values("WWW-Authenticate")
	if len(line) != 1 {
		t.Errorf("%q: challenges %q", values, line)
		return
	}
	if _, err := challengetest.Parse(line[0]); err != nil {
		t.Errorf("%q: %v", values, err)
	}
	if report := s.guard.Explain(s.t.Context(), r, middleware.Policy{}); report.Allowed || report.Status != d.Denial.Status {
		t.Errorf("%q: Decide says %d, Explain %s", values, d.Denial.Status, report)
	}
}

// TestAnyHeader: no header is accepted but one with a token that the issuer
// signed, and every other answer is in the table.
func TestAnyHeader(t *testing.T) {
	s := newStand(t)
	good := s.mint("", nil)
	signed := map[string]bool{good: true}
	parts := strings.Split(good, ".")
	rapid.Check(t, func(t *rapid.T) {
		piece := rapid.OneOf(
			rapid.SampledFrom([]string{good, parts[0], parts[1], parts[2], ".", "..", " ", "\t", ",", "=", "Bearer", "bearer ", "Bearer ", "Basic ", "DPoP ", "e30", "eyJ", "\x00", "\xff", "\r\n", `"`}),
			rapid.StringN(0, 8, 32),
			rapid.Map(rapid.SliceOfN(rapid.Byte(), 0, 16), func(b []byte) string { return string(b) }),
		)
		value := rapid.Map(rapid.SliceOfN(piece, 0, 6), func(p []string) string { return strings.Join(p, "") })
		s.sound(t, rapid.SliceOfN(value, 1, 3).Draw(t, "values"), signed)
	})
}

// TestAnyTokenByte: a token with one byte changed, added or taken away is not
// accepted.
func TestAnyTokenByte(t *testing.T) {
	s := newStand(t)
	good := s.mint("", nil)
	signed := map[string]bool{good: true}
	rapid.Check(t, func(t *rapid.T) {
		at := rapid.IntRange(0, len(good)).Draw(t, "at")
		drop := rapid.IntRange(0, min(2, len(good)-at)).Draw(t, "drop")
		put := rapid.SliceOfN(rapid.Byte(), 0, 2).Draw(t, "put")
		s.sound(t, []string{"Bearer " + good[:at] + string(put) + good[at+drop:]}, signed)
	})
}

// FuzzAuthorization: as TestAnyHeader, from bytes. A line feed separates
// values, TOKEN stands for a right token.
func FuzzAuthorization(f *testing.F) {
	s := newStand(f)
	good := s.mint("", nil)
	signed := map[string]bool{good: true}
	for _, seed := range []string{
		"", "Bearer", "Bearer ", "Bearer TOKEN", "bearer   TOKEN", "BEARER TOKEN", "Bearer\tTOKEN", "Bearer TOKEN ", "Bearer TOKEN TOKEN",
		"Bearer TOKEN,TOKEN", "Bearer TOKEN, Bearer TOKEN", "Bearer TOKEN\nBearer TOKEN", "\nBearer TOKEN", "Basic dTpw", "Negotiate", "DPoP TOKEN",
		"Bearer \"TOKEN\"", "Bearer TOKEN=", "Bearer =TOKEN", "Bearer \x00", "Bearer \xff", "Bearer ..", "Bearer e30.e30.", "Bearer e30.e30.e30", "Bearer ey.ey.ey",
		"Bearer mF_9.B5f-4.1JqM", "Bearer " + foreignToken, "Bearer " + strings.Repeat("a", 1<<14+1),
	} {
		f.Add(seed)
	}
	for _, v := range issuer.Variants() {
		token := s.mint(v.Name, nil)
		signed[token] = v.Code == ""
		f.Add("Bearer " + token)
	}
	f.Fuzz(func(t *testing.T, joined string) {
		s.t = t
		s.sound(t, strings.Split(strings.ReplaceAll(joined, "TOKEN", good), "\n"), signed)
	})
}
