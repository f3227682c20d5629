package middleware_test

import (
	"context"
	"testing"

	"github.com/bearward/bearward/middleware"
)

// A null deeper inside is no grant either: read into a struct, it looks like a
// restriction that is not there.
func TestMatchDetailRefusesNullsAtAnyDepth(t *testing.T) { // [AZ-12]
	type limit struct {
		Max *int `json:"max"`
	}
	type grant struct {
		Limit  limit   `json:"limit"`
		Limits []limit `json:"limits"`
		Note   string  `json:"note"`
	}
	s := detailStand(t)
	demand := demands(middleware.MatchDetail("payment", func(context.Context, grant) bool { return true }))
	for text, want := range map[string]bool{
		`[{"type":"payment","limit":{"max":5},"limits":[{"max":5}]}]`: true,
		`[{"type":"payment","limit":{}}]`:                             true,
		`[{"type":"payment","note":"null"}]`:                          true,
		`[{"type":"payment","note":null}]`:                            false,
		`[{"type":"payment","limit":{"max":null}}]`:                   false,
		`[{"type":"payment","limits":[null]}]`:                        false,
		`[{"type":"payment","limits":[{"max":null}]}]`:                false,
	} {
		if d := s.decide(s.granting(text), demand); d.Allowed != want {
			t.Errorf("%s: allowed %v, %v", text, d.Allowed, d.Err)
		}
	}
}
