package dpop

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/bearward/bearward/internal/jose"
	"github.com/bearward/bearward/internal/printable"
	"github.com/bearward/bearward/validate"
)

// Explain runs every rule to the end and says what became of each, in order. It
// spends nothing and remembers nothing. The Proof is what Verify would return;
// ok is false unless every rule passed.
func (v *Verifier) Explain(in Presented) (findings []validate.Finding, p Proof, ok bool) {
	s := state{verifier: v, in: in, whole: true}
	var have stage
	ok = true
	for i := range rules {
		r := &rules[i]
		f := validate.Finding{Rule: r.name, Source: r.source, Status: validate.NotReached}
		if have&r.needs == r.needs {
			f = s.judge(r, f)
			if f.Status == validate.Passed {
				have |= r.gives
			}
		}
		ok = ok && f.Status == validate.Passed
		findings = append(findings, f)
	}
	if have&haveSignature == 0 {
		for i := range findings {
			findings[i].Unverified = findings[i].Found != ""
		}
	}
	if ok {
		p = s.proof()
	}
	return findings, p, ok
}

// Codes returns the reasons for which Verify refuses.
func Codes() (codes []validate.Code) {
	for i := range rules {
		for _, c := range rules[i].codes {
			if !slices.Contains(codes, c) {
				codes = append(codes, c)
			}
		}
	}
	return codes
}

// NotReached is the report where there is nothing to judge.
func NotReached() []validate.Finding {
	out := make([]validate.Finding, len(rules))
	for i := range rules {
		out[i] = validate.Finding{Rule: rules[i].name, Source: rules[i].source, Status: validate.NotReached}
	}
	return out
}

func (s *state) judge(r *rule, f validate.Finding) validate.Finding {
	f.Status = validate.Passed
	if err := r.check(s); err != nil {
		f.Status, f.Code = validate.Failed, validate.CodeOf(err)
		f.Fix = f.Code.Fix()
		if coded := (*validate.Error)(nil); errors.As(err, &coded) {
			f.Claim = coded.Claim
		}
	}
	if r.show != nil {
		f.Expected, f.Found = r.show(s)
		f.Expected, f.Found = printable.Text(f.Expected), printable.Text(f.Found)
	}
	return f
}

func showValue(s *state) (expected, found string) {
	found = "none"
	if n := len(s.in.Values); n == 1 {
		found = "one"
	} else if n > 1 {
		found = "several"
	}
	return "exactly one", found
}

func showType(s *state) (expected, found string) { return "dpop+jwt", s.header.Type }

func showAlgorithm(s *state) (expected, found string) {
	return "one of " + s.verifier.algs, s.header.Algorithm
}

func showMethod(s *state) (expected, found string) { return s.in.Method, s.claims.method }

func showTarget(s *state) (expected, found string) {
	expected = s.in.Target
	if expected == "" {
		expected = "a configured public URL"
	}
	found = s.claims.target
	if end := strings.IndexAny(found, "?#"); end >= 0 { // which may hold secrets
		found = found[:end]
	}
	if at := strings.LastIndexByte(found, '@'); at >= 0 { // a password may have one too
		found = "…" + found[at:]
	}
	return expected, found
}

func showNonce(s *state) (expected, found string) {
	found = map[NonceState]string{NonceAbsent: "none", NonceValid: "a valid one", NonceBad: "one that is not valid here"}[s.nonce]
	return "by mode " + s.in.Nonce.String(), found
}

func showTime(s *state) (expected, found string) {
	oldest, newest := s.window()
	return stamp(oldest) + " to " + stamp(newest), stamp(s.claims.issued)
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func showKey(s *state) (expected, found string) {
	return jose.Encode(s.in.Key[:]), jose.Encode(s.key.thumbprint[:])
}
