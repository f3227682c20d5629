package bearward_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/bearward/bearward"
	"github.com/bearward/bearward/introspect"
)

// A configuration that is refused leaves nothing running, however often it is
// tried, as at each reload of a faulty file.
func TestRefusedConfigurationsLeaveNothingBehind(t *testing.T) {
	good := bearward.Issuer{
		URL: "https://a.example.test", Audience: []string{api},
		Introspection: &bearward.Introspection{Auth: introspect.Auth{Method: introspect.Basic, ClientID: "api", Secret: "s3cret"}},
	}
	half, odd := good, *good.Introspection
	half.Profile, odd.SharedKey = "lax", nil // its JWTs cannot be judged, its answers can
	half.Introspection = &odd
	before := goleak.IgnoreCurrent()
	for name, issuers := range map[string][]bearward.Issuer{
		"another issuer is faulty": {good, {}},
		"the same one twice":       {good, good},
		"its own JWTs":             {half},
	} {
		g, err := bearward.New(t.Context(), bearward.Config{Issuers: issuers, Logger: quiet()})
		if err == nil {
			_ = g.Close()
			t.Errorf("%s: no fault", name)
		}
		if err := goleak.Find(before); err != nil {
			t.Errorf("%s: %v", name, err)
			before = goleak.IgnoreCurrent()
		}
	}
}
