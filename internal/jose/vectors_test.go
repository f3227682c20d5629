package jose_test

import (
	"slices"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bearward/bearward/internal/jose"
)

// verify does with a compact JWS and one JWK what the validator does with a
// token and a key set.
func verify(compact, rawKey string) error {
	key, err := jose.ParseKey(rawKey)
	if err != nil {
		return err
	}
	return verifyWith(compact, key)
}

func verifyWith(compact string, key jose.JWK) error {
	parts, err := jose.Split(compact)
	if err != nil {
		return err
	}
	header, err := jose.ParseHeader(parts.Header)
	if err != nil {
		return err
	}
	if _, err := jose.Decode(parts.Payload); err != nil {
		return err
	}
	signature, err := jose.Decode(parts.Signature)
	if err != nil {
		return err
	}
	alg := jose.Canonical(header.Algorithm)
	if header.Critical || key.Algorithm != "" && key.Algorithm != alg {
		return jose.ErrKeyAlgorithm
	}
	if err := jose.Fits(alg, key.Public); err != nil {
		return err
	}
	return jose.Verify(alg, key.Public, []byte(parts.Input), signature)
}

func TestRFCSignatures(t *testing.T) { // [JO-08 JO-27]
	var file struct {
		Vectors []struct {
			ID      string         `json:"id"`
			Compact string         `json:"compact"`
			Alg     string         `json:"alg"`
			JWK     jsontext.Value `json:"jwk"`
			Valid   bool           `json:"signature_valid"`
		} `json:"vectors"`
	}
	vectors(t, "rfc/jws.json", &file)
	for _, v := range file.Vectors {
		t.Run(v.ID, func(t *testing.T) {
			want := v.Valid && v.Alg != "HS256" // symmetric keys never verify here
			if err := verify(v.Compact, string(v.JWK)); (err == nil) != want {
				t.Errorf("%s: got %v, want valid %v", v.Alg, err, want)
			}
		})
	}
	if len(file.Vectors) < 10 {
		t.Errorf("only %d vectors", len(file.Vectors))
	}
}

type wycheproof struct {
	TestGroups []struct {
		Comment string         `json:"comment"`
		Public  jsontext.Value `json:"public"`
		Private jsontext.Value `json:"private"`
		Tests   []struct {
			ID      int    `json:"tcId"`
			Comment string `json:"comment"`
			JWS     string `json:"jws"`
			Result  string `json:"result"`
		} `json:"tests"`
	} `json:"testGroups"`
}

// Vectors that contradict themselves, an RFC or what a JWT is, with what is right
// instead.
var contradictions = map[int]bool{
	// Same token as the valid 357, labelled "invalid padding". All symmetric.
	357: false, 367: false, 370: false,
	372: false, 373: false, // a "?" inside of base64url is not base64url: RFC 7515 §2
	346: false, 350: false, // token PS384, JWK alg PS256: RFC 7517 §4.4
	347: false, 351: false, // JWK alg ES521 does not exist: RFC 7518 §3.1
	// An empty payload is a JWS, but no JWT has one.
	259: false, 264: false, 268: false, 272: false, 320: false, 325: false,
}

func TestWycheproofSignatures(t *testing.T) { // [JO-03 JO-04 JO-06 JO-07 JO-08 JO-15]
	var file wycheproof
	vectors(t, "wycheproof/json_web_signature_test.json", &file)
	total, accepted := 0, 0
	for _, group := range file.TestGroups {
		symmetric := group.Public == nil
		key := group.Public
		if symmetric {
			key = group.Private
		}
		for _, test := range group.Tests {
			total++
			want := test.Result == "valid" && !symmetric
			if right, ok := contradictions[test.ID]; ok {
				want = right
			}
			err := verify(test.JWS, string(key))
			if (err == nil) != want {
				t.Errorf("%d %s/%s: got %v, want valid %v", test.ID, group.Comment, test.Comment, err, want)
			}
			if err == nil {
				accepted++
			}
		}
	}
	if total != 401 || accepted < 25 {
		t.Errorf("%d vectors, %d accepted", total, accepted)
	}
}

func TestWycheproofKeys(t *testing.T) { // [JO-05 JO-07 JO-09 JO-10]
	// A modulus with the weakness of CVE-2017-15361 has the right size; keys are
	// the issuer's to choose.
	deviations := []int{7}
	var file wycheproof
	vectors(t, "wycheproof/json_web_key_test.json", &file)
	for _, group := range file.TestGroups {
		symmetric := group.Public == nil
		doc := group.Public
		if symmetric {
			doc = group.Private
		}
		keys, _, _ := jose.ParseSet(string(doc), 100)
		for _, test := range group.Tests {
			want := test.Result == "valid" && !symmetric || slices.Contains(deviations, test.ID)
			got := slices.ContainsFunc(keys, func(key jose.JWK) bool { return verifyWith(test.JWS, key) == nil })
			if got != want {
				t.Errorf("%d %s/%s: got %v, want %v", test.ID, group.Comment, test.Comment, got, want)
			}
		}
	}
}
