package bearward

import (
	"errors"
	"fmt"
	"slices"

	"github.com/bearward/bearward/validate/dpop"
)

// fapiAlgorithms are those of the FAPI 2.0 Security Profile §5.4.1. EdDSA is
// Ed25519 here.
var fapiAlgorithms = []string{"PS256", "ES256", "Ed25519"}

// holdToFAPI narrows the configuration to the FAPI 2.0 Security Profile, and
// returns what contradicts it. That tokens have to be sender-constrained is the
// guard's matter; that they come in the header only is so for everybody.
func holdToFAPI(cfg *Config) error {
	cfg.Issuers = slices.Clone(cfg.Issuers)
	var faults []error
	for n := range cfg.Issuers {
		i := &cfg.Issuers[n]
		var err error
		if i.Algorithms, err = narrow(i.Algorithms); err != nil { // [HS-04]
			faults = append(faults, issuerFault{n, err})
		}
		if cfg.Revocation == nil && !i.live() { // [HS-01]
			faults = append(faults, issuerFault{n, errNotRevoked})
		}
	}
	if cfg.DPoP != nil {
		own := *cfg.DPoP
		var err error
		if own.Algorithms, err = narrow(own.Algorithms); err != nil { // [HS-04]
			faults = append(faults, fmt.Errorf("bearward: dpop: %w", err))
		}
		cfg.DPoP = &own
	}
	return errors.Join(faults...)
}

var errNotRevoked = errors.New("FAPI 2.0 demands that tokens are not revoked: set Revocation, or Introspection with Always or Every")

// narrow returns the algorithms that FAPI 2.0 permits where nothing is said.
func narrow(algorithms []string) ([]string, error) {
	if len(algorithms) == 0 {
		return slices.Clone(fapiAlgorithms), nil
	}
	for _, alg := range algorithms {
		if alg != "EdDSA" && !slices.Contains(fapiAlgorithms, alg) {
			return algorithms, fmt.Errorf("algorithm %q is none of FAPI 2.0, which has PS256, ES256 and EdDSA", alg)
		}
	}
	return algorithms, nil
}

// live reports that the issuer is asked about each of its tokens.
func (i *Issuer) live() bool {
	in := i.Introspection
	return in != nil && (in.NoJWT || in.Always || in.Every > 0)
}

// proofs makes what judges proofs of possession; nil where there are none.
func (w *wiring) proofs(cfg Config) (*dpop.Verifier, error) {
	if w.made.proofs = w.before.proofs; cfg.DPoP == nil {
		return nil, nil //nolint:nilnil // no proofs and no fault
	}
	c := *cfg.DPoP
	if c.Context == "" {
		c.Context = cfg.Resource
	}
	if c.Clock == nil {
		c.Clock = cfg.Clock
	}
	if c.Logger == nil {
		c.Logger = cfg.Logger
	}
	made, err := w.before.judge(c)
	if err != nil {
		return nil, err
	}
	w.made.proofs = made
	return made, nil
}
