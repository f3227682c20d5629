package validate

import (
	"context"
	"strings"
	"time"

	"github.com/bearward/bearward/internal/printable"
)

// Status is what became of a rule in a report.
type Status string

// The states of a rule.
const (
	Passed     Status = "passed"
	Failed     Status = "failed"
	NotReached Status = "not reached" // something it depends on failed
)

// Finding is one rule's line in a report.
type Finding struct {
	Rule       string `json:"rule"`
	Status     Status `json:"status"`
	Code       Code   `json:"code,omitempty"`      // why it failed
	Claim      string `json:"claim,omitempty"`     // the claim or header member concerned
	Expected   string `json:"expected,omitempty"`  // what the rule wants, where that is one value
	Found      string `json:"found,omitempty"`     // what the token has; never the token itself
	Unverified bool   `json:"unverified,omitzero"` // Found was read before a good signature: anybody may have written it
	Source     string `json:"source"`              // sections of the specifications
	Fix        string `json:"fix,omitempty"`       // what to look at
}

// Explain runs every rule to the end and says what became of each, in order.
// It makes the same calls as Verify, and no more. The Token is nil unless
// every rule passed.
func (j *JWT) Explain(ctx context.Context, raw string) ([]Finding, *Token) {
	s := state{ctx: ctx, raw: raw, issuer: j}
	findings := s.explain(nil, shape)
	return j.explain(&s, findings)
}

func (j *JWT) explain(s *state, findings []Finding) ([]Finding, *Token) {
	return j.explainBy(s, findings, substance)
}

func (j *JWT) explainBy(s *state, findings []Finding, rules []rule) ([]Finding, *Token) {
	s.issuer, s.now = j, j.config.Clock()
	findings = s.explain(findings, rules)
	for i := range findings {
		if findings[i].Status != Passed {
			return findings, nil
		}
	}
	return findings, s.seal()
}

// explain appends one line for each rule, in order.
func (s *state) explain(findings []Finding, rules []rule) []Finding {
	have := established(findings)
	for i := range rules {
		r := &rules[i]
		f := Finding{Rule: r.name, Source: r.source, Status: NotReached}
		if have&r.needs == r.needs {
			f = s.judgeOne(r, f)
			if f.Status == Passed {
				have |= r.gives
			}
			f.Unverified = f.Found != "" && have&haveSignature == 0
		}
		findings = append(findings, f)
	}
	if have&haveSignature != 0 {
		for i := range findings {
			findings[i].Unverified = false
		}
	}
	return findings
}

func (s *state) judgeOne(r *rule, f Finding) Finding {
	f.Status = Passed
	if err := r.check(s); err != nil {
		f.Status, f.Code, f.Claim, f.Fix = Failed, err.Code, err.Claim, err.Code.Fix()
	}
	if r.show != nil {
		f.Expected, f.Found = r.show(s)
		f.Expected, f.Found = printable.Text(f.Expected), printable.Text(f.Found)
	}
	if f.Status == Failed {
		f.Fix = s.sharpen(f)
	}
	return f
}

// established says what the findings so far allow later rules to rely on.
func established(findings []Finding) (have stage) {
	for _, f := range findings {
		for i := range shape {
			if shape[i].name == f.Rule && f.Status == Passed {
				have |= shape[i].gives
			}
		}
	}
	return have
}

// sharpen names the fix more exactly where the values tell.
func (s *state) sharpen(f Finding) string {
	switch {
	case f.Code == ErrIssuerUnknown && strings.TrimSuffix(f.Expected, "/") == strings.TrimSuffix(f.Found, "/"):
		return "configured issuer and iss differ only in the final slash; copy iss exactly"
	case f.Code == ErrTypeRefused && strings.HasSuffix(s.claims.marker, "_hash"):
		return "this is an ID token (" + s.claims.marker + "), which is for the client; send the access token"
	}
	if s.issuer != nil {
		rule := f.Rule
		if f.Code == ErrNotJWT {
			rule = "compact"
		}
		if t := s.trap(rule); t != nil {
			return t.Fix
		}
	}
	switch {
	case f.Code == ErrAlgorithmRefused && strings.HasPrefix(f.Found, "HS"):
		return "the token is signed with a shared secret; switch the authorization server to RS256 or ES256"
	case f.Code == ErrExpired && s.now.Sub(s.token.ExpiresAt) > 24*time.Hour:
		return "the token expired more than a day ago; get a new one"
	}
	return f.Fix
}

// trap returns the first trap of the issuer's preset that fits the rule that
// failed and the token, or nil.
func (s *state) trap(rule string) *Trap {
	for i := range s.issuer.config.habits.Traps {
		if t := &s.issuer.config.habits.Traps[i]; t.Rule == rule && s.shows(&t.Sign) {
			return t
		}
	}
	return nil
}
