package interop

import (
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/bearward/bearward/bearwardtest"
)

const (
	connections = 200
	pace        = 100 * time.Millisecond // of the requests on each
	reloads     = 10
	faulty      = 3 // of them
)

// lost counts the beginnings and ends of an outage: while it is odd, the service
// is away.
type lost struct{ turns atomic.Int64 }

// during reports that the service was away at any time since turns were so many.
func (l *lost) during(turns int64) bool { return turns%2 == 1 || l.turns.Load() != turns }

// storm is the load, and what it has found.
type storm struct {
	*asked
	issuer, redis lost // services that some requests need
	began         time.Time
	faults        atomic.Int64

	mu     sync.Mutex
	took   []time.Duration
	counts map[string]int // by kind of request and status
}

// shot is one kind of request under load.
type shot struct {
	name  string
	token func() string
	proof func(token string) string // nil: none
	again bool                      // the very same request is sent once more, which must not pass then
	want  int                       // status
	needs *lost                     // 503 is right too while this is away; nil: nothing
}

// Nothing passes that may not, and nothing is refused that may pass, but for 503 to
// requests that need a service while that is away, whatever happens: keys rotate,
// the configuration is loaded again, the issuer and Redis go away and come back.
// The server is no larger afterwards.
func TestAskUnderLoad(t *testing.T) { // [PV-07 JK-10 DP-22]
	a := startAskedProcess(t)
	s := &storm{asked: a, began: time.Now(), counts: map[string]int{}}
	span := 15 * time.Second
	if os.Getenv("BEARWARD_REQUIRE_ALL") == "1" {
		span = time.Minute
	}
	s.hold(t, func() { <-time.After(span / 5) }) // what is allocated once is there
	goroutines, heap := a.size(t)
	s.hold(t, func() {
		least := time.After(span)
		s.happen(t, span)
		<-least
	})
	s.report(t)
	for result, want := range map[string]int{"ok": reloads - faulty, "failed": faulty} {
		if got := gauge(t, a.page(t, "/metrics"), `bearward_config_reloads_total\{result="`+result+`"\}`); got != want {
			t.Errorf("%d reloads are %s, want %d", got, result, want)
		}
	}
	a.settled(t, goroutines, heap)
}

// hold sends requests on all connections until during returns.
func (s *storm) hold(t *testing.T, during func()) {
	t.Helper()
	quit := make(chan struct{})
	var wg sync.WaitGroup
	for n := range connections {
		wg.Go(func() {
			client := s.client()
			defer client.CloseIdleConnections()
			shots := s.shots(t)
			tick := time.NewTicker(pace)
			defer tick.Stop()
			for i := n; ; i++ {
				select {
				case <-quit:
					return
				case <-tick.C:
					s.shoot(t, client, shots[i%len(shots)])
				}
			}
		})
	}
	during()
	close(quit)
	wg.Wait()
}

// shots are what each connection sends in turn.
func (s *storm) shots(t *testing.T) []shot {
	iss := s.iss
	fixed := func(token string) func() string { return func() string { return token } }
	scope := bearwardtest.Claims{Scope: "orders:read"}
	client := iss.DPoP()
	bound := client.JWT(scope)
	prove := func(token string) string {
		return client.Proof(bearwardtest.Proof{URL: "https://" + publicHost + "/orders/1", Token: token, Time: time.Now()})
	}
	revoked := iss.Opaque(scope)
	iss.Revoke(revoked)
	old := iss.JWT(scope)
	return []shot{
		{name: "token", token: fixed(old), want: http.StatusOK},
		{name: "token of now", token: func() string { return iss.JWT(scope) }, want: http.StatusOK},
		{name: "opaque token", token: fixed(iss.Opaque(scope)), want: http.StatusOK, needs: &s.issuer},
		{name: "new opaque token", token: func() string { return iss.Opaque(scope) }, want: http.StatusOK, needs: &s.issuer},
		{name: "revoked", token: fixed(revoked), want: http.StatusUnauthorized, needs: &s.issuer},
		{name: "expired", token: fixed(iss.Wrong("expired", scope)), want: http.StatusUnauthorized},
		{name: "bad signature", token: fixed(iss.Wrong("bad-signature", scope)), want: http.StatusUnauthorized},
		{name: "other scope", token: fixed(iss.JWT(bearwardtest.Claims{Scope: "orders:write"})), want: http.StatusForbidden},
		{name: "none", token: fixed(""), want: http.StatusUnauthorized},
		{name: "stolen", token: fixed(bound), want: http.StatusUnauthorized},
		{name: "proven", token: fixed(bound), proof: prove, want: http.StatusOK, needs: &s.redis},
		{name: "repeated", token: fixed(bound), proof: prove, again: true, want: http.StatusOK, needs: &s.redis},
	}
}

