package bearwardtest

import "github.com/bearward/bearward/internal/issuer"

// Fault is a way in which an issuer's metadata and keys are unavailable or
// wrong.
type Fault string

// The faults.
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

// Break begins a fault, in place of the one before. It lasts until Heal.
func (i *Issuer) Break(f Fault) {
	i.tb.Helper()
	if err := i.server.Break(issuer.Fault(f)); err != nil {
		i.tb.Fatalf("bearwardtest: %v", err)
	}
}

// Heal ends the fault. A guard that saw it asks again when its pause is over;
// advance the Clock by a minute for it.
func (i *Issuer) Heal() { i.server.Heal() }
