package server

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/bearward/bearward/internal/server/config"
)

// Summary says what the file does: a line for the whole, one for each issuer and
// one for each rule, those of a document included. It shows no secret.
func (s *Service) Summary() []string {
	f := s.file
	first := "mode " + f.Mode + " on " + f.Listen
	if f.Upstream != nil {
		first += ", upstream " + f.Upstream.Redacted()
	}
	if f.ReportOnly {
		first += ", report_only: nothing is refused"
	}
	out := []string{first}
	for _, i := range f.Issuers {
		out = append(out, "issuer "+i.Name+": "+strings.Join(issuerFacts(i), ", "))
	}
	for i := range s.listed {
		out = append(out, "rule "+s.ruleFacts(i))
	}
	return out
}

func issuerFacts(i config.Issuer) []string {
	facts := []string{i.Issuer, "preset " + i.Preset, "audience " + cmp.Or(strings.Join(i.Audience, " "), "not looked at")}
	switch {
	case i.JWKSFile != "":
		facts = append(facts, "keys in "+i.JWKSFile)
	case i.JWKSURI != nil:
		facts = append(facts, "keys at "+i.JWKSURI.Redacted())
	}
	if in := i.Introspection; in != nil {
		asked := "introspection by " + in.Auth
		if in.Always {
			asked += ", always"
		} else if in.Every > 0 {
			asked += fmt.Sprintf(", every %v", in.Every)
		}
		facts = append(facts, asked)
	}
	return facts
}

func (s *Service) ruleFacts(i int) string {
	rule := s.listed[i]
	if s.denied[i] {
		return rule.Match + ": refused"
	}
	return rule.Match + ": " + cmp.Or(strings.Join(rule.Facts(), ", "), "any valid token")
}
