package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"

	"github.com/bearward/bearward/internal/demo"
	"github.com/bearward/bearward/internal/server"
	"github.com/bearward/bearward/internal/server/route"
	"github.com/bearward/bearward/middleware"
	"github.com/bearward/bearward/validate"
)

type explainCmd struct {
	Config  string `placeholder:"FILE" help:"A serve file to judge by; default the running demo."`
	Request string `placeholder:"'GET /read'" help:"Judge by the rule for this request; default: any valid token passes. With a whole URL, as in 'GET https://api.example.com/read', Host is what it says."`
	JSON    bool   `name:"json" help:"Print the report as JSON."`

	Proof       string `placeholder:"PROOF|-" help:"The proof that came with the token, from the header DPoP, or - to read it from standard input. Judged for --request, or else for the request that it names itself, at public_url of the file or an address of the demo. It is not spent."`
	Certificate string `placeholder:"FILE" help:"PEM file with the client's certificate on the connection."`

	Token string `arg:"" help:"The token, alone or with its scheme before it, or - to read it from standard input."`
}

// Run is bearward explain.
func (c *explainCmd) Run(std streams) error {
	sent, err := c.presented(std.in)
	if err != nil {
		return err
	}
	asked, err := c.asked()
	if err != nil {
		return err
	}
	ctx := context.Background()
	by, err := c.judge(ctx)
	if err != nil {
		return err
	}
	report := c.report(ctx, by, by.request(asked, sent))
	if report.Code.Class() == validate.Unavailable {
		outage(std.err, by.guard)
	}
	if by.blind {
		fmt.Fprintln(std.err, "bearward: the list of revocations is in the memory of the server: this report does not know it")
	}
	if by.foreign && report.Code == validate.ErrNonceInvalid {
		fmt.Fprintln(std.err, "bearward: the keys of nonces are in the memory of the server: this report knows none of its nonces; nonce_keys_file would be read")
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

// judge is what decides.
type judge struct {
	guard *middleware.Guard
	match func(method, rawPath string) (middleware.Policy, route.Outcome)
	close func() error
	blind bool // a running server knows revocations that this does not

	origins  []string // where clients reach the API, with the prefix that something in front takes off
	believed bool     // Host counts
	foreign  bool     // a running server knows nonces that this does not
}

func (c *explainCmd) judge(ctx context.Context) (judge, error) {
	if c.Config == "" {
		state, err := demo.ReadState()
		if err != nil {
			return judge{}, usage("%w; or judge by a file with --config FILE", err)
		}
		guard, err := state.Guard(ctx)
		return judge{
			guard: guard, match: demo.Policy, close: guard.Close, believed: true,
			origins: []string{state.HTTP, state.Gin, state.TLS, "https://" + state.GRPC},
		}, err
	}
	file, err := load(c.Config)
	if err != nil {
		return judge{}, err
	}
	service, err := server.New(ctx, file, slog.New(slog.DiscardHandler))
	if err != nil {
		return judge{}, faulty(err)
	}
	by := judge{
		guard: service.Guard, match: service.Match, close: service.Close,
		blind:   file.Revocation != nil && file.Revocation.List == "memory",
		foreign: file.DPoP != nil && file.DPoP.NonceKeysFile == "",
	}
	by.at(file)
	return by, nil
}

func (c *explainCmd) report(ctx context.Context, by judge, r middleware.Request) middleware.Report {
	guard := by.guard
	if c.Request == "" {
		return guard.Explain(ctx, r, middleware.Policy{})
	}
	return server.Explain(ctx, guard, by.match, r)
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
