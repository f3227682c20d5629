package server

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/bearward/bearward/internal/server/config"
)

const (
	lookEvery = 5 * time.Second // into the files
	maxNamed  = 16 << 20        // bytes of a file that is named, which are compared
)

// follow reloads when it is asked to, and when a file has changed.
func (r *runner) follow(ctx context.Context) {
	for ctx.Err() == nil {
		var look <-chan time.Time
		if r.tick != nil {
			look = r.tick(lookEvery)
		}
		select {
		case <-ctx.Done():
		case <-r.hangup:
			r.reload(ctx)
		case <-look:
			if r.seen.settled() {
				r.reload(ctx)
			}
		}
	}
}

// reload puts the file in place of the one in use, or logs every fault: then the
// one in use stays.
func (r *runner) reload(ctx context.Context) {
	path := r.file.Path()
	next, err := r.reread(ctx, path)
	if err != nil {
		if r.metrics != nil {
			r.metrics.NotLoaded()
		}
		r.logger.Error("bearward: the configuration was not reloaded: the one before stays in use", "file", path)
		for _, fault := range faults(err) {
			r.logger.Error("bearward: fault in the configuration", "fault", fault)
		}
		return
	}
	old := r.current.Swap(newGeneration(next))
	if r.level != nil {
		_ = r.level.UnmarshalText([]byte(next.file.Log.Level)) // one of four words
	}
	if r.metrics != nil {
		r.metrics.Loaded(r.now(), true)
	}
	r.retired.Go(func() {
		if err := old.retire(); err != nil {
			r.logger.Warn("bearward: closing what was replaced", "error", err)
		}
	})
	select {
	case r.swapped <- struct{}{}:
	default: // it is known already
	}
	next.admitReportOnly()
	r.logger.Info("bearward: the configuration was reloaded", "file", path, "issuers", len(next.file.Issuers), "rules", len(next.file.Rules))
}

// reread makes a service of the file as it is now.
func (r *runner) reread(ctx context.Context, path string) (*Service, error) {
	r.seen.data = unreadable
	if err := regular(path); err != nil {
		return nil, err
	}
	data, err := config.Read(path)
	if err != nil {
		return nil, err
	}
	r.seen.data = sha256.Sum256(data)
	file, err := config.Parse(path, data)
	if err != nil {
		return nil, err
	}
	r.see(file)
	for _, named := range file.Files() {
		if err := regular(named); errors.Is(err, errIrregular) { // others are the builder's, with their place
			return nil, err
		}
	}
	return r.current.Load().next(ctx, file)
}

// see remembers what the files are like before they are used, so that whatever
// changes later is noticed.
func (r *runner) see(file *config.File) {
	r.seen = seen{path: file.Path(), data: file.Sum(), files: file.Files()}
	r.seen.named = contents(r.seen.files)
}

// seen is what the files were like when they were used last, successfully or not.
type seen struct {
	path  string
	data  [sha256.Size]byte
	files []string // that are named
	named [sha256.Size]byte

	looked [2][sha256.Size]byte // data and named at the last look
}

var unreadable [sha256.Size]byte

// settled reports that the files have changed, and not since the last look: a file
// that somebody is writing could be a sound one without its last rules. [PV-08]
func (s *seen) settled() bool {
	data := unreadable
	if regular(s.path) == nil {
		if content, err := config.Read(s.path); err == nil {
			data = sha256.Sum256(content)
		}
	}
	now, before := [2][sha256.Size]byte{data, contents(s.files)}, s.looked
	s.looked = now
	return now == before && now != [2][sha256.Size]byte{s.data, s.named}
}

// contents is a digest of the files.
func contents(files []string) (sum [sha256.Size]byte) {
	all := sha256.New()
	for _, name := range files {
		one := sha256.New()
		err := regular(name)
		if err == nil {
			err = copyInto(one, name)
		}
		fmt.Fprintf(all, "%q %t %x\n", name, err == nil, one.Sum(nil))
	}
	all.Sum(sum[:0])
	return sum
}

func copyInto(w io.Writer, name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	_, err = io.Copy(w, io.LimitReader(f, maxNamed))
	return err
}

var errIrregular = errors.New("it is no regular file, and cannot be read again")

// regular returns why a file cannot be read a second time: a pipe would keep us
// waiting.
func regular(name string) error {
	info, err := os.Stat(name)
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s: %w", name, errIrregular)
	}
	return err
}

// faults takes joined errors and lists of faults apart, for a line each.
func faults(err error) (lines []string) {
	switch e := err.(type) { //nolint:errorlint // they are taken apart here
	case *config.Faults:
		return e.Lines()
	case interface{ Unwrap() []error }:
		for _, one := range e.Unwrap() {
			lines = append(lines, faults(one)...)
		}
		return lines
	}
	return []string{err.Error()}
}
