package introspect

import (
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bearward/bearward/validate"
)

// tokens are names that were not used before.
func tokens(prefix string) func() string {
	n := 0
	return func() string { n++; return prefix + strconv.Itoa(n) }
}

func TestBreaker(t *testing.T) { // [IN-16 IN-06]
	synctest.Test(t, func(t *testing.T) {
		s, next := &fake{}, tokens("t")
		v, log := fronting(t, s, nil)
		passes(t, v, "hot")
		s.failing(outOfOrder(errDown))
		for range breakAfter {
			refuses(t, v, next(), validate.ErrIntrospectionUnavailable)
		}
		asks(t, s, 1+breakAfter)
		err := refuses(t, v, next(), validate.ErrIntrospectionUnavailable)
		if got := comeBack(err); got != probeEvery {
			t.Errorf("Retry-After %v", got)
		}
		passes(t, v, "hot") // what is fresh is used
		time.Sleep(probeEvery - time.Nanosecond)
		refuses(t, v, next(), validate.ErrIntrospectionUnavailable)
		asks(t, s, 1+breakAfter)
		time.Sleep(time.Nanosecond)
		for range 10 { // one of them is the probe
			refuses(t, v, next(), validate.ErrIntrospectionUnavailable)
		}
		asks(t, s, 2+breakAfter)
		time.Sleep(probeEvery)
		s.answers(reply{})
		refuses(t, v, next(), validate.ErrInactive) // an answer
		s.working()
		passes(t, v, next())
		if log.count("level=ERROR") != 1 || log.count("level=INFO") != 1 || log.count("level=") != 2 {
			t.Errorf("log: %s", log.buf.String())
		}
	})
}

// While a probe is in flight there is no other, however long it takes.
func TestOneProbe(t *testing.T) { // [IN-16]
	synctest.Test(t, func(t *testing.T) {
		s, next := &fake{}, tokens("t")
		v, _ := fronting(t, s, func(c *Config) { c.Limits.Timeout = 30 * time.Second })
		s.failing(outOfOrder(errDown))
		for range breakAfter {
			refuses(t, v, next(), validate.ErrIntrospectionUnavailable)
		}
		answer := make(chan struct{})
		s.holds(answer)
		s.working()
		time.Sleep(probeEvery)
		go func() { _, _ = v.Verify(t.Context(), "probe") }()
		synctest.Wait()
		time.Sleep(2 * probeEvery)
		refuses(t, v, next(), validate.ErrIntrospectionUnavailable)
		asks(t, s, breakAfter+1)
		close(answer)
		synctest.Wait()
		passes(t, v, next())
	})
}

// Any answer resets the count, what may lie in a token does neither.
func TestWhatCounts(t *testing.T) { // [IN-16]
	synctest.Test(t, func(t *testing.T) {
		s, next := &fake{}, tokens("t")
		v, log := fronting(t, s, nil)
		fail := func(f *failure, n int) {
			s.failing(f)
			for range n {
				refuses(t, v, next(), f.code)
			}
		}
		for range 3 {
			fail(outOfOrder(errDown), breakAfter-1)
			s.answers(reply{})
			refuses(t, v, next(), validate.ErrInactive)
		}
		fail(odd(), 10*breakAfter) // junk does not open it
		s.working()
		passes(t, v, next())
		fail(outOfOrder(errDown), breakAfter-1)
		fail(odd(), 3)
		fail(outOfOrder(errDown), 1)
		before := s.count()
		refuses(t, v, next(), validate.ErrIntrospectionUnavailable)
		asks(t, s, before)
		if log.count("level=ERROR") != 1 {
			t.Errorf("log: %s", log.buf.String())
		}
	})
}

// Tokens that the server cannot read do not keep the breaker open: they do not
// use up the probe.
func TestJunkTakesNoProbe(t *testing.T) { // [IN-16]
	synctest.Test(t, func(t *testing.T) {
		s, next := &fake{}, tokens("t")
		v, _ := fronting(t, s, nil)
		s.failing(outOfOrder(errDown))
		for range breakAfter {
			refuses(t, v, next(), validate.ErrIntrospectionUnavailable)
		}
		time.Sleep(probeEvery)
		s.failing(odd())
		refuses(t, v, next(), validate.ErrIntrospectionInvalid)
		s.working()
		passes(t, v, next())
	})
}

