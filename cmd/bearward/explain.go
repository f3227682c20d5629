package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"

	"github.com/bearward/bearward/internal/demo"
	"github.com/bearward/bearward/internal/server"
	"github.com/bearward/bearward/internal/server/route"
	"github.com/bearward/bearward/middleware"
	"github.com/bearward/bearward/validate"
)

type explainCmd struct {
	Config  string `placeholder:"FILE" help:"A serve file to judge by; default the running demo."`
	Request string `placeholder:"'GET /read'" help:"Judge by the rule for this request; default: any valid token passes."`
	JSON    bool   `name:"json" help:"Print the report as JSON."`
	Token   string `arg:"" help:"The token, or - to read it from standard input."`
}

// Run is bearward explain.
func (c *explainCmd) Run(std streams) error {
	token, err := c.token(std.in)
	if err != nil {
		return err
	}
	request, err := c.request(token)
	if err != nil {
		return err
	}
	ctx := context.Background()
	by, err := c.judge(ctx)
	if err != nil {
		return err
	}
	report := c.report(ctx, by, request)
	if report.Code.Class() == validate.Unavailable {
		outage(std.err, by.guard)
	}
	if by.blind {
		fmt.Fprintln(std.err, "bearward: the list of revocations is in the memory of the server: this report does not know it")
	}
	if err := by.close(); err != nil {
		return err
	}
	if err := c.print(std.out, report); err != nil {
		return err
	}
	if !report.Allowed {
		return errRefused
	}
	return nil
}

// outage says what kept an issuer's keys or answers away: the report is about
// the token.
func outage(to io.Writer, guard *middleware.Guard) {
	for _, h := range guard.Health() {
		if h.LastError != "" {
			fmt.Fprintf(to, "bearward: keys of %s: %s\n", h.Name, h.LastError)
		}
		if asked := h.Introspection; asked != nil && asked.LastError != "" {
			fmt.Fprintf(to, "bearward: introspection at %s: %s\n", h.Name, asked.LastError)
		}
	}
}

const maxInput = 1 << 20

func (c *explainCmd) token(in io.Reader) (string, error) {
	token := c.Token
	if token == "-" {
		text, err := io.ReadAll(io.LimitReader(in, maxInput))
		if err != nil {
			return "", err
		}
		token = string(text)
	}
	token = strings.TrimSpace(token)
	if scheme, rest, ok := strings.Cut(token, " "); ok && strings.EqualFold(scheme, "Bearer") { // copied with its scheme
		token = strings.TrimSpace(rest)
	}
	if token == "" {
		return "", usage("the token is empty")
	}
	return token, nil
}

// request is one that carries the token.
func (c *explainCmd) request(token string) (middleware.Request, error) {
	r := middleware.Request{
		Method: http.MethodGet, Scheme: "https", RawPath: "/",
		Header: http.Header{"Authorization": {"Bearer " + token}},
	}
	if c.Request == "" {
		return r, nil
	}
	method, target, ok := strings.Cut(c.Request, " ")
	if !ok || method == "" || !strings.HasPrefix(target, "/") || strings.ContainsAny(target, " \t\r\n") {
		return r, usage("--request is a method and a path, like 'GET /read'")
	}
	r.Method = method
	r.RawPath, r.RawQuery, _ = strings.Cut(target, "?")
	return r, nil
}

// judge is what decides.
type judge struct {
	guard *middleware.Guard
	match func(method, rawPath string) (middleware.Policy, route.Outcome)
	close func() error
	blind bool // a running server knows revocations that this does not
}

func (c *explainCmd) judge(ctx context.Context) (judge, error) {
	if c.Config == "" {
		state, err := demo.ReadState()
		if err != nil {
			return judge{}, usage("%w; or judge by a file with --config FILE", err)
		}
		guard, err := state.Guard(ctx)
		return judge{guard: guard, match: demo.Policy, close: guard.Close}, err
	}
	file, err := load(c.Config)
	if err != nil {
		return judge{}, err
	}
	service, err := server.New(ctx, file, slog.New(slog.DiscardHandler))
	if err != nil {
		return judge{}, faulty(err)
	}
	blind := file.Revocation != nil && file.Revocation.List == "memory"
	return judge{service.Guard, service.Match, service.Close, blind}, nil
}

func (c *explainCmd) report(ctx context.Context, by judge, r middleware.Request) middleware.Report {
	guard := by.guard
	if c.Request == "" {
		return guard.Explain(ctx, r, middleware.Policy{})
	}
	policy, outcome := by.match(r.Method, r.RawPath)
	switch outcome {
	case route.Matched:
		report := guard.Explain(ctx, r, policy)
		report.Rules = slices.Insert(report.Rules, 0, validate.Finding{
			Rule: "route", Status: validate.Passed, Source: "project", Found: policy.Route,
		})
		return report
	case route.Ambiguous:
		return unrouted(guard.Deny(ctx, r, validate.ErrTargetMalformed))
	}
	return unrouted(guard.Deny(ctx, r, validate.ErrRouteDenied))
}

// unrouted is the report about a request for which no rule decides: no token
// is read.
func unrouted(d middleware.Decision) middleware.Report {
	code := d.Denial.Code
	return middleware.Report{Code: code, Status: d.Denial.Status, Rules: []validate.Finding{{
		Rule: "route", Status: validate.Failed, Code: code, Source: "project", Fix: code.Fix(),
	}}}
}

func (c *explainCmd) print(out io.Writer, report middleware.Report) error {
	if !c.JSON {
		_, err := fmt.Fprint(out, report)
		return err
	}
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(report)
}
