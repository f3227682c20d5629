package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"slices"

	"github.com/bearward/bearward/internal/prove"
)

type proofCmd struct {
	URL    string `name:"url" xor:"what" required:"" placeholder:"URL" help:"Sign a proof for this URL, as the client calls it, and print it: the value of the header DPoP."`
	NewKey string `name:"new-key" xor:"what" required:"" placeholder:"FILE" help:"Make a key, write it into a new file that only you can read, and print its thumbprint, which tokens have in cnf.jkt."`
	List   bool   `xor:"what" required:"" help:"List the kinds of proofs and why a strict guard refuses them."`

	Method string `default:"GET" help:"Of the request, in capitals; gRPC is POST."`
	Token  string `placeholder:"TOKEN|-" help:"The access token that is sent with the proof, or - to read it from standard input. Without it, the proof is one for a token endpoint."`
	Nonce  string `help:"What the server sent in its header DPoP-Nonce."`
	Kind   string `default:"valid" help:"What is right or wrong about it; see --list. A kind may have several values, one a line, or none."`
	Key    string `placeholder:"FILE" help:"The client's private key, PKCS #8 in PEM; default the running demo's client's."`

	Alg string `help:"With --new-key: ES256, ES384, ES512, PS256 or Ed25519; default ES256."`
}

// Run is bearward proof.
func (c *proofCmd) Run(std streams) error {
	switch {
	case c.Alg != "" && c.NewKey == "":
		return usage("--alg is that of a new key: use it with --new-key")
	case c.URL == "" && (c.Token != "" || c.Nonce != "" || c.Key != "" || c.Kind != "valid" || c.Method != "GET"):
		return usage("--method, --token, --nonce, --kind and --key are about a proof: use them with --url")
	case c.List:
		var rows [][3]string
		for _, v := range prove.Variants() {
			rows = append(rows, [3]string{v.Name, v.Code, v.What})
		}
		return list(std.out, rows)
	case c.NewKey != "":
		return c.create(std)
	}
	values, err := c.sign(std)
	if err != nil {
		return err
	}
	for _, v := range values {
		if _, err := fmt.Fprintln(std.out, v); err != nil {
			return err
		}
	}
	return nil
}

// sign returns the values of the header.
func (c *proofCmd) sign(std streams) ([]string, error) {
	if u, err := url.Parse(c.URL); err != nil || u.Host == "" || u.Scheme == "" {
		return nil, usage("--url is a whole one, like https://api.example.com/orders")
	}
	if !slices.ContainsFunc(prove.Variants(), func(v prove.Variant) bool { return v.Name == c.Kind }) {
		return nil, usage("no kind of proof has this name: see bearward proof --list")
	}
	given, err := text(c.Token, std.in)
	if err != nil {
		return nil, err
	}
	_, token := schemed(given)
	if token == "" && c.Token != "" {
		return nil, usage("the token is empty")
	}
	if token == "" && c.Kind != "valid" {
		return nil, usage("--kind %s needs --token: it is about proofs for an API", c.Kind)
	}
	key, err := clientKey(c.Key)
	if err != nil {
		return nil, err
	}
	claims := prove.Claims{Method: c.Method, URL: c.URL, Token: token, Nonce: c.Nonce}
	if c.Kind != "valid" {
		return key.Wrong(c.Kind, claims)
	}
	proof, err := key.Sign(claims)
	return []string{proof}, err
}

// algorithms are those that a key in a file says by itself.
var algorithms = []string{"", "ES256", "ES384", "ES512", "PS256", "Ed25519"}

// create never overwrites: a key that is gone takes its tokens with it.
func (c *proofCmd) create(std streams) error {
	if !slices.Contains(algorithms, c.Alg) {
		return usage("--alg is one of ES256, ES384, ES512, PS256 and Ed25519")
	}
	key, err := prove.NewKey(c.Alg)
	if err != nil {
		return err
	}
	text, err := key.PEM()
	if err != nil {
		return err
	}
	f, err := os.OpenFile(c.NewKey, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return usage("%s is there already, and is not overwritten", c.NewKey)
	}
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err := errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(c.NewKey))
	}
	_, err = fmt.Fprintln(std.out, key.Thumbprint())
	return err
}
