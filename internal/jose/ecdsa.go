package jose

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/sha512"
)

const (
	maxHash       = sha512.Size
	maxCoordinate = 66                        // of P-521
	maxDER        = 3 + 2*(2+1+maxCoordinate) // of a signature
)

// digest hashes input into buf.
func digest(hash crypto.Hash, input []byte, buf *[maxHash]byte) []byte {
	switch hash {
	case crypto.SHA256:
		*(*[sha256.Size]byte)(buf[:]) = sha256.Sum256(input)
	case crypto.SHA384:
		*(*[sha512.Size384]byte)(buf[:]) = sha512.Sum384(input)
	default:
		*buf = sha512.Sum512(input)
	}
	return buf[:hash.Size()]
}

// verifyECDSA takes R and S of fixed length (RFC 7518 §3.4) and hands them to
// the standard library as it wants them, without allocating.
func verifyECDSA(a *algorithm, pub crypto.PublicKey, input, signature []byte) error {
	key, ok := pub.(*ecdsa.PublicKey)
	size := (a.curve.Params().BitSize + 7) / 8
	if !ok || len(signature) != 2*size {
		return ErrSignature
	}
	var sum [maxHash]byte
	var der [maxDER]byte
	if !ecdsa.VerifyASN1(key, digest(a.hash, input, &sum), encodeDER(der[:0], signature[:size], signature[size:])) {
		return ErrSignature
	}
	return nil
}

func verifyEd25519(pub crypto.PublicKey, input, signature []byte) error {
	key, ok := pub.(ed25519.PublicKey)
	if !ok || len(signature) != ed25519.SignatureSize || !ed25519.Verify(key, input, signature) {
		return ErrSignature
	}
	return nil
}

// encodeDER appends SEQUENCE { r INTEGER, s INTEGER }.
func encodeDER(b, r, s []byte) []byte {
	r, s = minimal(r), minimal(s)
	length := len(r) + len(s) + 4 + int(r[0]>>7) + int(s[0]>>7)
	if b = append(b, 0x30); length >= 0x80 {
		b = append(b, 0x81)
	}
	b = append(b, byte(length)) //nolint:gosec // at most maxDER
	return integer(integer(b, r), s)
}

// integer appends a positive number, whose first bit must not be set.
func integer(b, n []byte) []byte {
	sign := n[0] >> 7
	b = append(b, 0x02, byte(len(n))+sign) //nolint:gosec // at most maxCoordinate
	if sign == 1 {
		b = append(b, 0)
	}
	return append(b, n...)
}

// minimal drops leading zeros, all but the last.
func minimal(n []byte) []byte {
	for len(n) > 1 && n[0] == 0 {
		n = n[1:]
	}
	return n
}
