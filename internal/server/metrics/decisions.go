package metrics

import (
	"context"
	"maps"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/bearward/bearward/middleware"
	"github.com/bearward/bearward/validate"
)

// Label values beside codes and issuers.
const (
	accepted = "accepted" // code and class
	none     = "none"     // no issuer is known
	other    = "other"    // a code or an issuer that is in no table
)

// classes are the classes of codes in words.
var classes = map[validate.Class]string{
	validate.NoToken: "no_token", validate.BadRequest: "bad_request", validate.BadToken: "bad_token", validate.BadProof: "bad_proof",
	validate.UseNonce: "use_nonce", validate.StepUp: "step_up", validate.MissingScope: "missing_scope", validate.Forbidden: "forbidden",
	validate.Unavailable: "unavailable", validate.Internal: "internal", validate.TooEarly: "too_early", validate.NotDisclosed: "not_disclosed",
}

// series is one kind of decision: as many as there are codes and issuers.
type series struct {
	code       validate.Code // "": accepted
	issuer     string
	reportOnly bool
}

// decisions counts decisions. Reading needs no lock: the map is copied for each
// series that is new.
type decisions struct {
	vec  *prometheus.CounterVec
	seen atomic.Pointer[map[series]prometheus.Counter]

	mu      sync.Mutex // of who adds a series
	codes   map[validate.Code]validate.CodeInfo
	issuers map[string]bool
}

func newDecisions() *decisions {
	d := &decisions{vec: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "bearward_decisions_total",
		Help: "Decisions by reason (code, and its class), by issuer, and by whether a refusal was only reported.",
	}, []string{"code", "class", "issuer", "report_only"}), issuers: map[string]bool{}}
	_, d.codes = validate.Codes()
	d.seen.Store(&map[series]prometheus.Counter{})
	return d
}

// Know names issuers that are configured. Others are no labels.
func (m *Metrics) Know(issuers ...string) {
	d := m.decisions
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, name := range issuers {
		d.issuers[name] = true
	}
}

// Observe counts a decision.
func (m *Metrics) Observe(_ context.Context, e middleware.Event) {
	m.decisions.of(series{e.Code, e.Issuer, e.ReportOnly}).Inc()
	took := m.took[0]
	if e.Code == "" {
		took = m.took[1]
	}
	took.Observe(e.Duration.Seconds())
	if e.Code != "" && e.Code.Class() == validate.UseNonce {
		m.nonces.Inc()
	}
}

func (d *decisions) of(s series) prometheus.Counter {
	if c := (*d.seen.Load())[s]; c != nil {
		return c
	}
	return d.add(s)
}

// add makes the series, or finds it under the name for what is in no table:
// that is not remembered, so that nothing grows with what is told here.
func (d *decisions) add(s series) prometheus.Counter {
	d.mu.Lock()
	defer d.mu.Unlock()
	info, known := d.codes[s.code]
	code, class, issuer := string(s.code), classes[info.Class], s.issuer
	switch {
	case s.code == "":
		code, class, known = accepted, accepted, true
	case !known:
		code, class = other, classes[s.code.Class()]
	}
	switch {
	case issuer == "":
		issuer = none
	case !d.issuers[issuer]:
		issuer, known = other, false
	}
	c := d.vec.WithLabelValues(code, class, issuer, strconv.FormatBool(s.reportOnly))
	if known {
		grown := maps.Clone(*d.seen.Load())
		grown[s] = c
		d.seen.Store(&grown)
	}
	return c
}
