package middleware

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/bearward/bearward/validate"
)

// Observer is told of every decision. Observe runs on the request's goroutine:
// it has to be quick and safe for concurrent use.
type Observer interface {
	Observe(ctx context.Context, e Event)
}

// Event is one decision. It holds no credential, and no text from outside but
// Method and Path.
type Event struct {
	Time     time.Time
	Duration time.Duration
	Route    string // Policy.Route, else the router's name for it
	Method   string
	Path     string // as received, without query
	Issuer   string // configured name of the token's issuer, "" if unknown: safe as a label
	Allowed  bool
	Code     validate.Code   // why not; "" if allowed
	Err      error           // the same with its cause, for logs
	Token    *validate.Token // of an allowed request; nil where none was needed
}

func (g *Guard) observe(p *pass, d *Decision) {
	if g.config.Observer == nil {
		return
	}
	defer func() {
		if v := recover(); v != nil { // an observer decides nothing
			g.complain("bearward: observer panicked")
		}
	}()
	if p.now.IsZero() { // refused before anything else was looked at
		p.now = g.config.Clock()
	}
	e := Event{
		Time: p.now, Duration: g.config.Clock().Sub(p.now),
		Method: p.r.Method, Path: p.r.RawPath, Route: p.r.Route,
		Allowed: d.Allowed, Err: d.Err, Token: d.Token,
	}
	if p.policy != nil && p.policy.policy.Route != "" {
		e.Route = p.policy.policy.Route
	}
	e.Issuer = p.issuerName(d.Err)
	if d.Err != nil {
		e.Code = validate.CodeOf(d.Err)
	}
	g.config.Observer.Observe(p.ctx, e)
}

// issuerName is the configured name of the issuer that the decision is about.
func (p *pass) issuerName(err error) string {
	if p.issuer != nil {
		return p.issuer.Name
	}
	var refusal *validate.Error
	if errors.As(err, &refusal) {
		if i := p.guard.byURL[refusal.Issuer]; i != nil {
			return i.Name
		}
	}
	return ""
}

// LogObserver writes one line for each refusal at level Info (Warn if the
// cause is a service, Error if it is a defect) and one for each accepted
// request at level Debug. No token or proof appears in it. Of the claims it
// names iss, client_id, jti and exp of accepted tokens; the subject is a hash.
// The text of errors that verifiers and checks of your own return is logged
// as it is, shortened.
func LogObserver(logger *slog.Logger) Observer { return logObserver{logger} }

type logObserver struct{ logger *slog.Logger }

func (o logObserver) Observe(ctx context.Context, e Event) {
	level, message := slog.LevelDebug, "request accepted"
	if !e.Allowed {
		level, message = refusalLevel(e.Code), "request refused"
	}
	if !o.logger.Enabled(ctx, level) {
		return
	}
	attrs := []slog.Attr{
		slog.String("route", e.Route), slog.String("method", clip(e.Method)), slog.String("path", clip(e.Path)),
		slog.String("issuer", e.Issuer), slog.Duration("took", e.Duration),
	}
	if e.Allowed && e.Token != nil {
		attrs = append(attrs, slog.Any("token", e.Token), slog.String("kid", e.Token.KeyID())) // [PV-02]
	}
	if !e.Allowed {
		attrs = append(attrs, slog.String("code", string(e.Code)), slog.String("fix", e.Code.Fix()))
		if e.Err != nil {
			attrs = append(attrs, slog.String("error", clip(e.Err.Error())))
		}
	}
	o.logger.LogAttrs(ctx, level, message, attrs...)
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
