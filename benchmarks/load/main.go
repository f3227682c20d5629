package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"time"

	"github.com/bearward/bearward/benchmarks/machine"
)

// options are the flags.
type options struct {
	rounds, connections, tokens, clients, proofs int
	time, limit                                  time.Duration
	algorithm, out                               string
	rivals                                       []variant
}

func parse(args []string) (o options, err error) {
	f := flag.NewFlagSet("load", flag.ContinueOnError)
	f.IntVar(&o.rounds, "rounds", 6, "how often everything is measured")
	f.DurationVar(&o.time, "time", 4*time.Second, "how long one measurement takes")
	f.DurationVar(&o.limit, "limit", 40*time.Minute, "how long all of it takes at most")
	f.IntVar(&o.connections, "connections", 64, "keep-alive connections")
	f.IntVar(&o.tokens, "tokens", 100_000, "tokens in rotation")
	f.IntVar(&o.clients, "clients", 100, "keys of DPoP clients, each with a token of its own")
	f.IntVar(&o.proofs, "proofs", 30_000, "DPoP proofs of one measurement")
	f.StringVar(&o.algorithm, "alg", "RS256", "signature `algorithm` of the tokens")
	f.StringVar(&o.out, "out", "benchmarks/load/RESULTS.md", "`file` for the results; empty: none")
	f.Func("rival", "`NAME=BINARY`: measure this variant too, of another server made with package stand; repeatable", func(s string) error {
		name, binary, ok := strings.Cut(s, "=")
		if !ok || name == "" || binary == "" {
			return errors.New("want NAME=BINARY")
		}
		o.rivals = append(o.rivals, variant{name, binary})
		return nil
	})
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if f.NArg() > 0 || min(o.rounds, o.connections, o.tokens, o.clients, o.proofs) < 1 || min(o.time, o.limit) <= 0 {
		return o, errors.New("arguments are not taken, and every number is above zero")
	}
	return o, nil
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	o, err := parse(args)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, o.limit)
	defer cancel()
	m := machine.This(ctx)
	r, err := measure(ctx, o)
	if err != nil {
		return cmp.Or(ctx.Err(), err)
	}
	var text bytes.Buffer
	command := "go run ./benchmarks/load"
	for _, arg := range args {
		command += " " + cmp.Or(arg, `""`)
	}
	r.write(&text, m, command)
	fmt.Print(text.String())
	if o.out == "" {
		return nil
	}
	return os.WriteFile(o.out, text.Bytes(), 0o644)
}
