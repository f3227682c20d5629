package main

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/bearward/bearward/internal/demo"
	"github.com/bearward/bearward/internal/issuer"
)

type tokenCmd struct {
	Kind  string   `default:"valid" help:"What is right or wrong about it; see --list."`
	Scope []string `help:"Scopes, for example orders:read."`
	Sub   string   `help:"Subject; default user-1."`
	Aud   []string `help:"Audiences; default the API of the demo."`

	Client string   `help:"Client id; default client-1."`
	Role   []string `help:"Roles, for example admin."`

	List bool `help:"List the kinds of tokens and why a strict guard refuses them."`
}

// Run is bearward token.
func (c *tokenCmd) Run(std streams) error {
	if c.List {
		return list(std)
	}
	if !known(c.Kind) {
		return usage("no kind of token is named %q: see bearward token --list", c.Kind)
	}
	state, err := demo.ReadState()
	if err != nil {
		return err
	}
	query := url.Values{"kind": {c.Kind}}
	if len(c.Scope) > 0 {
		query.Set("scope", strings.Join(c.Scope, " "))
	}
	if len(c.Role) > 0 {
		query.Set("roles", strings.Join(c.Role, " "))
	}
	if c.Sub != "" {
		query.Set("sub", c.Sub)
	}
	if c.Client != "" {
		query.Set("client_id", c.Client)
	}
	if len(c.Aud) > 0 {
		query["aud"] = c.Aud
	}
	token, err := state.Mint(context.Background(), query)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(std.out, token)
	return err
}

func kinds() []issuer.Variant { return slices.Concat(issuer.Variants(), issuer.OpaqueVariants()) }

func known(kind string) bool {
	return slices.ContainsFunc(kinds(), func(v issuer.Variant) bool { return v.Name == kind })
}

func list(std streams) error {
	w := tabwriter.NewWriter(std.out, 0, 0, 2, ' ', 0)
	for _, v := range kinds() {
		reason := v.Code
		if reason == "" {
			reason = "accepted"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", v.Name, reason, v.What)
	}
	return w.Flush()
}
