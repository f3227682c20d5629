package jose_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/bearward/bearward/internal/jose"
	"github.com/bearward/bearward/internal/strictjson"
)

func TestSplit(t *testing.T) { // [JO-14 JO-15]
	tests := map[string]struct {
		in   string
		want error
	}{
		"three parts":        {"YQ.Yg.Yw", nil},
		"empty signature":    {"YQ.Yg.", nil},
		"empty":              {"", jose.ErrParts},
		"one part":           {"YQ", jose.ErrParts},
		"two parts":          {"YQ.Yg", jose.ErrParts},
		"four parts":         {"YQ.Yg.Yw.ZA", jose.ErrParts},
		"five parts, JWE":    {"YQ.Yg.Yw.ZA.ZQ", jose.ErrParts},
		"no header":          {".Yg.Yw", jose.ErrParts},
		"no payload":         {"YQ..Yw", jose.ErrParts},
		"dots only":          {"..", jose.ErrParts},
		"padding":            {"YQ==.Yg.Yw", jose.ErrAlphabet},
		"space before":       {" YQ.Yg.Yw", jose.ErrAlphabet},
		"space after":        {"YQ.Yg.Yw ", jose.ErrAlphabet},
		"line feed":          {"YQ.Y\ng.Yw", jose.ErrAlphabet},
		"carriage return":    {"YQ.Yg.Yw\r", jose.ErrAlphabet},
		"tab":                {"YQ.Yg\t.Yw", jose.ErrAlphabet},
		"NUL":                {"YQ.Yg.Yw\x00", jose.ErrAlphabet},
		"standard alphabet":  {"Y+.Y/.Yw", jose.ErrAlphabet},
		"quotes":             {`"YQ.Yg.Yw"`, jose.ErrAlphabet},
		"JSON serialisation": {`{"payload":"YQ","signatures":[]}`, jose.ErrAlphabet},
		"high byte":          {"YQ.Yg.Yw\xff", jose.ErrAlphabet},
		"other letters":      {"YQ.Yg.Yẃ", jose.ErrAlphabet},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := jose.Split(tt.in)
			if !errors.Is(err, tt.want) {
				t.Fatalf("got %v, want %v", err, tt.want)
			}
			if err == nil && (got.Header+"."+got.Payload+"."+got.Signature != tt.in || got.Header+"."+got.Payload != got.Input) { // [JO-27]
				t.Errorf("got %+v", got)
			}
		})
	}
}

func TestDecodeHasOneSpelling(t *testing.T) { // [JO-15]
	for in, want := range map[string]error{
		"YQ": nil, "": nil, "YWI": nil, "YWJj": nil,
		"YR": jose.ErrEncoding, "YWJ": jose.ErrEncoding, "Y": jose.ErrEncoding, "YWJjY": jose.ErrEncoding,
	} {
		if _, err := jose.Decode(in); !errors.Is(err, want) {
			t.Errorf("%q: got %v, want %v", in, err, want)
		}
	}
	for _, in := range []string{"Y\nQ", "YQ\r\n", "YQ==", "YQ.", " YQ"} {
		if _, err := jose.Decode(in); !errors.Is(err, jose.ErrAlphabet) {
			t.Errorf("%q: got %v", in, err)
		}
	}
}

func TestParseHeader(t *testing.T) {
	long := strings.Repeat("k", jose.MaxKeyID)
	tests := map[string]struct {
		json string
		want jose.Header
		err  error
	}{
		"all":               {`{"alg":"RS256","typ":"at+jwt","kid":"a"}`, jose.Header{Algorithm: "RS256", Type: "at+jwt", KeyID: "a", HasType: true, HasKeyID: true}, nil},
		"unknown ignored":   {`{"alg":"RS256","x":{"y":[1]},"Alg":"none"}`, jose.Header{Algorithm: "RS256"}, nil},                                    // [JO-21 JO-18]
		"key sources":       {`{"alg":"RS256","jku":"http://127.0.0.1","x5u":1,"jwk":{"kty":"oct"},"x5c":[]}`, jose.Header{Algorithm: "RS256"}, nil}, // [JO-22]
		"crit":              {`{"alg":"RS256","crit":["exp"]}`, jose.Header{Algorithm: "RS256", Critical: true}, nil},                                // [JO-19]
		"crit empty":        {`{"alg":"RS256","crit":[]}`, jose.Header{Algorithm: "RS256", Critical: true}, nil},                                     // [JO-19]
		"crit null":         {`{"alg":"RS256","crit":null}`, jose.Header{Algorithm: "RS256", Critical: true}, nil},                                   // [JO-19]
		"b64":               {`{"alg":"RS256","b64":true}`, jose.Header{Algorithm: "RS256", Critical: true}, nil},                                    // [JO-20]
		"empty kid is one":  {`{"alg":"RS256","kid":""}`, jose.Header{Algorithm: "RS256", HasKeyID: true}, nil},
		"longest kid":       {`{"kid":"` + long + `"}`, jose.Header{KeyID: long, HasKeyID: true}, nil},
		"kid too long":      {`{"kid":"` + long + `k"}`, jose.Header{}, jose.ErrKeyID},      // [JO-23]
		"kid is a number":   {`{"alg":"RS256","kid":1}`, jose.Header{}, strictjson.ErrType}, // [JO-23]
		"typ is a number":   {`{"alg":"RS256","typ":1}`, jose.Header{}, strictjson.ErrType},
		"alg is null":       {`{"alg":null}`, jose.Header{}, strictjson.ErrType},
		"alg is a list":     {`{"alg":["RS256"]}`, jose.Header{}, strictjson.ErrType},
		"alg twice":         {`{"alg":"none","alg":"RS256"}`, jose.Header{}, strictjson.ErrSyntax},                                    // [JO-17]
		"alg twice escaped": {`{"alg":"none","\u0061lg":"RS256"}`, jose.Header{}, strictjson.ErrSyntax},                               // [JO-17]
		"unknown twice":     {`{"alg":"RS256","a":1,"a":1}`, jose.Header{}, strictjson.ErrSyntax},                                     // [JO-17]
		"BOM":               {"\ufeff" + `{"alg":"RS256"}`, jose.Header{}, strictjson.ErrSyntax},                                      // [JO-16]
		"data after":        {`{"alg":"RS256"}{}`, jose.Header{}, strictjson.ErrSyntax},                                               // [JO-16]
		"array":             {`["RS256"]`, jose.Header{}, strictjson.ErrSyntax},                                                       // [JO-16]
		"bad UTF-8":         {`{"alg":"` + "\xc3" + `"}`, jose.Header{}, strictjson.ErrSyntax},                                        // [JO-16]
		"too long":          {`{"a":"` + strings.Repeat("a", jose.MaxHeader) + `"}`, jose.Header{}, strictjson.ErrSyntax},             // [JO-31]
		"too deep":          {`{"a":` + strings.Repeat("[", 32) + strings.Repeat("]", 32) + `}`, jose.Header{}, strictjson.ErrSyntax}, // [JO-31]
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := jose.ParseHeader(jose.Encode([]byte(tt.json)))
			if !errors.Is(err, tt.err) || got != tt.want {
				t.Errorf("got %+v, %v, want %+v, %v", got, err, tt.want, tt.err)
			}
		})
	}
	if _, err := jose.ParseHeader("YR"); !errors.Is(err, jose.ErrEncoding) { // [JO-15]
		t.Errorf("stray bits: %v", err)
	}
}
