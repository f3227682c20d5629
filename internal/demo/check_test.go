package demo

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/bearward/bearward/internal/issuer"
	"github.com/bearward/bearward/middleware"
	"github.com/bearward/bearward/validate"
)

func TestCheck(t *testing.T) {
	d := start(t, Options{Free: true})
	for range 2 { // nothing that a case does spoils the next run
		var out bytes.Buffer
		if err := d.Check(t.Context(), &out); err != nil {
			t.Fatalf("%v\n%s", err, out.String())
		}
	}
}

// The cases do not depend on their order, but for the end of the outage.
func TestCheckBackwards(t *testing.T) {
	d := start(t, Options{Free: true})
	all := Sections()
	slices.Reverse(all)
	for _, section := range all {
		for _, c := range section.Cases {
			if err := d.check(t.Context(), c); err != nil {
				t.Errorf("%s: %v", c.What, err)
			}
		}
	}
}

// A check that cannot fail checks nothing.
func TestCheckFails(t *testing.T) {
	d := start(t, Options{Free: true})
	for _, test := range []struct {
		says string
		c    Case
	}{
		{"status 401", Case{200, "", HTTP, getOrders, nil, nothing, validate.ErrTokenMissing}},
		{"status 200", Case{401, "", HTTP, getOrders, bearer, read, ""}},
		{"status 0", Case{16, "", GRPC, listOrders, bearer, read, ""}},
		{"reason token_expired", Case{401, "", HTTP, getOrders, bearer, kind("expired"), validate.ErrNotYetValid}},
		{"reason none", Case{404, "", HTTP, "GET /nothing", nil, nothing, validate.ErrRouteDenied}},
		{"a challenge: false", Case{404, "", HTTP, "GET /nothing", nil, nothing, validate.ErrTokenMissing}},
		{"a challenge: true", Case{401, "", HTTP, getOrders, nil, nothing, ""}},
		{"a challenge: true", Case{16, "", GRPC, listOrders, nil, nothing, ""}},
		{"reason proof_key_mismatch", Case{401, "", HTTP, getPayments, byDPoP, proof("other-key"), validate.ErrProofReplayed}},
		{"nothing was repeated yet", Case{401, "", Gin, pay, byDPoP, Token{Scope: "orders:read", OfKey: true, Proof: Proof{Again: true}}, validate.ErrNonceMissing}},
		{"2 proofs of kind", Case{401, "", HTTP, getPayments, byDPoP, proof("two"), ""}},
		{"no kind of proof", Case{401, "", HTTP, getPayments, byDPoP, proof("no-such-kind"), ""}},
		{"no nonce", Case{401, "", HTTP, getOrders, nil, nothing, validate.ErrNonceMissing}},
		{"status 200", Case{401, "", TLS, getPartners, bearer, shown(clientCertificate), ""}},
		{"no kind of token", Case{401, "", HTTP, getOrders, bearer, Token{Kind: "no-such-kind"}, ""}},
	} {
		if err := d.check(t.Context(), test.c); err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%v, not %q", err, test.says)
		}
	}
	old := sections
	t.Cleanup(func() { sections = old })
	sections = []Section{{"wrong", []Case{{500, "wrong", HTTP, getOrders, nil, nothing, ""}}}}
	var out bytes.Buffer
	if err := d.Check(t.Context(), &out); err == nil || !strings.HasPrefix(out.String(), "FAIL  500") {
		t.Errorf("%v %s", err, out.String())
	}
}

func TestCasesAreSound(t *testing.T) {
	seen := map[string]bool{}
	var kinds []string
	for _, v := range slices.Concat(issuer.Variants(), issuer.OpaqueVariants()) {
		kinds = append(kinds, v.Name)
	}
	for _, section := range Sections() {
		for _, c := range section.Cases {
			if seen[c.status()+c.What] || strings.ContainsAny(c.What, "\n\r") || c.What == "" {
				t.Errorf("%q is not one line that stands once", c.What)
			}
			seen[c.status()+c.What] = true
			if k := c.Token.Kind; k != "" && !slices.Contains(kinds, k) {
				t.Errorf("%s: no kind %q", c.What, k)
			}
			if p := c.Token.Proof; p.Kind != "" && !c.proven() || p.Certificate != "" && c.On != TLS || c.On == GRPC && p != (Proof{}) {
				t.Errorf("%s: what would prove the token is not used: %+v", c.What, p)
			}
		}
	}
}

// What is refused is told with its reason; what comes from outside is quoted.
func TestRefusalsAreTold(t *testing.T) {
	var log bytes.Buffer
	o := &observer{out: &log}
	o.Observe(t.Context(), middleware.Event{Method: "GET", Path: "/\x1b[31m" + strings.Repeat("a", 1000), Code: validate.ErrExpired})
	o.Observe(t.Context(), middleware.Event{Method: "GET", Path: "/fine", Allowed: true})
	text := log.String()
	if !strings.Contains(text, "token_expired") || strings.Contains(text, "\x1b") || len(text) > 400 || strings.Contains(text, "/fine") {
		t.Errorf("%q", text)
	}
}
