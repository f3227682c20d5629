package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"time"

	"github.com/bearward/bearward/benchmarks/rounds"
)

// rawVerify is the CPU time of one check of a proof's signature by the standard
// library, which nobody who judges proofs can do without.
func rawVerify() (time.Duration, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return 0, err
	}
	sum := sha256.Sum256([]byte("a proof"))
	signature, err := ecdsa.SignASN1(rand.Reader, key, sum[:])
	if err != nil {
		return 0, err
	}
	right := true
	cost := rounds.Plan{Rounds: 5}.Measure(func() { right = ecdsa.VerifyASN1(&key.PublicKey, sum[:], signature) && right })
	if !right {
		panic("the standard library does not verify what it signed")
	}
	return time.Duration(cost[0].CPU), nil
}
