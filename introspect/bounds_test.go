package introspect

import (
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bearward/bearward/validate"
)

// A flood of random tokens costs a bounded number of calls and bounded memory,
// and tokens in use stay where they are.
func TestFlood(t *testing.T) { // [IN-16 CA-05]
	synctest.Test(t, func(t *testing.T) {
		const junk, hot, seconds = 100_000, 20, 10
		s := &fake{}
		s.set(func() {
			s.says = func(raw string) (reply, *failure) {
				return reply{active: strings.HasPrefix(raw, "hot"), claims: active("").claims}, nil
			}
		})
		v, log := fronting(t, s, func(c *Config) { c.Cache.Entries = 100 })
		for i := range hot {
			passes(t, v, "hot"+strconv.Itoa(i))
		}
		busy := 0
		for i := range junk {
			if i%(junk/seconds/10) == 0 {
				time.Sleep(time.Second / 10)
			}
			_, err := v.Verify(t.Context(), "junk"+strconv.Itoa(i))
			switch validate.CodeOf(err) {
			case validate.ErrInactive:
			case validate.ErrIntrospectionBusy:
				busy++
			default:
				t.Fatalf("got %v", err)
			}
			if i%1000 == 0 {
				passes(t, v, "hot"+strconv.Itoa(i/1000%hot))
			}
		}
		if got, most := s.count()-hot, defaultPerSecond*(seconds+1); got > most || got < defaultPerSecond*seconds || busy != junk-got {
			t.Errorf("%d calls, %d busy, want at most %d calls", got, busy, most)
		}
		if got := s.count(); v.Health().Calls != uint64(got) {
			t.Errorf("%d calls, %d counted", got, v.Health().Calls)
		}
		if len(v.refused.young) > refusalsSize || len(v.refused.old) > refusalsSize || len(v.flights) != 0 {
			t.Errorf("%d and %d refusals, %d flights", len(v.refused.young), len(v.refused.old), len(v.flights))
		}
		if got := v.Health().Entries; got != hot {
			t.Errorf("%d entries", got)
		}
		before := s.count()
		for i := range hot {
			passes(t, v, "hot"+strconv.Itoa(i))
		}
		asks(t, s, before)
		if log.count("level=") != 0 { // nothing per request, and no token
			t.Errorf("log: %s", log.buf.String())
		}
	})
}

// However long junk comes, tokens in use are asked about again when their time
// is over: a part of the limits is theirs. Few requests find out that it is
// needed.
func TestLongFlood(t *testing.T) { // [IN-16 CA-05]
	synctest.Test(t, func(t *testing.T) {
		const hot, seconds = 20, 100
		s := &fake{}
		s.set(func() {
			s.says = func(raw string) (reply, *failure) {
				return reply{active: strings.HasPrefix(raw, "hot"), claims: active("").claims}, nil
			}
		})
		v, _ := fronting(t, s, func(c *Config) { c.Cache.Entries, c.Limits.PerSecond = 100, 400 })
		junk, refused := 0, 0
		for range seconds * 10 {
			time.Sleep(time.Second / 10)
			for range 100 {
				junk++
				_, _ = v.Verify(t.Context(), "junk"+strconv.Itoa(junk))
			}
			for i := range hot {
				if _, err := v.Verify(t.Context(), "hot"+strconv.Itoa(i)); err != nil {
					refused++
				}
			}
		}
		if most := 2 * hot; refused > most { // of 20,000
			t.Errorf("%d requests with tokens in use were refused, want at most %d", refused, most)
		}
		if got, most := s.count(), 400*(seconds+1); got > most {
			t.Errorf("%d calls, want at most %d", got, most)
		}
	})
}

