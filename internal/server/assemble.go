package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/bearward/bearward"
	"github.com/bearward/bearward/adapters/redisstore"
	"github.com/bearward/bearward/internal/server/config"
	"github.com/bearward/bearward/internal/server/route"
	"github.com/bearward/bearward/middleware"
)

// Service is a file put to use. It makes no call and listens nowhere; Close it.
// Nothing of it changes: a reload makes another one.
type Service struct {
	Guard *middleware.Guard

	kept

	file        *config.File
	logger      *slog.Logger
	table       *route.Table
	policies    []middleware.Policy // of the rules, and then of the document's operations
	denied      []bool              // which of them let nobody pass
	listed      []config.Rule       // those that policies and denied are of
	identity    identity            // what is told of a token
	certificate *tls.Certificate    // nil: plain http
	upstream    *http.Transport     // nil in other modes than proxy

	// Time, replaced by tests: that of the guard, of requests and of retries.
	clock  func() time.Time
	expire func(context.Context, time.Duration, error) (context.Context, context.CancelFunc)
	after  func(time.Duration) <-chan time.Time

	silence, linger time.Duration // bodySilence, lingerTimeout
}

// New opens the files that file names and makes the guard and its policies. A
// nil logger stands for slog.Default. All faults are reported at once, those
// with a place in the file as [config.Faults].
func New(ctx context.Context, file *config.File, logger *slog.Logger) (*Service, error) {
	if logger == nil {
		logger = slog.Default()
	}
	s := &Service{
		file: file, logger: logger, expire: context.WithTimeoutCause, after: time.After,
		silence: bodySilence, linger: lingerTimeout,
	}
	if err := s.assemble(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// next puts another file to use in place of the service's own, which goes on as it
// is. Nothing has changed if there is a fault.
func (s *Service) next(ctx context.Context, file *config.File) (*Service, error) {
	if err := file.Faults(s.file.Frozen(file)...); err != nil {
		return nil, err
	}
	n := &Service{
		file: file, logger: s.logger, kept: s.kept, clock: s.clock, expire: s.expire, after: s.after,
		silence: s.silence, linger: s.linger,
	}
	err := n.make(ctx, func(cfg bearward.Config) (*middleware.Guard, error) { return bearward.Update(ctx, s.Guard, cfg) })
	if err != nil {
		return nil, errors.Join(err, n.retire())
	}
	return n, nil
}

func (s *Service) assemble(ctx context.Context) error {
	err := s.make(ctx, func(cfg bearward.Config) (*middleware.Guard, error) { return bearward.New(ctx, cfg) })
	if err != nil {
		return errors.Join(err, s.Close())
	}
	return nil
}

// make makes what the file asks for, and the guard by guarded.
func (s *Service) make(ctx context.Context, guarded func(bearward.Config) (*middleware.Guard, error)) (err error) {
	b := &builder{file: s.file, logger: s.logger, clock: s.clock, kept: s.kept, before: s.sources}
	b.kept.sources = nil
	cfg := b.guard(b.redis())
	cfg.Revocation = b.revocation()
	s.certificate = b.tls()
	s.kept, s.upstream = b.kept, b.upstream(s.silence)
	operations, unread := b.openapi()
	if err := ctx.Err(); err != nil {
		return err
	}
	faults := b.faults
	if s.Guard, err = guarded(cfg); err != nil {
		faults = append(faults, b.ofGuard(err)...)
	} else {
		faults = append(faults, s.rules(operations)...)
	}
	return errors.Join(s.file.Faults(faults...), unread)
}

// ofGuard gives each of joined errors its line in the list of issuers. What an
// issuer lacks because a file of its cannot be used is said already.
func (b *builder) ofGuard(err error) (faults []config.Fault) {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range joined.Unwrap() {
			faults = append(faults, b.ofGuard(e)...)
		}
		return faults
	}
	path := "issuers"
	var of interface {
		error
		Issuer() int
		Unwrap() error
	}
	if errors.As(err, &of) {
		path = fmt.Sprintf("issuers[%d]", of.Issuer())
		if slices.ContainsFunc(b.failed, func(p string) bool { return strings.HasPrefix(p, path+".") }) {
			return nil
		}
		err = of.Unwrap() // the line says which
	}
	return []config.Fault{b.file.Fault(path, err)}
}

// Close releases what the guard holds, and then what outlives it.
func (s *Service) Close() error { return errors.Join(s.retire(), s.kept.close()) }

// retire releases what the guard holds, once nothing is decided by it any more,
// and connections to the upstream that are not in use.
func (s *Service) retire() error {
	if s.upstream != nil {
		s.upstream.CloseIdleConnections()
	}
	if s.Guard == nil {
		return nil
	}
	return s.Guard.Close()
}

// Redis is what the file names, nil if nothing.
func (s *Service) Redis() *redisstore.Redis { return s.redis }
