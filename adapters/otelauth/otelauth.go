// Package otelauth tells OpenTelemetry what a guard decides. It needs the API
// only: without an SDK in the program nothing happens.
//
// Metrics, by the global MeterProvider:
//
//	bearward.decisions          counter, {decision}
//	bearward.decision.duration  histogram, s
//
// with the attributes bearward.code (a reason of docs/errors.md, "accepted" or
// "other"), bearward.issuer (a configured name, "none" where none is known) and
// bearward.report_only. All of them are bounded.
//
// The active span of the request gets the same attributes, and the event
// bearward.refused for what is refused or only reported. No token, proof, claim,
// path or header appears anywhere.
package otelauth

import (
	"context"
	"maps"
	"sync"
	"sync/atomic"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/bearward/bearward/middleware"
	"github.com/bearward/bearward/validate"
)

// scope names what measures.
const scope = "github.com/bearward/bearward/adapters/otelauth"

// Config switches off what is not wanted. The zero Config has everything.
type Config struct {
	NoMetrics bool // spans only
	NoSpans   bool // metrics only
}

// Observer returns one for Config.Observer of a guard. It uses the global
// providers, also those that are set later. With middleware.Observers it stands
// beside others, such as middleware.LogObserver.
func Observer(c Config) middleware.Observer {
	o := &observer{config: c}
	o.seen.Store(&map[series]*labels{})
	if c.NoMetrics {
		return o
	}
	meter := otel.Meter(scope)
	var err error
	if o.decisions, err = meter.Int64Counter("bearward.decisions", metric.WithUnit("{decision}"),
		metric.WithDescription("Decisions by reason and issuer.")); err != nil {
		otel.Handle(err)
	}
	if o.took, err = meter.Float64Histogram("bearward.decision.duration", metric.WithUnit("s"),
		metric.WithDescription("Time that a decision took."), metric.WithExplicitBucketBoundaries(bounds...)); err != nil {
		otel.Handle(err)
	}
	return o
}

// bounds go from a token that was verified before to an issuer that does not
// answer in time.
var bounds = []float64{5e-6, 1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 1e-2, 2.5e-2, 5e-2, 0.1, 0.25, 0.5, 1, 2.5, 5}

type observer struct {
	config    Config
	decisions metric.Int64Counter
	took      metric.Float64Histogram

	seen atomic.Pointer[map[series]*labels] // copied for each that is new
	mu   sync.Mutex                         // of who adds one
}

// series is one kind of decision: as many as there are codes and issuers.
type series struct {
	code       validate.Code
	issuer     string
	reportOnly bool
}

// labels are made once for each series.
type labels struct {
	attributes []attribute.KeyValue
	add        []metric.AddOption
	record     []metric.RecordOption
	event      trace.EventOption
}

func (o *observer) Observe(ctx context.Context, e middleware.Event) {
	l := o.labels(&e)
	if o.decisions != nil {
		o.decisions.Add(ctx, 1, l.add...)
	}
	if o.took != nil {
		o.took.Record(ctx, e.Duration.Seconds(), l.record...)
	}
	if o.config.NoSpans {
		return
	}
	span := trace.SpanFromContext(ctx)
	if !span.IsRecording() {
		return
	}
	span.SetAttributes(l.attributes...)
	if e.Code != "" || !e.Allowed {
		span.AddEvent("bearward.refused", l.event)
	}
}

func (o *observer) labels(e *middleware.Event) *labels {
	s := series{"accepted", "none", e.ReportOnly}
	switch {
	case e.Code == "" && e.Allowed:
	case e.Code.Fix() == "": // of a program's own making
		s.code = "other"
	default:
		s.code = e.Code
	}
	if e.Issuer != "" {
		s.issuer = e.Issuer
	}
	if l := (*o.seen.Load())[s]; l != nil {
		return l
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	grown := maps.Clone(*o.seen.Load())
	l := newLabels(s)
	grown[s] = l
	o.seen.Store(&grown)
	return l
}

func newLabels(s series) *labels {
	attributes := []attribute.KeyValue{
		attribute.String("bearward.code", string(s.code)),
		attribute.String("bearward.issuer", s.issuer),
		attribute.Bool("bearward.report_only", s.reportOnly),
	}
	set := metric.WithAttributeSet(attribute.NewSet(attributes...))
	return &labels{
		attributes: attributes, add: []metric.AddOption{set}, record: []metric.RecordOption{set},
		event: trace.WithAttributes(attributes...),
	}
}
