package validate

import (
	"slices"
	"strings"

	"github.com/bearward/bearward/internal/jose"
)

// checkMarks wants every claim by which the issuer's preset tells an access
// token from the other tokens of the provider.
func checkMarks(s *state) *Error {
	c := &s.issuer.config
	if c.habits.AnswersOnly && !c.answers { // [CL-04]
		return refuseClaim(ErrKindRefused, "typ")
	}
	for i := range c.habits.Require {
		m := &c.habits.Require[i]
		if has, _ := s.bears(m); !has { // [CL-04 IN-12]
			return refuseClaim(ErrKindRefused, m.Claim)
		}
	}
	return nil
}

// concerns reports whether the mark means anything with this configuration.
func (m *Mark) concerns(c *Config) bool {
	return !(m.JWT && c.answers) && !(m.Answer && !c.answers) && strings.Contains(c.Issuer, m.Issuer)
}

// bears reports whether the token has the mark. That is not sure where the
// claim has a type that it never has.
func (s *state) bears(m *Mark) (has, sure bool) {
	raw, err := s.marked(m)
	switch {
	case err != nil:
		return false, false
	case raw == "":
		return m.Absent, true
	case m.Absent:
		return false, true
	}
	have, ok := text(raw)
	return ok && have != "" && m.fits(have), ok // [CL-04]
}

// shows is bears for reports: a list has the mark if one of its members has,
// and a mark without values is there whatever the claim's type is.
func (s *state) shows(m *Mark) bool {
	if m.Claim == "" {
		return true
	}
	raw, err := s.marked(m)
	switch {
	case err != nil:
		return false
	case raw == "" || m.Absent:
		return raw == "" && m.Absent && s.token != nil
	}
	have := []string{""}
	if one, ok := text(raw); ok {
		have[0] = one
	} else if list, err := memberTexts(raw); err == nil {
		have = list
	}
	return slices.ContainsFunc(have, m.fits)
}

func (m *Mark) fits(have string) bool {
	if len(m.Values) > 0 {
		return slices.Contains(m.Values, have)
	}
	return strings.HasPrefix(have, m.Prefix) && strings.HasSuffix(have, m.Suffix)
}

// marked finds what the mark is about.
func (s *state) marked(m *Mark) (string, error) {
	raw, err := s.member(m.Claim)
	if err == nil && raw == "" && m.Or != "" {
		return s.member(m.Or)
	}
	return raw, err
}

// member finds a claim, or a member of the header, as it stands.
func (s *state) member(path string) (string, error) {
	if name, ok := strings.CutPrefix(path, "header."); ok {
		header, err := jose.DecodeText(s.parts.Header)
		if err != nil || header == "" {
			return "", err
		}
		return lookup(header, name)
	}
	if s.token == nil {
		return "", nil
	}
	return lookup(s.token.claims(), path)
}

func showMarks(s *state) (expected, found string) {
	return s.showAll(s.issuer.config.habits.Require)
}

func (s *state) showAll(marks []Mark) (expected, found string) {
	var want, have []string
	for i := range marks {
		m := &marks[i]
		want = append(want, m.String())
		if raw, err := s.marked(m); err == nil && raw != "" {
			have = append(have, m.Claim+" "+raw)
		}
	}
	return strings.Join(want, ", "), strings.Join(have, ", ")
}

// String is the mark in a report.
func (m *Mark) String() string {
	switch {
	case m.Absent:
		return "no " + m.Claim
	case len(m.Values) > 0:
		return m.Claim + " " + strings.Join(m.Values, " or ")
	case m.Prefix+m.Suffix != "":
		return m.Claim + " " + m.Prefix + "…" + m.Suffix
	case m.Or != "":
		return m.Claim + " or " + m.Or
	}
	return m.Claim
}
