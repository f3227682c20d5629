package middleware

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/bearward/bearward/validate"
)

// challengeField is written here and nowhere else in this module.
const challengeField = "WWW-Authenticate"

// exposeField tells a browser which response headers a page may read.
const exposeField = "Access-Control-Expose-Headers"

// nonceField hands out a nonce (RFC 9449 §8.2, §9).
const nonceField = "DPoP-Nonce"

// denied is a refusal and what is known of the request.
type denied struct {
	r      *Request
	c      *compiled // nil where no policy is known
	scheme string    // of the credential; "" if none or several came
	err    error
}

// deny makes the answer to a refusal.
func (g *Guard) deny(why denied) *Denial {
	code := validate.CodeOf(why.err)
	class := code.Class()
	if why.c != nil && why.c.policy.Hide && (class == validate.Forbidden || class == validate.MissingScope) { // [ER-22]
		code, class = validate.ErrHidden, validate.NotDisclosed
	}
	o, ok := outcomes[class]
	if !ok {
		o = outcomes[validate.Internal]
	}
	d := newDenial(o, code)
	d.scheme = why.scheme
	if class == validate.UseNonce && g.config.DPoP != nil { // [ER-09 DP-25]
		d.Header.Set(nonceField, g.config.DPoP.FreshNonce()) // [ER-20]
	}
	if o.challenge {
		g.challenge(d, why, o)
	}
	if class == validate.Unavailable || class == validate.TooEarly {
		d.retryAfter(why.err)
	}
	return d
}

// challenge adds one challenge for each scheme offered, Bearer first, and
// repeats their parameters for gRPC. The error is told in the scheme that the
// client used; where that is none of them, or several came, in all.
func (g *Guard) challenge(d *Denial, why denied, o outcome) {
	offered := g.offers(why.c)
	d.Details = map[string]string{}
	for _, scheme := range offered {
		p := params{scheme: scheme, details: d.Details}
		p.add("realm", g.realm)                                            // [ER-11 ER-13]
		if scheme == why.scheme || !slices.Contains(offered, why.scheme) { // [ER-18]
			p.detail("error", o.err)
			p.add("error_description", d.Code.Phrase()) // [ER-16]
		}
		g.requirements(&p, d, why, o)
		p.detail("resource_metadata", g.metadata.url) // [MD-06 MC-03]
		if scheme == dpopScheme {
			p.detail("algs", g.config.DPoP.Algorithms()) // [ER-19]
		}
		d.Header.Add(challengeField, p.text()) // [ER-17]
	}
	if why.r.fromPage() {
		d.Header[exposeField] = []string{challengeField} // [TR-17]
		if d.Header.Get(nonceField) != "" {
			d.Header[exposeField] = []string{challengeField, nonceField} // [TR-17]
		}
	}
}

// SingleLine puts all challenges into one field line, that of the scheme which
// the client used first: for a proxy that passes on no more than one, and for
// the clients behind it that understand no more than one (RFC 9110 §11.6.1).
func (d *Denial) SingleLine() {
	lines := d.Header.Values(challengeField)
	if len(lines) < 2 {
		return
	}
	used := slices.IndexFunc(lines, func(l string) bool { return d.scheme != "" && strings.HasPrefix(l, d.scheme+" ") })
	if used > 0 {
		lines = slices.Concat(lines[used:used+1], lines[:used], lines[used+1:])
	}
	d.Header.Set(challengeField, strings.Join(lines, ", "))
}

// requirements are those of the route, the same in each challenge.
func (g *Guard) requirements(p *params, d *Denial, why denied, o outcome) {
	if why.c == nil {
		return
	}
	if o.scope || alsoScope(why.err) {
		p.detail("scope", why.c.scope)
	}
	if d.Code.Class() == validate.StepUp {
		p.detail("acr_values", why.c.acr) // [AZ-15]
		p.detail("max_age", why.c.maxAge) // [AZ-15]
	}
}

// offers are the schemes of a route, of the guard where no policy is known.
func (g *Guard) offers(c *compiled) []string {
	if c != nil && len(c.offers) > 0 {
		return c.offers
	}
	return g.schemes
}

// params writes auth-params (RFC 9110 §11.2), each name once.
type params struct {
	scheme  string
	b       strings.Builder
	details map[string]string
}

func (p *params) text() string { return p.scheme + p.b.String() }

func (p *params) add(name, value string) {
	if value == "" {
		return
	}
	if p.b.Len() > 0 {
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
