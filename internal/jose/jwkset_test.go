package jose_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/bearward/bearward/internal/jose"
)

func TestParseSetSkipsWhatItCannotUse(t *testing.T) { // [JK-08]
	k := testKeys()
	good := edJWK(k.ed.Public(), `,"kid":"good"`)
	tests := map[string]struct {
		key     string
		private bool
	}{
		"unknown kty":      {key: `{"kty":"AKP","alg":"ML-DSA-44","pub":"AA"}`},
		"null":             {key: `null`},
		"number":           {key: `1`},
		"array":            {key: `[]`},
		"no members":       {key: `{}`},
		"repeated member":  {key: `{"kty":"OKP","kty":"OKP"}`},                                       // [JK-10]
		"deep":             {key: `{"a":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}`}, // [JO-31]
		"private":          {key: edJWK(k.ed.Public(), `,"d":"AA"`), private: true},                  // [JK-09]
		"private repeated": {key: edJWK(k.ed.Public(), `,"d":"AA","d":"AA"`), private: true},         // [JK-09]
		"symmetric":        {key: `{"kty":"oct","k":"AAAA"}`, private: true},                         // [JK-09]
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			keys, skipped, err := jose.ParseSet(`{"keys":[`+tt.key+`,`+good+`],"more":{}}`, 100)
			if err != nil || len(keys) != 1 || keys[0].ID != "good" {
				t.Fatalf("got %v, %v", keys, err)
			}
			if len(skipped) != 1 || skipped[0].Index != 0 || skipped[0].Err == nil || skipped[0].Private != tt.private {
				t.Errorf("skipped %+v", skipped)
			}
		})
	}
}

func TestParseSetRefuses(t *testing.T) {
	good := edJWK(testKeys().ed.Public(), "")
	many := func(n int) string { return strings.TrimSuffix(strings.Repeat(good+",", n), ",") }
	tests := map[string]struct {
		doc  string
		want error
	}{
		"empty input":      {``, jose.ErrSet},
		"HTML":             {`<!doctype html>`, jose.ErrSet},
		"array":            {`[` + good + `]`, jose.ErrSet},
		"no keys member":   {`{"Keys":[` + good + `]}`, jose.ErrSet}, // [JO-18]
		"keys is null":     {`{"keys":null}`, jose.ErrSet},
		"keys is object":   {`{"keys":{}}`, jose.ErrSet},
		"cut":              {`{"keys":[` + good + `]`, jose.ErrSet},
		"cut in a key":     {`{"keys":[` + good[:20], jose.ErrSet},
		"data after":       {`{"keys":[` + good + `]} {}`, jose.ErrSet},                         // [JK-05]
		"repeated keys":    {`{"keys":[` + good + `],"k\u0065ys":[` + good + `]}`, jose.ErrSet}, // [JK-10]
		"repeated other":   {`{"a":1,"keys":[` + good + `],"a":2}`, jose.ErrSet},                // [JK-10]
		"bad UTF-8":        {`{"keys":[` + good + `],"a":"` + "\xff" + `"}`, jose.ErrSet},
		"empty":            {`{"keys":[]}`, jose.ErrEmptySet},                     // [JK-16]
		"none usable":      {`{"keys":[{"kty":"AKP"}]}`, jose.ErrNoUsableKey},     // [JK-16]
		"101 keys":         {`{"keys":[` + many(101) + `]}`, jose.ErrTooManyKeys}, // [JK-07]
		"101 useless keys": {`{"keys":[` + strings.Repeat("1,", 100) + good + `]}`, jose.ErrTooManyKeys},
		"10,000 deep":      {`{"keys":` + strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000) + `}`, jose.ErrSet},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if keys, _, err := jose.ParseSet(tt.doc, 100); !errors.Is(err, tt.want) || keys != nil {
				t.Errorf("got %v, %v, want %v", keys, err, tt.want)
			}
		})
	}
	if keys, _, err := jose.ParseSet(`{"keys":[`+many(100)+`]}`, 100); err != nil || len(keys) != 100 {
		t.Errorf("100 keys: %d, %v", len(keys), err)
	}
}
