package middleware

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/bearward/bearward/validate"
)

// challengeField is written here and nowhere else in this module.
const challengeField = "WWW-Authenticate"

// exposeField tells a browser which response headers a page may read.
const exposeField = "Access-Control-Expose-Headers"

// deny makes the answer to err on a route. c may be nil where no policy is
// known.
func (g *Guard) deny(r *Request, c *compiled, err error) *Denial {
	code := validate.CodeOf(err)
	class := code.Class()
	if c != nil && c.policy.Hide && (class == validate.Forbidden || class == validate.MissingScope) { // [ER-22]
		code, class = validate.ErrHidden, validate.NotDisclosed
	}
	o, ok := outcomes[class]
	if !ok {
		o = outcomes[validate.Internal]
	}
	d := newDenial(o, code)
	if o.challenge {
		g.challenge(d, r, c, o, err)
	}
	if class == validate.Unavailable || class == validate.TooEarly {
		d.retryAfter(err)
	}
	return d
}

// challenge adds the challenge and repeats its parameters for gRPC.
func (g *Guard) challenge(d *Denial, r *Request, c *compiled, o outcome, err error) {
	p := params{details: map[string]string{}}
	p.b.WriteString(bearer)
	p.add("realm", g.realm) // [ER-11 ER-13]
	p.detail("error", o.err)
	p.add("error_description", d.Code.Phrase()) // [ER-16]
	if c != nil {
		if o.scope || alsoScope(err) {
			p.detail("scope", c.scope)
		}
		if d.Code.Class() == validate.StepUp {
			p.detail("acr_values", c.acr) // [AZ-15]
			p.detail("max_age", c.maxAge) // [AZ-15]
		}
	}
	p.detail("resource_metadata", g.metadata.url) // [MD-06 MC-03]
	d.Header.Set(challengeField, p.b.String())
	d.Details = p.details
	if len(r.header().Values("Origin")) > 0 {
		d.Header[exposeField] = []string{challengeField} // [TR-17]
	}
}

// params writes auth-params (RFC 9110 §11.2), each name once.
type params struct {
	b       strings.Builder
	details map[string]string
}

func (p *params) add(name, value string) {
	if value == "" {
		return
	}
	if p.b.Len() > len(bearer) {
		p.b.WriteByte(',')
	}
	p.b.WriteByte(' ')
	p.b.WriteString(name)
	p.b.WriteByte('=')
	quote(&p.b, value)
}

func (p *params) detail(name, value string) {
	if value != "" {
		p.add(name, value)
		p.details[name] = value
	}
}

// quote writes a quoted-string. What does not belong into one was refused when
// the guard and the policy were configured.
func quote(b *strings.Builder, s string) {
	b.WriteByte('"')
	for i := 0; i < len(s); i++ {
		if s[i] == '"' || s[i] == '\\' { // [ER-13]
			b.WriteByte('\\')
		}
		b.WriteByte(s[i])
	}
	b.WriteByte('"')
}

// realm is configured, or the resource, and always there: a challenge has at
// least one parameter (RFC 6750 §3).
func realm(config Config) (string, error) {
	for _, s := range []string{config.Realm, config.Resource} {
		if s == "" {
			continue
		}
		for i := 0; i < len(s); i++ {
			if s[i] < ' ' || s[i] > '~' { // [ER-13 ER-15]
				return "", fmt.Errorf("realm %q: only printable ASCII can be written into a challenge", s)
			}
		}
		return s, nil
	}
	return "api", nil
}

// withScope marks a step-up refusal of a token that lacks a scope as well, so
// that the client asks for both at once.
type withScope struct{ error }

func (w withScope) Unwrap() error { return w.error }

func alsoScope(err error) bool {
	var w withScope
	return errors.As(err, &w)
}

// longestRetry bounds what an error may ask of clients.
const longestRetry = 24 * time.Hour

// retryAfter tells the client when to come back, if the error knows.
func (d *Denial) retryAfter(err error) {
	var known interface{ RetryAfter() time.Duration }
	if !errors.As(err, &known) || known.RetryAfter() <= 0 {
		return
	}
	wait := min(known.RetryAfter(), longestRetry)
	seconds := int64((wait + time.Second - 1) / time.Second)
	d.RetryAfter = time.Duration(seconds) * time.Second
	d.Header["Retry-After"] = []string{strconv.FormatInt(seconds, 10)}
}
