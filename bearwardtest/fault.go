package bearwardtest

import "github.com/bearward/bearward/internal/issuer"

// Fault is a way in which an issuer is unavailable or wrong.
type Fault string

// The faults of Break. All but EmptySet and WrongIssuer are faults of
// BreakIntrospection, too.
const (
	Down        = Fault(issuer.Down)        // connections are closed without an answer
	Slow        = Fault(issuer.Slow)        // no answer until Heal or the end of the test
	Status500   = Fault(issuer.Status500)   // every answer has status 500
	Garbage     = Fault(issuer.Garbage)     // status 200 and JSON that ends in the middle
	EmptySet    = Fault(issuer.EmptySet)    // the key set has no keys
	Huge        = Fault(issuer.Huge)        // every document is longer than 1 MiB
	Redirect    = Fault(issuer.Redirect)    // 302 to the right document at another address
	HTML        = Fault(issuer.HTML)        // status 200 and a web page
	WrongIssuer = Fault(issuer.WrongIssuer) // the metadata names another issuer
)

// The faults of BreakIntrospection only.
const (
	Status400     = Fault(issuer.Status400)     // status 400, as if the token were malformed
	Status401     = Fault(issuer.Status401)     // status 401: the API's credentials are refused
	Status403     = Fault(issuer.Status403)     // status 403
	Status429     = Fault(issuer.Status429)     // status 429 with Retry-After: 7
	Status503     = Fault(issuer.Status503)     // status 503
	RedirectPost  = Fault(issuer.RedirectPost)  // 307: who follows sends the token once more
	Empty         = Fault(issuer.Empty)         // status 200 without a body
	ActiveText    = Fault(issuer.ActiveText)    // active is "true"
	ActiveNumber  = Fault(issuer.ActiveNumber)  // active is 1
	ActiveNull    = Fault(issuer.ActiveNull)    // active is null
	ActiveMissing = Fault(issuer.ActiveMissing) // the answer lacks active
	Duplicate     = Fault(issuer.Duplicate)     // active stands twice
	Array         = Fault(issuer.Array)         // the answer is an array
	Trailing      = Fault(issuer.Trailing)      // data after the answer
	Deep          = Fault(issuer.Deep)          // a member nested 1,000 deep
	PlainText     = Fault(issuer.PlainText)     // the answer is text/plain
	NoStore       = Fault(issuer.NoStore)       // right answers that must not be kept
	MaxAge        = Fault(issuer.MaxAge)        // right answers that must not be kept longer than 5 s
)

// BreakIntrospection begins a fault of introspection, in place of the one
// before. It lasts until HealIntrospection. Metadata and keys are not concerned.
func (i *Issuer) BreakIntrospection(f Fault) {
	i.tb.Helper()
	if err := i.server.BreakIntrospection(issuer.Fault(f)); err != nil {
		i.tb.Fatalf("bearwardtest: %v", err)
	}
}

// HealIntrospection ends the fault of introspection. A guard that saw it asks
// again when its pause is over; advance the Clock by a minute for it.
func (i *Issuer) HealIntrospection() { i.server.HealIntrospection() }

// SignedAnswer chooses a kind of signed introspection answers (RFC 9701), by
// its name; "" for right ones, which are the default. SignedAnswers lists the
// kinds. A guard gets signed answers where it asks for them:
//
//	cfg := iss.Config()
//	cfg.Issuers[0].Introspection.SignedResponse = introspect.Require
//	guard := iss.Guard(cfg)
func (i *Issuer) SignedAnswer(kind string) {
	i.tb.Helper()
	if err := i.server.Answer(kind); err != nil {
		i.tb.Fatalf("bearwardtest: %v", err)
	}
}

// SignedAnswers returns every kind of signed introspection answer. That of
// kind "plain" is not signed; a guard with introspect.Require refuses it.
func SignedAnswers() []Kind { return kindsOf(issuer.SignedAnswers()) }

// Break begins a fault of metadata and keys, in place of the one before. It
// lasts until Heal.
func (i *Issuer) Break(f Fault) {
	i.tb.Helper()
	if err := i.server.Break(issuer.Fault(f)); err != nil {
		i.tb.Fatalf("bearwardtest: %v", err)
	}
}

// Heal ends the fault of metadata and keys. A guard that saw it asks again when its pause is over;
// advance the Clock by a minute for it.
func (i *Issuer) Heal() { i.server.Heal() }
