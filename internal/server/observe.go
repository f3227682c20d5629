package server

import (
	"net/http"
	"time"

	"github.com/bearward/bearward/internal/server/metrics"
	"github.com/bearward/bearward/middleware"
	"github.com/bearward/bearward/validate/cache"
	"github.com/bearward/bearward/validate/dpop"
)

// observer is told of every decision: the log, and the metrics where somebody can
// read them.
func (b *builder) observer() middleware.Observer {
	log := middleware.LogObserver(b.logger)
	if b.file.Admin == "" {
		return log
	}
	if b.kept.metrics == nil {
		b.kept.metrics = metrics.New()
	}
	for _, i := range b.file.Issuers {
		b.kept.metrics.Know(i.Name)
	}
	return middleware.Observers(b.kept.metrics, log)
}

// admitReportOnly logs which rules refuse nothing: nobody should find out by
// accident.
func (s *Service) admitReportOnly() {
	var rules []string
	for i, rule := range s.listed {
		if !rule.Public && !s.denied[i] && (s.file.ReportOnly || rule.ReportOnly) {
			rules = append(rules, rule.Match)
		}
	}
	if len(rules) > 0 {
		s.logger.Warn("bearward: report_only: what these rules refuse is let through", "rules", rules)
	}
}

// state is what metrics show of the service.
func (s *Service) state() metrics.State {
	out := metrics.State{Issuers: s.Guard.Health()}
	if c, ok := s.Guard.Cache().(*cache.Cache); ok {
		h := c.Health()
		out.Cache = &h
	}
	if m, ok := s.Guard.Replay().(*dpop.Memory); ok {
		h := m.Health()
		out.Replay = &h
	}
	if s.redis != nil {
		h := s.redis.Health()
		out.Redis = &h
	}
	return out
}

// metered answers for what is current; nil if nobody can ask.
func (r *runner) metered() http.Handler {
	if r.metrics == nil {
		return nil
	}
	r.metrics.Loaded(r.now(), false)
	r.metrics.Watch(func() metrics.State { return r.current.Load().state() })
	return r.metrics.Handler()
}

// now is the time by the clock of the service.
func (s *Service) now() time.Time {
	if s.clock != nil {
		return s.clock()
	}
	return time.Now()
}