func TestPause(t *testing.T) { // [IN-16]
	synctest.Test(t, func(t *testing.T) {
		s, next := &fake{}, tokens("t")
		v, _ := fronting(t, s, nil)
		passes(t, v, "hot")
		s.failing(&failure{code: validate.ErrIntrospectionUnavailable, err: errDown, pause: 20 * time.Second})
		refuses(t, v, next(), validate.ErrIntrospectionUnavailable)
		s.working()
		time.Sleep(time.Second)
		if got := comeBack(refuses(t, v, next(), validate.ErrIntrospectionUnavailable)); got != 19*time.Second {
			t.Errorf("Retry-After %v", got)
		}
		passes(t, v, "hot")
		h := v.Health()
		if h.Up || h.LastError == "" || time.Until(h.NextTry) != 19*time.Second {
			t.Errorf("health %+v", h)
		}
		asks(t, s, 2)
		time.Sleep(19 * time.Second)
		passes(t, v, next())
		s.failing(&failure{code: validate.ErrIntrospectionUnavailable, err: errDown, pause: time.Hour})
		refuses(t, v, next(), validate.ErrIntrospectionUnavailable)
		s.working()
		time.Sleep(maxPause)
		passes(t, v, next())
		for range 2 * breakAfter { // pauses do not count
			s.failing(&failure{code: validate.ErrIntrospectionUnavailable, err: errDown, pause: time.Second})
			refuses(t, v, next(), validate.ErrIntrospectionUnavailable)
			time.Sleep(time.Second)
		}
		s.working()
		passes(t, v, next())
	})
}

func TestParallel(t *testing.T) { // [IN-16]
	synctest.Test(t, func(t *testing.T) {
		s, next, answer := &fake{}, tokens("t"), make(chan struct{})
		v, _ := fronting(t, s, func(c *Config) { c.Limits.Parallel = 3 })
		passes(t, v, "hot")
		s.holds(answer)
		for range 3 {
			raw := next()
			go passes(t, v, raw)
		}
		synctest.Wait()
		if got := comeBack(refuses(t, v, next(), validate.ErrIntrospectionBusy)); got != time.Second {
			t.Errorf("Retry-After %v", got)
		}
		passes(t, v, "hot")
		asks(t, s, 4)
		close(answer)
		synctest.Wait()
		passes(t, v, next())
	})
}

func TestPerSecond(t *testing.T) { // [IN-16]
	synctest.Test(t, func(t *testing.T) {
		s, next := &fake{}, tokens("t")
		v, _ := fronting(t, s, func(c *Config) { c.Limits.PerSecond = 10 })
		for range 10 {
			passes(t, v, next())
		}
		refuses(t, v, next(), validate.ErrIntrospectionBusy)
		passes(t, v, "t1")
		time.Sleep(100 * time.Millisecond)
		passes(t, v, next())
		refuses(t, v, next(), validate.ErrIntrospectionBusy)
		if h := v.Health(); h.Calls != 11 || !h.Up {
			t.Errorf("health %+v", h)
		}
	})
}

// Wrong credentials of our own are an alarm, once, and no answer.
func TestCredentialsAlarm(t *testing.T) { // [IN-05]
	synctest.Test(t, func(t *testing.T) {
		s, next := &fake{}, tokens("t")
		v, log := fronting(t, s, nil)
		f := outOfOrder(errDown)
		f.code = validate.ErrIntrospectionRefused
		s.failing(f)
		for range 3 {
			refuses(t, v, next(), validate.ErrIntrospectionRefused)
		}
		if log.count("level=ERROR") != 1 || log.count("credentials") != 1 {
			t.Errorf("log: %s", log.buf.String())
		}
		s.working()
		passes(t, v, next())
		s.failing(f)
		refuses(t, v, next(), validate.ErrIntrospectionRefused)
		if log.count("credentials") != 2 {
			t.Errorf("log: %s", log.buf.String())
		}
	})
}

func TestHealth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, next := &fake{}, tokens("t")
		v, _ := fronting(t, s, nil)
		if h := v.Health(); !h.Up || h.LastError != "" || !h.LastSuccess.IsZero() || !h.NextTry.IsZero() || h.Issuer != fakeIssuer || !h.Endpoint {
			t.Errorf("at first: %+v", h)
		}
		passes(t, v, next())
		start := time.Now()
		time.Sleep(time.Second)
		s.failing(outOfOrder(errDown))
		for range breakAfter {
			refuses(t, v, next(), validate.ErrIntrospectionUnavailable)
		}
		h := v.Health()
		if h.Up || h.LastError == "" || !h.LastSuccess.Equal(start) || h.NextTry.Sub(start) != probeEvery+time.Second || h.Calls != 1+breakAfter || h.Entries != 1 {
			t.Errorf("down: %+v", h)
		}
		if strings.Contains(h.LastError, errDown.Error()) {
			t.Errorf("text from outside: %q", h.LastError)
		}
		time.Sleep(probeEvery)
		s.working()
		passes(t, v, next())
		if h := v.Health(); !h.Up || h.LastError != "" || !h.NextTry.IsZero() {
			t.Errorf("up again: %+v", h)
		}
	})
}
