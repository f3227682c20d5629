package middleware

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"sync"
	"time"

	"github.com/bearward/bearward/internal/facts"
	"github.com/bearward/bearward/internal/jose"
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
	Time       time.Time
	Duration   time.Duration
	Route      string // Policy.Route, else the router's name for it
	Method     string
	Path       string          // as received, without query
	Issuer     string          // configured name of the token's issuer, "" if unknown: safe as a label
	Allowed    bool            // the request goes on
	ReportOnly bool            // it was refused, and goes on all the same: Code and Err say why
	Status     int             // HTTP status of the refusal; 0 if it goes on
	Code       validate.Code   // why not; "" if accepted
	Err        error           // the same with its cause, for logs
	Token      *validate.Token // of an accepted request; nil where none was needed

	digest [sha256.Size]byte // of the token as received; zero: there is none, or nobody worked it out
	known  *facts.Facts      // of a token that was found valid, refused or not
}

// Observers returns one that tells all of them, in order; nil ones are left out.
func Observers(all ...Observer) Observer {
	var list observers
	for _, o := range all {
		if o != nil {
			list = append(list, o)
		}
	}
	switch len(list) {
	case 0:
		return nil
	case 1:
		return list[0]
	}
	return list
}

type observers []Observer

func (list observers) Observe(ctx context.Context, e Event) {
	for _, o := range list {
		o.Observe(ctx, e)
	}
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
		Allowed: d.Allowed, ReportOnly: p.disregarded, Err: d.Err, Token: d.Token, known: p.facts,
	}
	if p.policy != nil && p.policy.policy.Route != "" {
		e.Route = p.policy.policy.Route
	}
	e.Issuer = p.issuerName(d.Err)
	if d.Denial != nil {
		e.Status = d.Denial.Status
	}
	if d.Err != nil {
		e.Code = validate.CodeOf(d.Err)
		p.sumUp()
	}
	if e.digest = p.sum; p.facts != nil && p.facts.Digested {
		e.digest = p.facts.Digest
	}
	g.config.Observer.Observe(p.ctx, e)
}

// sumUp works out the digest of a token that was refused before it was needed,
// unless it is longer than any token.
func (p *pass) sumUp() {
	if n := len(p.raw); n > 0 && n <= validate.MaxToken && !p.summed {
		p.sum, p.summed = sha256.Sum256(jose.View(p.raw)), true
	}
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

// TokenRef names the token of the request without showing it: the same text for
// the same token as long as the process lives, and for no other. It is "" where
// no token was read, or a cheap decision had no use for it.
func (e *Event) TokenRef() string {
	if e.digest == [sha256.Size]byte{} {
		return ""
	}
	return ref("token", string(e.digest[:]))
}

// SubjectRef names the subject of a token that was found valid in the same way,
// and ClientRef its client.
func (e *Event) SubjectRef() string {
	if e.known == nil || e.known.Subject() == "" {
		return ""
	}
	return ref("subject", e.known.Issuer()+"\x00"+e.known.Subject())
}

// ClientRef names the client of a token that was found valid, see SubjectRef.
func (e *Event) ClientRef() string {
	if e.known == nil || e.known.ClientID() == "" {
		return ""
	}
	return ref("client", e.known.Issuer()+"\x00"+e.known.ClientID())
}

// refKey lives as long as the process: outside of it nobody can try out what a
// reference stands for.
var refKey = sync.OnceValue(func() []byte {
	key := make([]byte, sha256.Size)
	_, _ = rand.Read(key) // never fails
	return key
})

func ref(kind, of string) string {
	h := hmac.New(sha256.New, refKey())
	h.Write([]byte(kind + "\x00" + of))
	return jose.Encode(h.Sum(nil)[:9]) // [PV-02]
}
