// Command mutate disables each marked line of the code in turn, runs the tests
// and lists the lines whose loss no test notices. It exits with 1 if there is
// one, or if a marker sits on a line that cannot be disabled by itself.
//
//	go run ./internal/tools/mutate [-run REGEXP] [-rows TR-05,JO-01] [-parallel 2] [-v]
//
// The tree is never changed: the mutated file is an overlay of the go command.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/bearward/bearward/internal/tools/markers"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	ok, err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutate:", err)
		os.Exit(2)
	}
	if !ok {
		os.Exit(1)
	}
}

func run(ctx context.Context) (bool, error) {
	only := flag.String("run", "", "only markers whose FILE:DECLARATION matches")
	rows := flag.String("rows", "", "only markers of these rows, separated by commas")
	parallel := flag.Int("parallel", 2, "mutants tested at a time")
	verbose := flag.Bool("v", false, "print what noticed each mutant")
	flag.Parse()

	match, err := regexp.Compile(*only)
	if err != nil {
		return false, err
	}
	root, err := markers.Root()
	if err != nil {
		return false, err
	}
	found, err := markers.Scan(root)
	if err != nil {
		return false, err
	}
	var wanted []string
	if *rows != "" {
		wanted = strings.Split(*rows, ",")
	}
	var chosen []markers.Marker
	for _, m := range found {
		if m.Test || !match.MatchString(m.Place()) || !names(m.Rows, wanted) {
			continue
		}
		chosen = append(chosen, m)
	}
	start := time.Now()
	t, err := newTester(ctx, root, chosen)
	if err != nil {
		return false, err
	}
	results := t.all(ctx, chosen, *parallel, *verbose)
	return report(results, time.Since(start)), ctx.Err()
}

func names(have, wanted []string) bool {
	return len(wanted) == 0 || slices.ContainsFunc(have, func(row string) bool { return slices.Contains(wanted, row) })
}

// report prints the summary and reports whether every mutant was noticed.
func report(results []result, took time.Duration) bool {
	count := map[verdict]int{}
	for _, r := range results {
		count[r.verdict]++
	}
	fmt.Printf("%d marked lines in %s: %d noticed, %d survived, %d not applicable\n",
		len(results), took.Round(time.Second), count[noticed], count[survived], count[notApplicable])
	for _, r := range results {
		if r.verdict == survived {
			fmt.Printf("SURVIVED        %s\n", r)
		}
	}
	for _, r := range results {
		if r.verdict == notApplicable {
			fmt.Printf("NOT APPLICABLE  %s: %s\n", r, r.detail)
		}
	}
	return count[noticed] == len(results)
}
