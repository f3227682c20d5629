package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
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

	DPoP bool   `name:"dpop" help:"Bind it to a key, and print a curl command that uses it with a proof. Scope is orders:read unless given."`
	Key  string `placeholder:"FILE" help:"With --dpop: the client's private key, PKCS #8 in PEM; default the running demo's client's."`
	URL  string `name:"url" placeholder:"URL" help:"With --dpop: what the command asks for; default a route of the running demo."`
	Raw  bool   `help:"With --dpop: print the token alone."`

	Certificate string `placeholder:"FILE" help:"Bind it to the certificate in this PEM file (mTLS)."`

	List bool `help:"List the kinds of tokens and why a strict guard refuses them."`
}

// Run is bearward token.
func (c *tokenCmd) Run(std streams) error {
	if c.List {
		var rows [][3]string
		for _, v := range kinds() {
			rows = append(rows, [3]string{v.Name, v.Code, v.What})
		}
		return list(std.out, rows)
	}
	if !known(c.Kind) {
		return usage("no kind of token is named %q: see bearward token --list", c.Kind)
	}
	if !c.DPoP && (c.Key != "" || c.URL != "" || c.Raw) {
		return usage("--key, --url and --raw are about bound tokens: use them with --dpop")
	}
	state, err := demo.ReadState()
	if err != nil {
		return err
	}
	query, err := c.query()
	if err != nil {
		return err
	}
	token, err := state.Mint(context.Background(), query)
	if err != nil {
		return err
	}
	if c.DPoP && !c.Raw {
		token = c.command(token, cmp.Or(c.URL, state.HTTP+"/payments"))
	}
	_, err = fmt.Fprintln(std.out, token)
	return err
}

// query is what the token endpoint is asked for.
func (c *tokenCmd) query() (url.Values, error) {
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
	if c.DPoP {
		key, err := clientKey(c.Key)
		if err != nil {
			return nil, err
		}
		query.Set("jkt", key.Thumbprint())
		if len(c.Scope) == 0 {
			query.Set("scope", "orders:read") // so that the command works as it is
		}
	}
	if c.Certificate != "" {
		certificate, err := readCertificate(c.Certificate)
		if err != nil {
			return nil, err
		}
		query.Set("x5t", demo.Thumbprint(certificate))
	}
	return query, nil
}

// command uses the token. Each time it is executed it signs a proof of its own.
func (c *tokenCmd) command(token, target string) string {
	sign := self() + " proof"
	if c.Key != "" {
		sign += " --key " + demo.Quote(c.Key)
	}
	sign += " --url " + demo.Quote(target) + " --token " + demo.Quote(token)
	return fmt.Sprintf(`curl -i -H %s -H "DPoP: $(%s)" %s`, demo.Quote("Authorization: DPoP "+token), sign, demo.Quote(target))
}

func kinds() []issuer.Variant { return slices.Concat(issuer.Variants(), issuer.OpaqueVariants()) }

func known(kind string) bool {
	return slices.ContainsFunc(kinds(), func(v issuer.Variant) bool { return v.Name == kind })
}

// list prints kinds: name, why a guard refuses it, and what is different.
func list(out io.Writer, kinds [][3]string) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, k := range kinds {
		fmt.Fprintf(w, "%s\t%s\t%s\n", k[0], cmp.Or(k[1], "accepted"), k[2])
	}
	return w.Flush()
}
