// Package doctor looks at everything around an API that its tokens depend on:
// issuers, keys, clocks, credentials, Redis, files and the proxy in front, with
// the configuration of the server itself, and says how to fix what it finds.
//
// Its calls obey the rules of egress of the server, end in time whatever the other
// side does, and change nothing there. No finding shows a secret.
package doctor

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/bearward/bearward/internal/server"
	"github.com/bearward/bearward/internal/server/config"
)

// DefaultTimeout bounds a whole examination.
const DefaultTimeout = 10 * time.Second

// callTimeout bounds one call.
const callTimeout = 3 * time.Second

// atOnce is how many issuers are looked at in parallel.
const atOnce = 8

// Options say what is looked at, and how.
type Options struct {
	Via     string           // URL of the API as its clients reach it; "": nothing in front is looked at
	ViaCA   string           // PEM file of the authorities that are trusted for Via, in place of the system's
	ViaAt   string           // HOST:PORT that is connected to in place of those of Via; "": those are
	Timeout time.Duration    // of everything; 0: DefaultTimeout
	Now     func() time.Time // nil: time.Now
}

var (
	faulty   = define("file_fault", Error, "FILE:LINE:COLUMN: what is wrong there", "correct this place of the file: bearward serve does not start with it")
	notAsked = define("file_first", Info, "nothing else was looked at", "run doctor again once the file has no faults")
	crashed  = define("doctor_defect", Error, "a check of doctor ended early", "report it; all other findings hold")
)

// chart is what every check looks at. It is not written.
type chart struct {
	Options
	file    *config.File
	service *server.Service
	secrets []string // further texts that no finding shows
}

// exam collects what one group of checks finds.
type exam struct {
	*chart
	about    string
	findings []Finding
}

func (e *exam) say(k *Kind, words ...string) {
	e.findings = append(e.findings, k.finding(e.conceal(e.about), e.concealed(words)...))
}

// checks are about the whole file; an issuer has its own.
var checks = []func(context.Context, *exam){files, listener, proofs, upstream, shared, via}

// Run looks at everything. It returns when ctx ends, at the latest, with what was
// found until then.
func Run(ctx context.Context, file *config.File, options Options) Report {
	if options.Timeout == 0 {
		options.Timeout = DefaultTimeout
	}
	if options.Now == nil {
		options.Now = time.Now
	}
	ctx, cancel := context.WithTimeout(ctx, options.Timeout)
	defer cancel()
	service, err := server.New(ctx, file, slog.New(slog.DiscardHandler))
	if err != nil {
		return Faults(err)
	}
	defer func() { _ = service.Close() }()
	c := &chart{Options: options, file: file, service: service, secrets: secretsOf(file)}
	groups := make([]*exam, 0, len(file.Issuers)+len(checks))
	var running sync.WaitGroup
	places := make(chan struct{}, atOnce)
	start := func(run func(context.Context, *exam), about string) {
		e := &exam{chart: c, about: about}
		groups = append(groups, e)
		running.Go(func() {
			places <- struct{}{}
			defer func() { <-places }()
			e.guarded(ctx, run)
		})
	}
	for n := range file.Issuers {
		start(func(ctx context.Context, e *exam) { visitIssuer(ctx, e, n) }, nameOf(&file.Issuers[n]))
	}
	for _, check := range checks {
		start(check, "")
	}
	running.Wait()
	var all []Finding
	for _, e := range groups {
		all = append(all, e.findings...)
	}
	return newReport(slices.Compact(all))
}

// guarded makes a panic a finding: whatever arrives from outside, the others are
// shown.
func (e *exam) guarded(ctx context.Context, run func(context.Context, *exam)) {
	defer func() {
		if recover() != nil {
			e.say(crashed)
		}
	}()
	run(ctx, e)
}

// Faults is the report on a file that cannot be used.
func Faults(err error) Report {
	lines := []string{err.Error()}
	var faults *config.Faults
	if errors.As(err, &faults) {
		lines = strings.Split(err.Error(), "\n")
	}
	var list []Finding
	for _, line := range lines {
		f := faulty.finding("")
		f.Found = line // of any length
		list = append(list, f)
	}
	return newReport(append(list, notAsked.finding("")))
}
