package validate

import (
	"strings"
	"time"
)

// The functions below say what a rule expected and what it found, for reports.

func showAlgorithm(s *state) (expected, found string) {
	return "one of " + strings.Join(s.issuer.config.Algorithms, " "), s.header.Algorithm
}

func showType(s *state) (expected, found string) {
	expected = "at+jwt"
	if !s.issuer.strict {
		expected = "at+jwt, JWT or none"
	}
	if !s.header.HasType {
		return expected, "none"
	}
	return expected, s.header.Type
}

func showIssuer(s *state) (expected, found string) {
	return s.issuer.config.Issuer, s.token.Issuer
}

func showExpiry(s *state) (expected, found string) {
	return "later than " + stamp(s.now.Add(-s.issuer.config.Leeway)), stamp(s.token.ExpiresAt)
}

func showNotBefore(s *state) (expected, found string) {
	return "not later than " + stamp(s.now.Add(s.issuer.config.Leeway)), stamp(s.token.NotBefore)
}

func showIssuedAt(s *state) (expected, found string) {
	return "not later than " + stamp(s.now.Add(s.issuer.config.Leeway)), stamp(s.token.IssuedAt)
}

func showLifetime(s *state) (expected, found string) {
	if s.issuer.config.MaxLifetime == 0 {
		return "any", ""
	}
	return "at most " + s.issuer.config.MaxLifetime.String(), s.token.ExpiresAt.Sub(s.token.IssuedAt).String()
}

func showAudience(s *state) (expected, found string) {
	return "one of " + strings.Join(s.issuer.config.Audience, " "), strings.Join(s.token.Audience, " ")
}

func showKind(s *state) (expected, found string) {
	return "an access token", s.claims.marker
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return "none"
	}
	return t.UTC().Format(time.RFC3339)
}
