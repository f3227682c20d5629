package issuer

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"strings"

	"github.com/go-json-experiment/json"
)

func asClient(d *draft) error {
	d.claims["sub"] = d.claims["client_id"]
	return nil
}

func slashed(d *draft) error {
	iss, _ := d.claims["iss"].(string)
	d.claims["iss"] = iss + "/"
	return nil
}

func fractionalExpiry(d *draft) error {
	exp, _ := d.claims["exp"].(int64)
	d.claims["exp"] = float64(exp) + 0.5
	return nil
}

func otherCase(d *draft) error {
	d.claims["SUB"] = d.claims["sub"]
	delete(d.claims, "sub")
	return nil
}

func lowerAlgorithm(d *draft) error {
	d.header["alg"] = strings.ToLower(d.key.alg)
	return nil
}

func unsigned(d *draft) error {
	d.signature = func([]byte) ([]byte, error) { return nil, nil }
	return nil
}

// strangersKey signs with a key that the issuer does not have.
func strangersKey(d *draft) error {
	_, err := signedByStranger(d)
	return err
}

func embedStranger(d *draft) error {
	stranger, err := signedByStranger(d)
	if err == nil {
		d.header["jwk"] = stranger.jwk()
	}
	return err
}

func signedByStranger(d *draft) (*key, error) {
	stranger, err := newKey(d.key.alg, d.key.id)
	if err == nil {
		d.signature = stranger.sign
	}
	return stranger, err
}

func embedOwn(d *draft) error {
	d.header["jwk"] = d.key.jwk()
	return nil
}

// macPEM is the confusion of RFC 8725 §2.1: everybody has the public key.
func macPEM(d *draft) error {
	der, err := x509.MarshalPKIXPublicKey(d.key.private.Public())
	if err == nil {
		d.signature = mac(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	}
	return err
}

func macJWK(d *draft) error {
	secret, err := json.Marshal(d.key.jwk())
	if err == nil {
		d.signature = mac(secret)
	}
	return err
}

func mac(secret []byte) func([]byte) ([]byte, error) {
	return func(input []byte) ([]byte, error) {
		h := hmac.New(sha256.New, secret)
		h.Write(input)
		return h.Sum(nil), nil
	}
}

// flipped changes the first letter of the signature, all of whose bits count.
func flipped(_ *draft, token string) (string, error) {
	at := strings.LastIndexByte(token, '.') + 1
	return token[:at] + other(token[at]) + token[at+1:], nil
}

func other(c byte) string {
	if c == 'A' {
		return "B"
	}
	return "A"
}

func changed(d *draft, token string) (string, error) {
	d.claims["sub"] = "admin"
	raw, err := bytesOf(nil, d.claims)
	parts := strings.Split(token, ".")
	return parts[0] + "." + encode(raw) + "." + parts[2], err
}

func twoParts(_ *draft, token string) (string, error) {
	return token[:strings.LastIndexByte(token, '.')], nil
}

func fiveParts(_ *draft, token string) (string, error) { return token + ".AAAA.AAAA", nil }

func padded(_ *draft, token string) (string, error) { return token + "==", nil }

func spaced(_ *draft, token string) (string, error) {
	return strings.Replace(token, ".", ". ", 1), nil
}

func broken(_ *draft, token string) (string, error) {
	at := len(token) - 10
	return token[:at] + "\n" + token[at:], nil
}

func jsonSerialisation(_ *draft, token string) (string, error) {
	parts := strings.Split(token, ".")
	out, err := json.Marshal(members{"protected": parts[0], "payload": parts[1], "signature": parts[2]}, json.Deterministic(true))
	return string(out), err
}

// nonCanonical pads the claims until base64url leaves bits over at their end,
// and sets one of them. The signature covers this spelling.
func nonCanonical(d *draft) error {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	for pad := ""; ; pad += "x" {
		d.claims["extra"] = pad
		raw, err := bytesOf(nil, d.claims)
		if err != nil {
			return err
		}
		if len(raw)%3 != 0 {
			d.rawClaims = raw
			break
		}
	}
	d.respell = func(part string) string {
		last := len(part) - 1
		at := strings.IndexByte(alphabet, part[last]) | 1
		return part[:last] + alphabet[at:at+1]
	}
	return nil
}

func letters(n int) string { return strings.Repeat("x", n) }

func nested(depth int) any {
	var v any = 1
	for range depth {
		v = []any{v}
	}
	return v
}
