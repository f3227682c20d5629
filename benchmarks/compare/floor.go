package main

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/base64"
	"fmt"
	"math/big"
	"net/http"
	"strings"
	"time"
)

// rawFloor is the digest of the token and the signature check of the standard
// library, with everything prepared that can be.
func rawFloor(s *scene) (func(), error) {
	dot := strings.LastIndexByte(s.good, '.')
	whole, input := []byte(s.good), []byte(s.good[:dot])
	signature, err := base64.RawURLEncoding.DecodeString(s.good[dot+1:])
	if err != nil {
		return nil, err
	}
	check, err := rawCheck(s.server.Key(s.algorithm), input, signature)
	if err != nil {
		return nil, err
	}
	return func() {
		_ = sha256.Sum256(whole)
		if !check() {
			panic("the floor does not verify")
		}
	}, nil
}

func rawCheck(key crypto.PublicKey, input, signature []byte) (func() bool, error) {
	switch key := key.(type) {
	case *rsa.PublicKey:
		return func() bool {
			sum := sha256.Sum256(input)
			return rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], signature) == nil
		}, nil
	case *ecdsa.PublicKey:
		half := len(signature) / 2
		r, s := new(big.Int).SetBytes(signature[:half]), new(big.Int).SetBytes(signature[half:])
		der, err := asn1.Marshal(struct{ R, S *big.Int }{r, s})
		return func() bool {
			sum := sha256.Sum256(input)
			return ecdsa.VerifyASN1(key, sum[:], der)
		}, err
	case ed25519.PublicKey:
		return func() bool { return ed25519.Verify(key, input, signature) }, nil
	}
	return nil, fmt.Errorf("no floor for %T", key)
}

// digestFloor is what a cache of tokens cannot do without.
func digestFloor(s *scene) func() {
	whole := []byte(s.good)
	return func() {
		_ = sha256.Sum256(whole)
		_ = time.Now()
	}
}

type floorKey struct{}

// copyFloor is a middleware that only hands something to the handler.
func copyFloor(next http.Handler) http.Handler {
	something := &grant{subject, "client-1"}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), floorKey{}, something)))
	})
}
