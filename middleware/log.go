package middleware

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/bearward/bearward/validate"
)

const (
	lineBurst = 20          // lines at once about one reason
	lineEvery = time.Second // one more
)

// LogObserver writes one line for each refusal at level Info (Warn if the
// cause is a service, Error if it is a defect) and one for each accepted
// request at level Debug. No token or proof appears in it.
//
// A refusal names token, subject and client by references (see Event.TokenRef).
// Refusals for one reason are written up to 20 at once and then one a second, by
// the time of the events: whoever repeats a wrong request does not fill the disk.
// The next line says how many were left out, as suppressed. The text of errors
// that verifiers and checks of your own return is logged as it is, shortened.
//
// Of the claims of an accepted token the line names iss, client_id, jti and exp;
// the subject is a hash.
func LogObserver(logger *slog.Logger) Observer {
	return &logObserver{logger: logger, reasons: map[reason]*allowance{}}
}

type logObserver struct {
	logger *slog.Logger

	mu      sync.Mutex
	reasons map[reason]*allowance // as many as the table has codes, twice
}

type reason struct {
	code       validate.Code // "" stands for those that are in no table
	reportOnly bool
}

// allowance is how many lines may be written about one reason.
type allowance struct {
	credit     time.Duration
	last       time.Time
	suppressed uint64
}

func (o *logObserver) Observe(ctx context.Context, e Event) {
	if e.Code == "" && e.Allowed {
		o.accepted(ctx, &e)
		return
	}
	level := refusalLevel(e.Code)
	if !o.logger.Enabled(ctx, level) {
		return
	}
	suppressed, ok := o.allow(&e)
	if !ok {
		return
	}
	message := "request refused"
	attrs := make([]slog.Attr, 0, 16)
	attrs = append(attrs, slog.String("code", string(e.Code)), slog.String("fix", e.Code.Fix()))
	if e.ReportOnly {
		message = "request would be refused"
		attrs = append(attrs, slog.Bool("report_only", true))
	}
	attrs = append(attrs, slog.Int("status", e.Status))
	attrs = append(attrs, requestAttrs(&e)...)
	for _, r := range []struct{ name, value string }{{"token_ref", e.TokenRef()}, {"subject_ref", e.SubjectRef()}, {"client_ref", e.ClientRef()}} {
		if r.value != "" {
			attrs = append(attrs, slog.String(r.name, r.value))
		}
	}
	if e.Err != nil {
		attrs = append(attrs, slog.String("error", clip(e.Err.Error())))
	}
	if suppressed > 0 {
		attrs = append(attrs, slog.Uint64("suppressed", suppressed))
	}
	o.logger.LogAttrs(ctx, level, message, attrs...)
}

func (o *logObserver) accepted(ctx context.Context, e *Event) {
	if !o.logger.Enabled(ctx, slog.LevelDebug) {
		return
	}
	attrs := requestAttrs(e)
	if e.Token != nil {
		attrs = append(attrs, slog.Any("token", e.Token), slog.String("kid", e.Token.KeyID())) // [PV-02]
	}
	o.logger.LogAttrs(ctx, slog.LevelDebug, "request accepted", attrs...)
}

// requestAttrs is what is known of every request.
func requestAttrs(e *Event) []slog.Attr {
	return []slog.Attr{
		slog.String("route", e.Route), slog.String("method", clip(e.Method)), slog.String("path", clip(e.Path)),
		slog.String("issuer", e.Issuer), slog.Duration("took", e.Duration),
	}
}

// allow reports whether there may be another line about the event's reason, and
// how many were left out since the last one.
func (o *logObserver) allow(e *Event) (suppressed uint64, ok bool) {
	r := reason{e.Code, e.ReportOnly}
	if e.Code.Fix() == "" { // of a program's own making
		r.code = ""
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	a := o.reasons[r]
	if a == nil {
		a = &allowance{credit: lineBurst * lineEvery, last: e.Time}
		o.reasons[r] = a
	}
	if past := e.Time.Sub(a.last); past > 0 { // events do not arrive in order
		a.credit, a.last = min(a.credit+past, lineBurst*lineEvery), e.Time
	}
	if a.credit < lineEvery {
		a.suppressed++
		return 0, false
	}
	a.credit -= lineEvery
	suppressed, a.suppressed = a.suppressed, 0
	return suppressed, true
}

func refusalLevel(code validate.Code) slog.Level {
	switch code.Class() {
	case validate.Unavailable:
		return slog.LevelWarn
	case validate.Internal:
		return slog.LevelError
	}
	return slog.LevelInfo
}

// clip bounds text from outside before it is logged.
func clip(s string) string {
	const most = 256
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}
