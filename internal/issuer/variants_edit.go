package issuer

import (
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/bearward/bearward/internal/forge"
	"github.com/bearward/bearward/internal/jose"
)

func asClient(d *draft) error {
	d.Claims["sub"] = d.Claims["client_id"]
	return nil
}

func slashed(d *draft) error {
	iss, _ := d.Claims["iss"].(string)
	d.Claims["iss"] = iss + "/"
	return nil
}

func fractionalExpiry(d *draft) error {
	exp, _ := d.Claims["exp"].(int64)
	d.Claims["exp"] = float64(exp) + 0.5
	return nil
}

func otherCase(d *draft) error {
	d.Claims["SUB"] = d.Claims["sub"]
	delete(d.Claims, "sub")
	return nil
}

func embedStranger(d *draft) error {
	stranger, err := forge.Stranger(d)
	if err == nil {
		d.Header["jwk"] = described(stranger, d)
	}
	return err
}

func embedOwn(d *draft) error {
	d.Header["jwk"] = described(d.Key, d)
	return nil
}

// described is a key under the header's kid.
func described(k *forge.Key, d *draft) JWK {
	id, _ := d.Header["kid"].(string)
	return jwk(k, id)
}

// flipped changes one bit of the signature.
func flipped(_ *draft, token string) (string, error) {
	at := strings.LastIndexByte(token, '.') + 1
	return token[:at] + forge.Flip(token[at:]), nil
}

func changed(d *draft, token string) (string, error) {
	d.Claims["sub"] = "admin"
	raw, err := forge.JSON(d.Claims)
	parts := strings.Split(token, ".")
	return parts[0] + "." + jose.Encode(raw) + "." + parts[2], err
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

func duplicateClaim(d *draft) (err error) {
	d.RawClaims, err = forge.Repeated(d.Claims, "sub", "admin")
	return err
}