// shoot sends one request and judges the answer.
func (s *storm) shoot(t *testing.T, client *http.Client, one shot) {
	t.Helper()
	var turns int64
	if one.needs != nil {
		turns = one.needs.turns.Load()
	}
	away := func() bool { return one.needs != nil && one.needs.during(turns) }
	token := one.token()
	fields := []string{"Authorization", "Bearer " + token}
	switch {
	case one.proof != nil:
		fields = []string{"Authorization", "DPoP " + token, "DPoP", one.proof(token)}
	case token == "":
		fields = nil
	}
	began := time.Now()
	status, why := s.get(client, fields...)
	took := time.Since(began)
	if status != one.want && (status != http.StatusServiceUnavailable || !away()) {
		s.wrong(t, "%s: status %d %s, want %d; away: %v", one.name, status, why, one.want, away())
	}
	s.mu.Lock()
	s.took = append(s.took, took)
	s.counts[fmt.Sprintf("%s: %d", one.name, status)]++
	s.mu.Unlock()
	if !one.again {
		return
	}
	second, why := s.get(client, fields...)
	switch {
	case second == http.StatusOK && status == http.StatusOK:
		s.wrong(t, "%s: a proof passed twice", one.name)
	case second != http.StatusUnauthorized && !away():
		s.wrong(t, "%s: status %d %s the second time", one.name, second, why)
	}
}

// wrong reports an answer, for the first few in full.
func (s *storm) wrong(t *testing.T, format string, args ...any) {
	t.Helper()
	if n := s.faults.Add(1); n <= 20 {
		t.Errorf("%v after the start: "+format, append([]any{time.Since(s.began).Round(time.Millisecond)}, args...)...)
	}
}

// happen is what goes wrong meanwhile.
func (s *storm) happen(t *testing.T, span time.Duration) {
	part := span / 24
	tick := time.NewTicker(part)
	defer tick.Stop()
	for n := range 2 * reloads {
		<-tick.C
		switch {
		case n%2 == 0:
			s.reload(t, n/2)
		case n == 3 || n == 17: // keys: the first new token is accepted
			s.iss.Rotate()
		case n == 7: // the issuer
			s.away(t, &s.issuer, func() {
				s.iss.Break(bearwardtest.Down)
				s.iss.BreakIntrospection(bearwardtest.Down)
			}, func() {
				s.iss.Heal()
				s.iss.HealIntrospection()
			}, s.opaqueOfNow)
		case n == 11: // Redis
			s.away(t, &s.redis, s.store.Stop, s.store.Restart, s.provenNow)
		}
	}
}

// away ends a service and brings it back, and waits until it is used again.
func (s *storm) away(t *testing.T, l *lost, end, back func(), works func(*http.Client) bool) {
	t.Helper()
	l.turns.Add(1)
	defer l.turns.Add(1)
	t.Logf("%v after the start: a service goes away", time.Since(s.began).Round(time.Millisecond))
	defer func() { t.Logf("%v after the start: it is used again", time.Since(s.began).Round(time.Millisecond)) }()
	end()
	client := s.client()
	defer client.CloseIdleConnections()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for range 20 {
		<-tick.C
	}
	back()
	for range 20 * 60 {
		if works(client) {
			return
		}
		<-tick.C
	}
	t.Error("a service is back, and is not used again")
}

func (s *storm) opaqueOfNow(client *http.Client) bool {
	status, _ := s.get(client, "Authorization", "Bearer "+s.iss.Opaque(bearwardtest.Claims{Scope: "orders:read"}))
	return status == http.StatusOK
}

func (s *storm) provenNow(client *http.Client) bool {
	key := s.iss.DPoP()
	token := key.JWT(bearwardtest.Claims{Scope: "orders:read"})
	proof := key.Proof(bearwardtest.Proof{URL: "https://" + publicHost + "/orders/1", Token: token, Time: time.Now()})
	status, _ := s.get(client, "Authorization", "DPoP "+token, "DPoP", proof)
	return status == http.StatusOK
}

// reload changes the file, every third time into a faulty one, which changes
// nothing.
func (s *storm) reload(t *testing.T, n int) {
	t.Helper()
	more := fmt.Sprintf("realm: reloaded %d times\n", n)
	if n%3 == 1 {
		more = "relm: misspelt\n"
	}
	if err := os.WriteFile(s.file, []byte(s.text+more), 0o600); err != nil {
		t.Error(err)
	}
	if err := s.process.Signal(syscall.SIGHUP); err != nil {
		t.Error(err)
	}
}

// report says how it went.
func (s *storm) report(t *testing.T) {
	t.Helper()
	slices.Sort(s.took)
	n := len(s.took)
	if n < connections {
		t.Fatalf("only %d requests", n)
	}
	t.Logf("%d requests, %d of them wrong, median %v, p99 %v, at most %v", n, s.faults.Load(), s.took[n/2], s.took[n*99/100], s.took[n-1])
	for _, what := range slices.Sorted(maps.Keys(s.counts)) {
		t.Logf("%s: %d", what, s.counts[what])
	}
}
