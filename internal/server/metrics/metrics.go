// Package metrics shows what the server decides, and how it is doing, in the
// words of Prometheus.
//
// Labels are bounded: reasons are those of the table of codes, issuers those that
// are configured. Nothing that comes from outside becomes a label.
package metrics

import (
	"net/http"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics belong to a process: a reload of the configuration changes what they
// are about, not what was counted. They are safe for concurrent use.
type Metrics struct {
	registry *prometheus.Registry
	state    atomic.Pointer[func() State]

	decisions *decisions
	took      [2]prometheus.Observer // refused, accepted
	nonces    prometheus.Counter

	reloads  *prometheus.CounterVec
	loaded   prometheus.Gauge
	upToDate prometheus.Gauge
}

// buckets go from a token that was verified before to an issuer that does not
// answer in time.
var buckets = []float64{5e-6, 1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 1e-2, 2.5e-2, 5e-2, 0.1, 0.25, 0.5, 1, 2.5, 5}

// New returns metrics of their own, with those of the process and of the
// runtime.
func New() *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry()}
	m.decisions = newDecisions()
	took := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "bearward_decision_duration_seconds", Help: "Time that a decision took, by whether the request was accepted.", Buckets: buckets,
	}, []string{"accepted"})
	m.took = [2]prometheus.Observer{took.WithLabelValues("false"), took.WithLabelValues("true")}
	m.nonces = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "bearward_dpop_nonce_challenges_total", Help: "Requests that were told to use a nonce.",
	})
	m.reloads = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "bearward_config_reloads_total", Help: "Reloads of the configuration by result: ok, failed (the one before stays).",
	}, []string{"result"})
	m.loaded = prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "bearward_config_loaded_timestamp_seconds", Help: "When the configuration in use was loaded, in seconds since 1970.",
	})
	m.upToDate = prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "bearward_config_last_reload_successful", Help: "0 if the last reload failed.",
	})
	for _, result := range []string{"ok", "failed"} {
		m.reloads.WithLabelValues(result)
	}
	m.registry.MustRegister(m, m.decisions.vec, took, m.nonces, m.reloads, m.loaded, m.upToDate, buildInfo(),
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func buildInfo() prometheus.Collector {
	version, goVersion := "unknown", "unknown"
	if info, ok := debug.ReadBuildInfo(); ok {
		version, goVersion = info.Main.Version, info.GoVersion
	}
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "bearward_build_info", Help: "1; the labels say what runs.",
		ConstLabels: prometheus.Labels{"version": version, "go_version": goVersion},
	}, func() float64 { return 1 })
}

// Handler answers GET /metrics.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4})
}

// Watch says where the state is read, from now on.
func (m *Metrics) Watch(state func() State) { m.state.Store(&state) }

// Loaded counts a configuration that came into use: at the start, or by a reload.
func (m *Metrics) Loaded(at time.Time, reload bool) {
	m.loaded.Set(float64(at.UnixNano()) / 1e9)
	m.upToDate.Set(1)
	if reload {
		m.reloads.WithLabelValues("ok").Inc()
	}
}

// NotLoaded counts a reload that failed: the configuration before stays.
func (m *Metrics) NotLoaded() {
	m.upToDate.Set(0)
	m.reloads.WithLabelValues("failed").Inc()
}
