package otelauth_test

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.uber.org/goleak"

	"github.com/bearward/bearward"
	"github.com/bearward/bearward/adapters/otelauth"
	"github.com/bearward/bearward/internal/issuer"
	"github.com/bearward/bearward/middleware"
	"github.com/bearward/bearward/validate"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// sdk is an OpenTelemetry that keeps everything in memory. It is global: there is
// one.
type sdk struct {
	reader *sdkmetric.ManualReader
	spans  *tracetest.SpanRecorder
	tracer *sdktrace.TracerProvider
}

var global = sync.OnceValue(func() *sdk {
	s := &sdk{reader: sdkmetric.NewManualReader(), spans: tracetest.NewSpanRecorder()}
	s.tracer = sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(s.spans))
	otel.SetMeterProvider(sdkmetric.NewMeterProvider(sdkmetric.WithReader(s.reader)))
	otel.SetTracerProvider(s.tracer)
	return s
})

// text is a data point's attributes, in their order.
func text(set attribute.Set) string {
	var parts []string
	for _, kv := range set.ToSlice() {
		parts = append(parts, string(kv.Key)+"="+kv.Value.String())
	}
	return strings.Join(parts, " ")
}

// collect returns counts of decisions, and of durations, by attributes.
func (s *sdk) collect(t *testing.T) (decisions map[string]int64, durations map[string]uint64) {
	t.Helper()
	var all metricdata.ResourceMetrics
	if err := s.reader.Collect(t.Context(), &all); err != nil {
		t.Fatal(err)
	}
	decisions, durations = map[string]int64{}, map[string]uint64{}
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			switch data := m.Data.(type) {
			case metricdata.Sum[int64]:
				if m.Name != "bearward.decisions" || !data.IsMonotonic || m.Unit != "{decision}" {
					t.Errorf("%s %s", m.Name, m.Unit)
				}
				for _, p := range data.DataPoints {
					decisions[text(p.Attributes)] += p.Value
				}
			case metricdata.Histogram[float64]:
				if m.Name != "bearward.decision.duration" || m.Unit != "s" {
					t.Errorf("%s %s", m.Name, m.Unit)
				}
				for _, p := range data.DataPoints {
					durations[text(p.Attributes)] += p.Count
				}
			default:
				t.Errorf("%s has data of type %T", m.Name, m.Data)
			}
		}
	}
	return decisions, durations
}

func series(code, issuer string, reportOnly bool) string {
	return fmt.Sprintf("bearward.code=%s bearward.issuer=%s bearward.report_only=%t", code, issuer, reportOnly)
}

// TestMetrics: one of each decision, made before there is an SDK or after.
func TestMetrics(t *testing.T) {
	early := otelauth.Observer(otelauth.Config{})
	s := global()
	before, _ := s.collect(t)
	for _, o := range []middleware.Observer{early, otelauth.Observer(otelauth.Config{NoSpans: true}), otelauth.Observer(otelauth.Config{NoMetrics: true})} {
		for _, e := range []middleware.Event{
			{Allowed: true, Issuer: "main"},
			{Allowed: true},
			{Code: validate.ErrExpired, Issuer: "main"},
			{Code: validate.ErrExpired, Issuer: "main", Allowed: true, ReportOnly: true},
			{Code: validate.ErrTokenMissing},
			{}, // refused, and nobody says why
		} {
			e.Duration = time.Millisecond
			o.Observe(t.Context(), e)
		}
	}
	got, durations := s.collect(t)
	for want, n := range map[string]int64{
		series("accepted", "main", false):      2,
		series("accepted", "none", false):      2,
		series("token_expired", "main", false): 2,
		series("token_expired", "main", true):  2,
		series("token_missing", "none", false): 2,
		series("other", "none", false):         2,
	} {
		if got[want]-before[want] != n || durations[want] == 0 {
			t.Errorf("%s: %d, %d durations; want %d", want, got[want]-before[want], durations[want], n)
		}
	}
}

// TestBounded: codes of a program's own making are one series.
func TestBounded(t *testing.T) {
	s, o := global(), otelauth.Observer(otelauth.Config{})
	before, _ := s.collect(t)
	for i := range 1000 {
		odd := strconv.Itoa(i)
		o.Observe(t.Context(), middleware.Event{Code: validate.Code(odd), Path: odd, Method: odd, Route: odd})
	}
	if after, _ := s.collect(t); len(after) > len(before)+1 {
		t.Errorf("%d more series", len(after)-len(before))
	}
}

