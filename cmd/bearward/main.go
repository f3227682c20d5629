// Command bearward shows, serves and explains what the library does.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// Exit codes.
const (
	exitOK      = 0
	exitRefused = 1 // and every failure that is not the caller's
	exitUsage   = 2
)

type cli struct {
	Demo        demoCmd        `cmd:"" help:"Run an issuer and a protected API on loopback, with lines to try."`
	Serve       serveCmd       `cmd:"" help:"Protect an API as a reverse proxy in front of it."`
	Explain     explainCmd     `cmd:"" help:"Say what becomes of a token, rule by rule, and how to fix it."`
	CheckConfig checkConfigCmd `cmd:"" help:"Check a serve file without serving: every fault at once, or what it does."`
	Doctor      doctorCmd      `cmd:"" help:"Say what is wrong around an API: issuers, keys, clocks, credentials, proxies."`
	Revoke      revokeCmd      `cmd:"" help:"Refuse a token, or those of a user, session or client, from now on."`
	Token       tokenCmd       `cmd:"" help:"Get a token, right or wrong on purpose, from the running demo."`
	Proof       proofCmd       `cmd:"" help:"Sign a DPoP proof, right or wrong on purpose."`
	Call        callCmd        `cmd:"" help:"Call a gRPC method of the running demo."`
	Version     versionCmd     `cmd:"" help:"Print the version."`
}

// streams are what commands read and write.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

func main() {
	os.Exit(run(os.Args[1:], streams{os.Stdin, os.Stdout, os.Stderr}))
}

func run(args []string, std streams) int {
	selected, err := parse(args, std)
	if last := len(args) - 1; err != nil && last >= 0 && len(args[last]) >= shortestToken && args[last][0] == '-' {
		if again, err2 := parse(slices.Concat(args[:last], []string{"--", args[last]}), std); err2 == nil {
			selected, err = again, nil // a token, and no flag
		}
	}
	if err != nil {
		fmt.Fprintf(std.err, "bearward: %s\nSee %s --help\n", withoutSecrets(err.Error(), args), meant(err))
		return exitUsage
	}
	return exitCode(selected.Run(std), std)
}

// shortestToken is longer than any flag.
const shortestToken = 20

func parse(args []string, std streams) (*kong.Context, error) {
	parser, err := kong.New(new(cli), kong.Name("bearward"), kong.Writers(std.out, std.err),
		kong.WithHyphenPrefixedParameters(true), // a token may begin so, and - is standard input
		kong.Description("Keeper of bearer tokens: OAuth 2.0 access tokens checked in front of an API."),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}))
	if err != nil {
		return nil, err
	}
	return parser.Parse(args)
}

// meant is the command whose line could not be understood, as far as it got.
func meant(err error) string {
	var parsed *kong.ParseError
	if errors.As(err, &parsed) {
		if command := parsed.Context.Selected(); command != nil {
			return "bearward " + command.Name
		}
	}
	return "bearward"
}

// exitError ends the program with a code. Its text is printed unless empty.
type exitError struct {
	code int
	error
}

func (e exitError) Unwrap() error { return e.error }

func usage(format string, args ...any) error {
	return exitError{exitUsage, fmt.Errorf(format, args...)}
}

// errRefused is the answer no, which the command has printed already.
var errRefused = exitError{code: exitRefused}

func exitCode(err error, std streams) int {
	if err == nil {
		return exitOK
	}
	var known exitError
	if !errors.As(err, &known) {
		known = exitError{exitRefused, err}
	}
	if known.error != nil {
		fmt.Fprintf(std.err, "bearward: %v\n", known.error)
	}
	return known.code
}

// withoutSecrets shortens what a message repeats of the command line: a word
// in the wrong place may be a token or a proof, with its scheme or header name
// before it.
func withoutSecrets(message string, args []string) string {
	const longest = 24
	for _, arg := range args {
		if _, value, ok := strings.Cut(arg, "="); ok && strings.HasPrefix(arg, "-") {
			arg = value
		}
		for _, word := range append([]string{arg}, strings.FieldsFunc(arg, apart)...) {
			if len(word) > longest {
				message = strings.ReplaceAll(message, word, "…")
			}
		}
	}
	return message
}

// apart is what stands between words, and what quoting changes.
func apart(r rune) bool { return r <= ' ' || strings.ContainsRune("\"'\\,:;=", r) }
