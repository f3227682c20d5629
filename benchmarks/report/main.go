// Command report runs the benchmarks beside it and prints a table: what each row
// costs, its floor, the ratio of the two and whether it holds its target. It
// writes the table to benchmarks/RESULTS.md, unless it is a short run.
//
//	go run ./benchmarks/report
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"

	"github.com/bearward/bearward/benchmarks/machine"
)

// quick are the rows that a short run has.
const quick = "^Benchmark(Validate|Cached|Refusal|MTLS)$|^BenchmarkDPoP$/^(ES256|Ed25519)$/^known$"

type options struct {
	short      bool
	bench, out string
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "report:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	var o options
	f := flag.NewFlagSet("report", flag.ContinueOnError)
	f.BoolVar(&o.short, "short", false, "few rows and short rounds; writes no file")
	f.StringVar(&o.bench, "bench", ".", "`pattern` of the rows, as of go test; anything but . writes no file")
	f.StringVar(&o.out, "out", "benchmarks/RESULTS.md", "`file` for the results")
	if err := f.Parse(args); err != nil {
		return err
	}
	m := machine.This(ctx)
	command := o.command()
	text, err := o.measure(ctx, command)
	if err != nil {
		return err
	}
	rows := parse(text)
	if len(rows) == 0 {
		return errors.New("no row was measured")
	}
	var table bytes.Buffer
	o.write(ctx, &table, m, command, rows)
	fmt.Print(table.String())
	if o.short || o.bench != "." {
		return nil
	}
	return os.WriteFile(o.out, table.Bytes(), 0o644)
}

// command is the run of go test.
func (o *options) command() []string {
	bench, how := o.bench, []string{"-args", "-rounds=9", "-slice=40ms"}
	if o.short {
		bench, how = quick, []string{"-short", "-args", "-rounds=7", "-slice=15ms"}
	}
	return append([]string{"go", "test", "-run=^$", "-bench=" + bench, "-benchtime=1x", "-timeout=30m", "./benchmarks"}, how...)
}

// measure shows the rows as they come, if that takes long.
func (o *options) measure(ctx context.Context, command []string) (string, error) {
	var text bytes.Buffer
	run := exec.CommandContext(ctx, command[0], command[1:]...)
	run.Stdout, run.Stderr = io.MultiWriter(&text, os.Stderr), os.Stderr
	if o.short {
		run.Stdout = &text
	}
	if err := run.Run(); err != nil {
		return "", fmt.Errorf("go test: %w\n%s", err, text.String())
	}
	return text.String(), nil
}

// versions are those of the libraries that the rows go through.
func versions(ctx context.Context) string {
	const format = "{{.Path}} {{.Version}}"
	text, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", format,
		"github.com/go-json-experiment/json", "github.com/lestrrat-go/jwx/v2", "github.com/dgraph-io/ristretto/v2",
		"github.com/gin-gonic/gin", "google.golang.org/grpc", "github.com/redis/go-redis/v9").Output()
	if err != nil {
		return "unknown versions of libraries"
	}
	return strings.Join(strings.Split(strings.TrimSpace(string(text)), "\n"), ", ")
}
