package bearward_test

import (
	"context"
	"strconv"
	"sync"
	"testing"

	"github.com/bearward/bearward"
	"github.com/bearward/bearward/middleware"
	"github.com/bearward/bearward/validate"
)

// held is a key source that answers when it is told to.
type held struct {
	asked chan<- struct{}
	open  <-chan struct{}
}

func (h held) Keys(context.Context, string, string) ([]*validate.Key, error) {
	h.asked <- struct{}{}
	<-h.open
	return nil, nil
}

func (held) Live(*validate.Key) bool { return false }

// TestSlowIssuerStallsNobodyElse: while requests wait for the keys of one
// issuer, those of another are decided. [CL-07]
func TestSlowIssuerStallsNobodyElse(t *testing.T) {
	slow, quick := newIssuer(t), newIssuer(t)
	asked, on := make(chan struct{}), make(chan struct{})
	g := newGuard(t, bearward.Config{Resource: api, Issuers: []bearward.Issuer{
		{URL: slow.URL(), Keys: held{asked, on}}, {URL: quick.URL(), Keys: static(t, quick)},
	}})
	fast := mint(t, quick, nil)
	var all sync.WaitGroup
	for range 64 {
		waiting := mint(t, slow, nil)
		all.Go(func() {
			if d := decide(t, g, waiting); validate.CodeOf(d.Err) != validate.ErrKeyUnknown {
				t.Errorf("%v", d.Err)
			}
		})
		<-asked
	}
	for range 64 {
		if d := decide(t, g, fast); !d.Allowed {
			t.Error(d.Err)
		}
	}
	close(on)
	all.Wait()
}

// TestTenThousandIssuers are told apart, and none of them is asked for a token
// that names another.
func TestTenThousandIssuers(t *testing.T) {
	s := newIssuer(t)
	issuers := []bearward.Issuer{{URL: s.URL(), Name: "main", Keys: static(t, s)}}
	for n := range 10_000 {
		issuers = append(issuers, bearward.Issuer{URL: "https://" + strconv.Itoa(n) + ".example.test", Keys: panicky{}})
	}
	g := newGuard(t, bearward.Config{Resource: api, Issuers: issuers})
	for range 100 {
		if d := decide(t, g, mint(t, s, nil)); !d.Allowed {
			t.Fatal(d.Err)
		}
	}
	for iss, want := range map[string]validate.Code{
		"https://10000.example.test": validate.ErrIssuerUnknown,
		"https://9999.example.test":  validate.ErrInternal, // its own source is asked
	} {
		if d := decide(t, g, mint(t, s, map[string]any{"iss": iss})); validate.CodeOf(d.Err) != want {
			t.Errorf("%s: %v", iss, d.Err)
		}
	}
	p, err := g.Prepare(middleware.Policy{Issuers: []string{"main"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, d := g.Decide(t.Context(), middleware.Request{}, p); d.Allowed || d.Denial.Status != 401 {
		t.Errorf("%+v", d)
	}
}

// panicky is a key source that must not be asked.
type panicky struct{}

func (panicky) Keys(context.Context, string, string) ([]*validate.Key, error) { panic("asked") }
func (panicky) Live(*validate.Key) bool                                       { panic("asked") }

// TestClaimNamesAreEncoded: names that try to end their string stay names, so
// that the issuer of tests and demos signs what it was given.
func TestClaimNamesAreEncoded(t *testing.T) {
	s := newIssuer(t)
	g := newGuard(t, bearward.Config{Resource: api, Issuers: []bearward.Issuer{{URL: s.URL(), Keys: static(t, s)}}})
	for _, name := range []string{`x":1,"scope":"admin","y`, `x\`, "x\x00\n", `"`, `\u0073cope`} {
		d := decide(t, g, mint(t, s, map[string]any{name: "v"}))
		if !d.Allowed {
			t.Errorf("%q: %v", name, d.Err)
			continue
		}
		var claims map[string]any
		if err := d.Token.Claims(&claims); err != nil || claims[name] != "v" || len(d.Token.Scopes) != 0 {
			t.Errorf("%q: %v %v", name, claims, err)
		}
	}
}
