package middleware

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/bearward/bearward/internal/printable"
	"github.com/bearward/bearward/validate"
)

// Report says what became of every rule for one request. It never contains the
// token.
type Report struct {
	Allowed    bool               `json:"allowed"`
	ReportOnly bool               `json:"report_only,omitempty"` // it is refused, and passes all the same, without token and credentials
	Code       validate.Code      `json:"code,omitempty"`        // the first failure, which decides
	Status     int                `json:"status"`                // what the client gets; 200 stands for the handler
	Rules      []validate.Finding `json:"rules"`
}

// Explain runs the rules that Decide runs, to their end. It obeys the same
// caches and cooldowns and does not notify the Observer. The route's own Check
// is asked only if every rule before it passed.
func (g *Guard) Explain(ctx context.Context, r Request, policy Policy) (report Report) {
	if !g.made() {
		return g.report(nil, []validate.Finding{failed("guard", errUnmade)})
	}
	if !g.gate.enter() {
		return g.report(nil, []validate.Finding{failed("guard", refuse(validate.ErrGuardClosed))})
	}
	defer g.gate.leave()
	p := &pass{ctx: ctx, guard: g, r: &r}
	defer func() {
		if v := recover(); v != nil {
			report = g.report(nil, []validate.Finding{failed("guard", refuse(validate.ErrInternal))})
		}
	}()
	p.now = g.config.Clock()
	c, err := g.compiledFor(&policy)
	if err != nil {
		f := failed("policy", refuse(validate.ErrPolicyInvalid))
		f.Found = err.Error()
		return g.report(nil, []validate.Finding{f})
	}
	p.policy = c
	return g.report(c, p.explain())
}

func (p *pass) explain() []validate.Finding {
	switch {
	case p.policy.policy.public:
		return []validate.Finding{{Rule: "public", Status: validate.Passed, Source: "project"}}
	case p.r.Preflight():
		return []validate.Finding{{Rule: "preflight", Status: validate.Passed, Source: "Fetch"}}
	}
	findings := p.findings(nil, requestRules, true)
	if p.raw == "" {
		if p.policy.policy.Optional && len(p.r.values("Authorization")) == 0 && first(findings).Code == validate.ErrTokenMissing {
			return []validate.Finding{{Rule: "optional", Status: validate.Passed, Source: "project"}}
		}
		findings = p.findings(findings, statusRules, false)
		return p.findings(findings, routeRules, false)
	}
	verified, token := p.policy.issuers.Explain(p.ctx, p.raw)
	findings = append(findings, verified...)
	reached := token != nil && p.know(token, nil) == nil
	findings = p.findings(findings, statusRules, reached)
	return p.findings(findings, routeRules, reached)
}

// findings runs rules to their end, or marks them as not reached. The route's
// own check is asked only if everything before it has passed.
func (p *pass) findings(list []validate.Finding, rules []rule, reached bool) []validate.Finding {
	for i := range rules {
		r := &rules[i]
		if !reached || r.name == "route-check" && first(list).Status != validate.Passed {
			list = append(list, validate.Finding{Rule: r.name, Source: r.source, Status: validate.NotReached})
			continue
		}
		if explain := explained[r.name]; explain != nil && reached {
			list = append(list, p.guarded(r, explain)...)
			continue
		}
		list = append(list, p.finding(r))
	}
	return list
}

// finding judges by one rule; a panic in it is its failure.
func (p *pass) finding(r *rule) (f validate.Finding) {
	defer func() {
		if v := recover(); v != nil { // [PV-07]
			f = failed(r.name, refuse(validate.ErrInternal))
		}
		f.Source = r.source
	}()
	f = validate.Finding{Rule: r.name, Status: validate.Passed}
	if err := r.check(p); err != nil {
		f = failed(r.name, err)
		if fix := fixes[r.name]; fix != nil {
			f.Fix = cmp.Or(fix(p), f.Fix)
		}
	}
	if r.show != nil {
		f.Expected, f.Found = r.show(p)
		f.Expected, f.Found = printable.Text(f.Expected), printable.Text(f.Found)
	}
	return f
}

// guarded is a rule's own report; a panic in it is its failure.
func (p *pass) guarded(r *rule, explain func(*pass) []validate.Finding) (list []validate.Finding) {
	defer func() {
		if v := recover(); v != nil { // [PV-07]
			f := failed(r.name, refuse(validate.ErrInternal))
			f.Source = r.source
			list = []validate.Finding{f}
		}
	}()
	return explain(p)
}

// first returns the first failure, which decides, and a rule that passed if
// there is none.
func first(findings []validate.Finding) validate.Finding {
	for _, f := range findings {
		if f.Status == validate.Failed {
			return f
		}
	}
	for _, f := range findings {
		if f.Status != validate.Passed { // not reached, and nothing says why
			return failed(f.Rule, refuse(validate.ErrInternal))
		}
	}
	return validate.Finding{Status: validate.Passed}
}

func failed(rule string, err error) validate.Finding {
	f := validate.Finding{Rule: rule, Status: validate.Failed, Code: validate.CodeOf(err)}
	f.Fix = f.Code.Fix()
	if coded := (*validate.Error)(nil); errors.As(err, &coded) {
		f.Claim = coded.Claim
		if coded.Code == validate.ErrCheckRefused && coded.Err != nil { // the program's own words
			f.Found = printable.Text(coded.Err.Error())
		}
	}
	return f
}

func (g *Guard) report(c *compiled, findings []validate.Finding) Report {
	f := first(findings)
	if f.Status == validate.Passed {
		return Report{Allowed: true, Status: 200, Rules: findings}
	}
	if c != nil && c.reports(f.Code) {
		return Report{ReportOnly: true, Code: f.Code, Status: 200, Rules: findings}
	}
	return Report{Code: f.Code, Status: g.deny(denied{r: &Request{}, c: c, err: f.Code}).Status, Rules: findings}
}

// String prints the report as a table, one rule a line, and the fix of what
// failed.
func (r Report) String() string {
	var b strings.Builder
	marks := map[validate.Status]string{validate.Passed: "ok  ", validate.Failed: "FAIL", validate.NotReached: "-   "}
	for _, f := range r.Rules {
		fmt.Fprintf(&b, "%s  %s", marks[f.Status], f.Rule)
		pad := strings.Repeat(" ", max(15-len(f.Rule), 0))
		if f.Status == validate.NotReached {
			fmt.Fprintf(&b, "%s  not reached", pad)
		} else if f.Found != "" {
			fmt.Fprintf(&b, "%s  found %s", pad, f.Found)
			if f.Unverified {
				b.WriteString(" (unverified)")
			}
		}
		if f.Status == validate.Failed {
			if f.Expected != "" {
				if f.Found == "" {
					b.WriteString(pad)
				}
				fmt.Fprintf(&b, "  expected %s", f.Expected)
			}
			fmt.Fprintf(&b, "\n      %s", f.Code)
			if f.Claim != "" {
				fmt.Fprintf(&b, " (%s)", f.Claim)
			}
			fmt.Fprintf(&b, ", %s\n      fix: %s", f.Source, f.Fix)
		}
		b.WriteByte('\n')
	}
	switch {
	case r.Allowed:
		b.WriteString("allowed\n")
	case r.ReportOnly:
		fmt.Fprintf(&b, "refused: %s, but passed on without token and credentials (report only)\n", r.Code)
	default:
		fmt.Fprintf(&b, "refused: %s, answered %d\n", r.Code, r.Status)
	}
	return b.String()
}
