package middleware

import (
	"context"
	"slices"

	"github.com/bearward/bearward/validate"
)

// reports tells whether a refusal is only reported. What is broken on our side
// is refused all the same, and so is what no policy covers.
func (c *compiled) reports(code validate.Code) bool {
	return (c.policy.ReportOnly || c.guard.config.ReportOnly) && code.Class() != validate.Internal
}

// disregard makes the request one without credentials: nothing that was refused
// reaches anybody who could take it for accepted. It returns the context to go
// on with, in which no token is seen.
func (p *pass) disregard(err error) context.Context {
	p.token, p.response = nil, nil
	p.remove = append(slices.Clip(p.remove), "Authorization", "Dpop")
	if name := p.guard.config.ClientCertHeader.Name; name != "" && !slices.Contains(p.remove, name) {
		p.remove = append(p.remove, name)
	}
	if validate.CodeOf(err).Class() == validate.UseNonce && p.guard.config.DPoP != nil { // or nobody would ever have one [DP-25]
		p.handOut()
	}
	if _, seen := FromContext(p.ctx); !seen {
		return p.ctx
	}
	return &carried{Context: p.ctx}
}
