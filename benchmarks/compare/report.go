package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
)

const preface = `# Beside other libraries

What [doc.go](doc.go) describes, in one run of ` + "`go run .`" + ` in this directory: figures
move from machine to machine, ratios move less.

`

// report checks, measures and prints everything.
func report(ctx context.Context, w io.Writer, e effort, brief bool) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	before := load()
	fmt.Fprint(w, preface)
	if brief {
		fmt.Fprint(w, "**Run with -short: the figures mean nothing.**\n\n")
	}
	fmt.Fprintf(w, "%s.\n\n", machine(ctx))
	versions().print(w)
	for _, part := range []func(context.Context, io.Writer, effort) error{checked, cost, crowded} {
		if err := part(ctx, w, e); err != nil {
			return err
		}
	}
	fmt.Fprintf(w, "Load average of the machine: %s before, %s at the end, of which this run is about 1.\n", before, load())
	return nil
}

func checked(ctx context.Context, w io.Writer, _ effort) error {
	fmt.Fprint(w, "## What is checked\n\n"+
		"Every library accepts the good tokens of all three algorithms. This is what each refuses, set up\n"+
		"as it is measured below, of tokens with one fault. What takes a line is done here where a library leaves\n"+
		"it to its user: aud, as one value of the list, with kataras/jwt and zitadel/oidc.\n\n")
	var all table
	for _, algorithm := range algorithms {
		s, err := newScene(ctx, algorithm)
		if err != nil {
			return err
		}
		t, err := checks(ctx, s)
		if err != nil {
			return err
		}
		if err := all.merge(t, algorithm); err != nil {
			return err
		}
	}
	all.print(w)
	return nil
}

func cost(ctx context.Context, w io.Writer, e effort) error {
	var whole table
	var size int
	var less []string
	for _, algorithm := range algorithms {
		s, err := newScene(ctx, algorithm)
		if err != nil {
			return err
		}
		sides, err := uncached(ctx, s)
		if err != nil {
			return err
		}
		results := costs(e.plan, sides)
		whole.add(algorithm+": ", sides, results)
		less = append(less, ahead(sides, results)...)
		if algorithm == "RS256" {
			size = len(s.good)
		}
	}
	fmt.Fprintf(w, "## Validation of a token\n\n"+
		"The RS256 token has %d bytes. CPU time per token, ratio to the floor, allocations.\n\n", size)
	whole.print(w)
	sayAhead(w, less)
	s, err := newScene(ctx, "RS256")
	if err != nil {
		return err
	}
	for _, part := range []struct {
		text  string
		sides func(context.Context, *scene) ([]side, error)
	}{
		{"## A repeated token, in a cache of tokens\n\n" +
			"For five minutes. bearward judges time and the signing key again each time.\n\n", lookups},
		{"## A repeated token, through net/http\n\n" +
			"The middleware with a handler that does nothing, without a socket. bearward and Kubernetes have a\n" +
			"cache of tokens; Kubernetes' authenticator stands before a handler of four lines.\n\n", requests},
	} {
		sides, err := part.sides(ctx, s)
		if err != nil {
			return err
		}
		results := costs(e.plan, sides)
		var t table
		t.add("", sides, results)
		fmt.Fprint(w, part.text)
		t.print(w)
		sayAhead(w, ahead(sides, results))
	}
	return nil
}

func sayAhead(w io.Writer, names []string) {
	if len(names) > 0 {
		slices.Sort(names)
		fmt.Fprintf(w, "Ahead of bearward: %s.\n\n", strings.Join(slices.Compact(names), "; "))
	}
}

func crowded(ctx context.Context, w io.Writer, e effort) error {
	t, err := stampede(ctx, e.crowd)
	if err != nil {
		return err
	}
	c := e.crowd
	fmt.Fprintf(w, "## Calls to the issuer\n\n"+
		"Calls to the key set's endpoint, all settings at their defaults: for %d concurrent first requests, a\n"+
		"constructor's calls included; for %d concurrent requests with one unknown kid; for %d unknown kids in\n"+
		"turn; for %d bad signatures with a known kid in turn. Then whether the first token with a new key is\n"+
		"accepted, before and after %d unknown kids. At last, how many of %d followers fail when the caller\n"+
		"whose request began the fetch goes away. The issuer is slow where callers come at once. %d tries each;\n"+
		"n/a: its user brings the keys, or the constructor fetches them before there are callers.\n\n",
		c.callers, c.callers, c.turns, c.turns, c.turns, c.followers, c.tries)
	t.print(w)
	fmt.Fprint(w, "Where the answer is no, a new key is accepted later: after bearward's cooldown (30 s by default), at\n"+
		"keyfunc's next refresh for an unknown kid (5 minutes), at the next refresh of the set (jwx) or after the\n"+
		"lifetime given to the cached set (auth0).\n\n")
	return nil
}
