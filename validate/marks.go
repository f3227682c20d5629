package validate

import (
	"slices"
	"strings"
)

// checkMarks wants every claim by which the issuer's preset tells an access
// token from the other tokens of the provider.
func checkMarks(s *state) *Error {
	for i := range s.issuer.config.habits.Require {
		m := &s.issuer.config.habits.Require[i]
		if m.JWT && !s.parted() || m.Answer && s.parted() {
			continue
		}
		if !s.bears(m) { // [CL-04 IN-12]
			return refuseClaim(ErrKindRefused, m.Claim)
		}
	}
	return nil
}

// parted reports that the claims came in a JWT.
func (s *state) parted() bool { return s.parts.Payload != "" }

// bears reports whether the claims have the mark.
func (s *state) bears(m *Mark) bool {
	raw, err := lookup(s.token.claims, m.Claim)
	if err != nil {
		return false
	}
	if raw == "" {
		return m.Optional || m.Absent
	}
	if m.Absent {
		return false
	}
	have, ok := text(raw)
	switch {
	case !ok:
		return false
	case len(m.Values) > 0:
		return slices.Contains(m.Values, have)
	case m.Suffix != "":
		return strings.HasSuffix(have, m.Suffix)
	}
	return strings.HasPrefix(have, m.Prefix)
}

func showMarks(s *state) (expected, found string) {
	var want, have []string
	for _, m := range s.issuer.config.habits.Require {
		want = append(want, m.Claim+" "+strings.Join(m.Values, " or "))
		if raw, err := lookup(s.token.claims, m.Claim); err == nil && raw != "" {
			have = append(have, m.Claim+" "+raw)
		}
	}
	return strings.Join(want, ", "), strings.Join(have, ", ")
}
