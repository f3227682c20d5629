//go:build !race

package metrics

import (
	"log/slog"
	"net/http"
	"testing"

	"github.com/bearward/bearward/bearwardtest"
	"github.com/bearward/bearward/middleware"
)

// TestDecisionsCostNoMemory: a decision about a token that was seen before takes
// as many allocations with metrics and log as without.
func TestDecisionsCostNoMemory(t *testing.T) {
	iss := bearwardtest.NewIssuer(t)
	request := middleware.Request{
		Method: "GET", Scheme: "https", RawPath: "/read",
		Header: http.Header{"Authorization": {"Bearer " + iss.JWT(bearwardtest.Claims{Scope: "read"})}},
	}
	m := New()
	m.Know("main")
	allocations := func(o middleware.Observer) float64 {
		cfg := iss.Config()
		cfg.Observer, cfg.Logger = o, nil
		cfg.Issuers[0].Name = "main"
		guard := iss.Guard(cfg)
		policy, err := guard.Prepare(middleware.Scopes("read"))
		if err != nil {
			t.Fatal(err)
		}
		decide := func() {
			if _, d := guard.Decide(t.Context(), request, policy); !d.Allowed {
				t.Fatal(d.Err)
			}
		}
		for range 10 {
			decide()
		}
		return testing.AllocsPerRun(200, decide)
	}
	without := allocations(nil)
	with := allocations(middleware.Observers(m, middleware.LogObserver(slog.New(slog.DiscardHandler))))
	if with > without {
		t.Errorf("%v allocations with an observer, %v without", with, without)
	}
	t.Logf("%v allocations", with)
}
