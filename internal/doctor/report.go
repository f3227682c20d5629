package doctor

import (
	"fmt"
	"strings"
)

// Report is all that was found.
type Report struct {
	Errors   int       `json:"errors"`
	Warnings int       `json:"warnings"`
	Findings []Finding `json:"findings"`
}

func newReport(findings []Finding) Report {
	r := Report{Findings: findings}
	for _, f := range findings {
		switch f.Severity {
		case Error:
			r.Errors++
		case Warning:
			r.Warnings++
		case OK, Info:
		}
	}
	return r
}

// String is the report for people.
func (r Report) String() string {
	var b strings.Builder
	for _, f := range r.Findings {
		about := f.About
		if about != "" {
			about += ": "
		}
		fmt.Fprintf(&b, "%-8s %s%s (%s)\n", f.Severity, about, f.Found, f.Name)
		if f.Fix != "" {
			fmt.Fprintf(&b, "         fix: %s\n", f.Fix)
		}
	}
	fmt.Fprintf(&b, "%s, %s\n", count(r.Errors, "error"), count(r.Warnings, "warning"))
	return b.String()
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
