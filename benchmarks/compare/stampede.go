package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// crowd is how many want something at once, or in turn.
type crowd struct {
	callers, followers, turns, tries int
	grace                            time.Duration // for callers to get where they wait
}

// outcome is what happened on one stage.
type outcome struct {
	calls  int // to the key set's endpoint
	failed int // callers
	yes    bool
}

// act is a column of the table.
type act struct {
	title string
	cold  bool // the issuer is slow from the beginning
	play  func(context.Context, crowd, *stage) (outcome, error)
	show  func([]outcome) string
}

var acts = []act{
	{"calls for a cold start", true, coldStart, showAccepted},
	{"for one unknown kid", false, unknownKid, showCalls},
	{"for unknown kids in turn", false, unknownKids, showCalls},
	{"for bad signatures in turn", false, badSignatures, showCalls},
	{"rotated key accepted at first sight", false, rotated, showYes},
	{"the same after unknown kids", false, rotatedAfterJunk, showYes},
	{"followers that fail", true, orphans, showFailed},
}

// stampede plays every act with every library that fetches keys, each try on a
// stage of its own.
func stampede(ctx context.Context, c crowd) (table, error) {
	t := table{head: []string{"Library"}}
	for _, a := range acts {
		t.head = append(t.head, a.title)
	}
	for _, l := range libraries {
		if l.verify == nil && l.keys != given {
			continue // the same library has another row
		}
		row := []string{l.name}
		for _, a := range acts {
			cell := "n/a"
			if l.keys != given {
				outcomes, err := tries(ctx, c, l, a)
				if err != nil {
					return t, fmt.Errorf("%s, %s: %w", l.name, a.title, err)
				}
				cell = a.show(outcomes)
			}
			row = append(row, cell)
		}
		t.rows = append(t.rows, row)
	}
	return t, nil
}

func tries(ctx context.Context, c crowd, l library, a act) ([]outcome, error) {
	outcomes := make([]outcome, c.tries)
	for i := range outcomes {
		o, err := once(ctx, c, l, a)
		if err != nil {
			return nil, err
		}
		outcomes[i] = o
	}
	return outcomes, nil
}

func once(ctx context.Context, c crowd, l library, a act) (outcome, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s, err := newStage(ctx, l, a.cold && l.keys == onDemand)
	if err != nil {
		return outcome{}, err
	}
	return a.play(ctx, c, s)
}

func showCalls(o []outcome) string {
	return span(o, func(o outcome) int { return o.calls })
}

func showAccepted(o []outcome) string {
	calls := showCalls(o)
	if failed := showFailed(o); failed != "0" {
		return calls + " (" + failed + " refused)"
	}
	return calls
}

func showFailed(o []outcome) string {
	if o[0].failed < 0 {
		return "n/a"
	}
	return span(o, func(o outcome) int { return o.failed })
}

func showYes(o []outcome) string {
	if o[0].yes {
		return "yes"
	}
	return "no"
}

// span is the least and the most.
func span(o []outcome, of func(outcome) int) string {
	v := make([]int, len(o))
	for i := range o {
		v[i] = of(o[i])
	}
	least, most := slices.Min(v), slices.Max(v)
	if least == most {
		return strconv.Itoa(least)
	}
	return fmt.Sprintf("%d-%d", least, most)
}
