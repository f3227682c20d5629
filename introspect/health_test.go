package introspect

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bearward/bearward/validate"
)

// TestCounts: Health counts calls by what came of them, questions that were not
// asked, and what the cache answered.
func TestCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, next := &fake{}, tokens("t")
		v, _ := fronting(t, s, nil)
		passes(t, v, "hot")
		passes(t, v, "hot")
		s.answers(reply{})
		refuses(t, v, next(), validate.ErrInactive)
		s.failing(unusable(errors.New("odd")))
		refuses(t, v, next(), validate.ErrIntrospectionInvalid)
		s.failing(refused(errors.New("who")))
		refuses(t, v, next(), validate.ErrIntrospectionRefused)
		s.failing(outOfOrder(errDown))
		for range breakAfter - 1 {
			refuses(t, v, next(), validate.ErrIntrospectionUnavailable)
		}
		if h := v.Health(); !h.Open || h.Up {
			t.Errorf("%+v", h)
		}
		refuses(t, v, next(), validate.ErrIntrospectionUnavailable) // not asked
		h := v.Health()
		want := Answers{Active: 1, Inactive: 1, Unusable: 1, Refused: 1, Failed: breakAfter - 1}
		if h.Answers != want || h.Calls != 4+breakAfter-1 || h.Turned != 1 || h.Hits != 1 || h.Misses != 4+breakAfter {
			t.Errorf("%+v, want %+v", h, want)
		}
		s.working()
		time.Sleep(probeEvery)
		passes(t, v, next())
		if h := v.Health(); h.Open || !h.Up || h.Answers.Active != 2 {
			t.Errorf("%+v", h)
		}
	})
}

// TestCountsBusy: what is beyond the limits counts as not asked.
func TestCountsBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, next := &fake{}, tokens("t")
		v, _ := fronting(t, s, func(c *Config) { c.Limits.PerSecond = 4 })
		for range 4 {
			passes(t, v, next())
		}
		refuses(t, v, next(), validate.ErrIntrospectionBusy)
		if h := v.Health(); h.Turned != 1 || h.Calls != 4 {
			t.Errorf("%+v", h)
		}
	})
}