// Callers do not reach the limits in the order of their clocks.
func TestLimitsDoNotGoBack(t *testing.T) { // [IN-16]
	g := newGate(Limits{Parallel: 1000, PerSecond: 100})
	now, passed := time.Unix(1000, 0), 0
	for i := range 400 {
		if _, err := g.enter(fakeIssuer, false, now.Add(-time.Duration(i%2)*2*time.Millisecond)); err == nil {
			passed++
		}
	}
	if passed != 100 {
		t.Errorf("%d passed at one instant", passed)
	}
}

// An hour of junk within the limits, too, is remembered in bounded room.
func TestRefusalsAreBounded(t *testing.T) { // [CA-05]
	r := newRefusals()
	now, until := time.Unix(0, 0), time.Unix(5, 0)
	gone := &validate.Error{Code: validate.ErrInactive}
	name := func(i int) (d digest) {
		d[0], d[1], d[2] = byte(i), byte(i>>8), byte(i>>16)
		return d
	}
	for i := range 10 * refusalsSize {
		r.put(name(i), refusal{gone, until})
		if len(r.young) > refusalsSize || len(r.old) > refusalsSize {
			t.Fatalf("%d and %d after %d", len(r.young), len(r.old), i)
		}
		for _, back := range []int{0, refusalsSize - 1} { // the last ones are all there
			if i >= back && r.get(name(i-back), now) != gone {
				t.Fatalf("%d is forgotten after %d", i-back, i)
			}
		}
	}
	last := name(10*refusalsSize - 1)
	if r.get(last, until) != nil {
		t.Error("remembered for too long")
	}
	r.remove(last)
	if r.get(last, now) != nil {
		t.Error("not removed")
	}
}

// The newest answers, too, weigh no more than they may, but for a single one.
func TestNewestAreBounded(t *testing.T) { // [CA-05]
	g := newGenerations[int](100)
	for i := range 1000 {
		g.put(digest{byte(i), byte(i >> 8)}, i, 1+i%40)
		young := 0
		for _, i := range g.young {
			young += 1 + i%40
		}
		if young != g.weight || young > 100 {
			t.Fatalf("%d weighs %d, counted as %d", i, young, g.weight)
		}
		for back := range min(i, 2) { // 80 at most
			if _, ok := g.get(digest{byte(i - back), byte((i - back) >> 8)}); !ok {
				t.Fatalf("%d is forgotten after %d", i-back, i)
			}
		}
	}
	for i := range 3 {
		g.put(digest{31: byte(i)}, i, 1000)
	}
	if len(g.young) != 1 || len(g.old) != 1 {
		t.Errorf("%d and %d heavy ones", len(g.young), len(g.old))
	}
}

// A server that is down for a minute under load lets nobody pass, blames no
// token, is hardly called, and is used again at once.
func TestOutage(t *testing.T) { // [IN-06 IN-16]
	synctest.Test(t, func(t *testing.T) {
		s := &fake{}
		v, log := fronting(t, s, nil)
		passes(t, v, "hot")
		s.failing(outOfOrder(errDown))
		s.answersAfter(200 * time.Millisecond)
		start := time.Now()
		var wg sync.WaitGroup
		for worker := range 20 {
			wg.Go(func() {
				for i := 0; time.Since(start) < time.Minute; i++ {
					refuses(t, v, strconv.Itoa(worker)+"-"+strconv.Itoa(i%50), validate.ErrIntrospectionUnavailable)
					time.Sleep(10 * time.Millisecond)
				}
			})
		}
		for time.Since(start) < 30*time.Second {
			passes(t, v, "hot") // until its time is over
			time.Sleep(time.Second)
		}
		refuses(t, v, "hot", validate.ErrIntrospectionUnavailable)
		wg.Wait()
		if got := s.count(); got > 1+20+12 {
			t.Errorf("%d calls to a server that is down", got)
		}
		s.working()
		time.Sleep(probeEvery)
		passes(t, v, "hot")
		passes(t, v, "0-0")
		if log.count("level=ERROR") != 1 || log.count("level=INFO") != 1 {
			t.Errorf("log: %s", log.buf.String())
		}
	})
}
