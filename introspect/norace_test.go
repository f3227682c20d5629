//go:build !race

package introspect

import (
	"testing"
	"time"
)

// A hit allocates nothing.
func TestHitAllocations(t *testing.T) {
	s := &fake{}
	v, _ := fronting(t, s, nil)
	ctx := t.Context()
	const raw = "opaque-token-of-usual-length-0123456789"
	token, err := v.Verify(ctx, raw)
	if err != nil {
		t.Fatal(err)
	}
	verify := func() {
		if _, err := v.Verify(ctx, raw); err != nil {
			t.Fatal(err)
		}
	}
	confirm := func() {
		if err := v.Confirm(ctx, raw, token, time.Minute); err != nil {
			t.Fatal(err)
		}
	}
	verify()
	confirm()
	if got := testing.AllocsPerRun(1000, verify); got != 0 {
		t.Errorf("Verify: %v allocations on a hit", got)
	}
	if got := testing.AllocsPerRun(1000, confirm); got != 0 {
		t.Errorf("Confirm: %v allocations on a hit", got)
	}
	asks(t, s, 2)
}

func BenchmarkHit(b *testing.B) {
	v, _ := fronting(b, &fake{}, nil)
	ctx := b.Context()
	const raw = "opaque-token-of-usual-length-0123456789"
	if _, err := v.Verify(ctx, raw); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			_, _ = v.Verify(ctx, raw)
		}
	})
}
