package main

import (
	"context"
	"fmt"
	"net/url"
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
	List  bool     `help:"List the kinds of tokens and why a strict guard refuses them."`
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
	if c.Sub != "" {
		query.Set("sub", c.Sub)
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

func known(kind string) bool {
	for _, v := range issuer.Variants() {
		if v.Name == kind {
			return true
		}
	}
	return false
}

func list(std streams) error {
	w := tabwriter.NewWriter(std.out, 0, 0, 2, ' ', 0)
	for _, v := range issuer.Variants() {
		reason := v.Code
		if reason == "" {
			reason = "accepted"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", v.Name, reason, v.What)
	}
	return w.Flush()
}
