package issuer

import (
	"bytes"
	"maps"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

func duplicateHeader(d *draft) (err error) {
	d.rawHeader, err = repeated(d.header, "alg", "none")
	return err
}

func duplicateClaim(d *draft) (err error) {
	d.rawClaims, err = repeated(d.claims, "sub", "admin")
	return err
}

// repeated encodes object with one more member in front, whose name it has
// already.
func repeated(object members, name, value string) ([]byte, error) {
	var out bytes.Buffer
	enc := jsontext.NewEncoder(&out, jsontext.AllowDuplicateNames(true))
	for _, t := range []jsontext.Token{jsontext.BeginObject, jsontext.String(name), jsontext.String(value)} {
		if err := enc.WriteToken(t); err != nil {
			return nil, err
		}
	}
	for _, member := range slices.Sorted(maps.Keys(object)) {
		raw, err := json.Marshal(object[member], json.Deterministic(true))
		if err != nil {
			return nil, err
		}
		if err := enc.WriteToken(jsontext.String(member)); err != nil {
			return nil, err
		}
		if err := enc.WriteValue(raw); err != nil {
			return nil, err
		}
	}
	if err := enc.WriteToken(jsontext.EndObject); err != nil {
		return nil, err
	}
	return bytes.TrimSpace(out.Bytes()), nil
}

func trailingHeader(d *draft) (err error) {
	d.rawHeader, err = wrapped("", d.header, "{}")
	return err
}

func trailing(d *draft) (err error) {
	d.rawClaims, err = wrapped("", d.claims, "{}")
	return err
}

func byteOrderMark(d *draft) (err error) {
	d.rawClaims, err = wrapped("\ufeff", d.claims, "")
	return err
}

func claimsArray(d *draft) (err error) {
	d.rawClaims, err = wrapped("[", d.claims, "]")
	return err
}

func wrapped(before string, object members, behind string) ([]byte, error) {
	raw, err := bytesOf(nil, object)
	return append(append([]byte(before), raw...), behind...), err
}

func invalidUTF8(d *draft) (err error) {
	const stand = "~~here~~"
	d.claims["extra"] = stand
	raw, err := bytesOf(nil, d.claims)
	d.rawClaims = bytes.Replace(raw, []byte(stand), []byte{0xff, 0xfe}, 1)
	return err
}

func claimsText(d *draft) error {
	d.rawClaims = []byte("not JSON")
	return nil
}