// TestAllocates nothing of its own for a decision that was seen before, without a
// span.
func TestAllocates(t *testing.T) {
	_ = global()
	o := otelauth.Observer(otelauth.Config{NoMetrics: true})
	e := middleware.Event{Allowed: true, Issuer: "main"}
	ctx := context.Background()
	if n := testing.AllocsPerRun(100, func() { o.Observe(ctx, e) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestSpans: the active span says what was decided, and nothing that came from
// outside.
func TestSpans(t *testing.T) {
	s := global()
	iss, err := issuer.Start(issuer.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = iss.Close() }()
	guard, err := bearward.New(t.Context(), bearward.Config{
		Resource: issuer.DefaultAudience, Issuers: []bearward.Issuer{{URL: iss.URL(), Name: "main", AllowHTTP: true}},
		Observer: otelauth.Observer(otelauth.Config{}),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = guard.Close() }()
	claims := iss.Claims("")
	claims["sub"], claims["client_id"], claims["jti"] = "alice@example.test", "secret-client", "secret-jti"
	reports := middleware.Scopes("x")
	reports.ReportOnly = true
	for name, c := range map[string]struct {
		kind string
		p    middleware.Policy
		want string
	}{
		"accepted": {"", middleware.Policy{}, "code=accepted issuer=main report_only=false"},
		"refused":  {"", middleware.Scopes("x"), "code=scope_missing issuer=main report_only=false"},
		"reported": {"", reports, "code=scope_missing issuer=main report_only=true"},
		"expired":  {"expired", middleware.Policy{}, "code=token_expired"},
		"forged":   {"bad-signature", middleware.Policy{}, "code=signature_invalid"},
	} {
		token, err := iss.Mint(c.kind, claims)
		if err != nil {
			t.Fatal(err)
		}
		s.spans.Reset()
		ctx, span := s.tracer.Tracer("test").Start(t.Context(), "GET /secret-path")
		_, _ = guard.Decide(ctx, middleware.Request{
			Method: "GET", Scheme: "https", RawPath: "/secret-path", RawQuery: "secret-query",
			Header: header{"Authorization": {"Bearer " + token}, "X-Secret": {"secret-header"}},
		}, c.p)
		span.End()
		ended := s.spans.Ended()
		if len(ended) != 1 {
			t.Fatalf("%s: %d spans", name, len(ended))
		}
		said := ""
		for _, kv := range ended[0].Attributes() {
			said += strings.TrimPrefix(string(kv.Key), "bearward.") + "=" + kv.Value.String() + " "
		}
		if !strings.HasPrefix(said, c.want) {
			t.Errorf("%s: %s", name, said)
		}
		events := ended[0].Events()
		if refused := name != "accepted"; (len(events) == 1) != refused || refused && events[0].Name != "bearward.refused" {
			t.Errorf("%s: events %+v", name, events)
		}
		for _, e := range events {
			said += fmt.Sprint(e.Attributes)
		}
		for _, secret := range append(strings.Split(token, "."), "alice", "secret", iss.URL()) {
			if strings.Contains(said, secret) {
				t.Errorf("%s: %q is in %s", name, secret, said)
			}
		}
	}
	decisions, _ := s.collect(t)
	for point := range decisions {
		if strings.Contains(point, "secret") || strings.Contains(point, "alice") || strings.Contains(point, iss.URL()) {
			t.Errorf("%s", point)
		}
	}
}

// TestNoSpans leaves spans alone, and a finished one too.
func TestNoSpans(t *testing.T) {
	s := global()
	s.spans.Reset()
	ctx, span := s.tracer.Tracer("test").Start(t.Context(), "x")
	otelauth.Observer(otelauth.Config{NoSpans: true}).Observe(ctx, middleware.Event{Code: validate.ErrExpired})
	span.End()
	otelauth.Observer(otelauth.Config{}).Observe(ctx, middleware.Event{Code: validate.ErrExpired})
	if ended := s.spans.Ended(); len(ended) != 1 || len(ended[0].Attributes()) != 0 || len(ended[0].Events()) != 0 {
		t.Errorf("%+v", ended)
	}
}

type header map[string][]string

func (h header) Values(name string) []string { return h[name] }
