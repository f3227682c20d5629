//go:build !race

package dpop

import (
	"testing"
	"time"
)

// The bytes of the nonce are the only memory that a check needs; what was
// issued in this second already needs none.
func TestNonceAllocations(t *testing.T) {
	n := noncesWith(t, "a", nonceSecret(1), nonceSecret(2))
	nonce, now := n.issue(nonceNow), nonceNow.Add(time.Minute)
	if got := testing.AllocsPerRun(1000, func() { n.check(nonce, now) }); got > 1 {
		t.Errorf("check: %v allocations", got)
	}
	n.issue(now)
	if got := testing.AllocsPerRun(1000, func() { n.issue(now) }); got != 0 {
		t.Errorf("issue: %v allocations", got)
	}
}

func TestTargetAllocations(t *testing.T) {
	const target = "https://api.example.com/a/b"
	for htu, want := range map[string]float64{target: 0, "HTTPS://api.example.com:443/a/./%62?q": 0} {
		if got := testing.AllocsPerRun(1000, func() {
			if !sameTarget(htu, target) {
				t.Fatal(htu)
			}
		}); got != want {
			t.Errorf("%s: %v allocations", htu, got)
		}
	}
	if got := testing.AllocsPerRun(1000, func() { _, _ = NormalizeTarget(target) }); got != 1 {
		t.Errorf("NormalizeTarget: %v allocations", got)
	}
}

func BenchmarkNonceCheck(b *testing.B) {
	n := noncesWith(b, "a", nonceSecret(1))
	nonce := n.issue(nonceNow)
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := n.check(nonce, nonceNow); !ok {
			b.Fatal("refused")
		}
	}
}

func BenchmarkNonceForeign(b *testing.B) {
	var secrets [][]byte
	for i := range maxSecrets {
		secrets = append(secrets, nonceSecret(byte(i)))
	}
	n, nonce := noncesWith(b, "a", secrets...), noncesWith(b, "b", nonceSecret(1)).issue(nonceNow)
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := n.check(nonce, nonceNow); ok {
			b.Fatal("accepted")
		}
	}
}

func BenchmarkSameTarget(b *testing.B) {
	for name, htu := range map[string]string{"equal": "https://api.example.com/orders/42", "port": "https://api.example.com:443/orders/42"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if !sameTarget(htu, "https://api.example.com/orders/42") {
					b.Fatal("other")
				}
			}
		})
	}
}
