package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/bearward/bearward/benchmarks/rounds"
)

// effort is how much is run.
type effort struct {
	plan  rounds.Plan
	crowd crowd
}

var (
	full = effort{
		plan:  rounds.Plan{Rounds: 9, Slice: 80 * time.Millisecond},
		crowd: crowd{callers: 1000, followers: 200, turns: 100, tries: 5, grace: 200 * time.Millisecond},
	}
	short = effort{
		plan:  rounds.Plan{Rounds: 1, Slice: time.Millisecond},
		crowd: crowd{callers: 50, followers: 10, turns: 5, tries: 1, grace: 20 * time.Millisecond},
	}
)

func main() {
	brief := flag.Bool("short", false, "run everything a few times only, to see that it works")
	flag.Parse()
	e := full
	if *brief {
		e = short
	}
	slog.SetDefault(slog.New(slog.DiscardHandler)) // some libraries report on it what is counted here
	out := bufio.NewWriter(os.Stdout)
	err := report(context.Background(), out, e, *brief)
	if err == nil {
		err = out.Flush()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "compare:", err)
		os.Exit(1)
	}
}
