package prove

import (
	"net/http"
	"strings"
	"testing"
)

func TestAsksNonce(t *testing.T) {
	for line, want := range map[string]bool{
		`DPoP error="use_dpop_nonce"`: true,
		`DPoP algs="ES256 PS256", error="use_dpop_nonce", error_description="a, \"b\" c"`: true,
		`dpop realm="a" , ERROR = use_dpop_nonce`:                                         true,
		`Bearer realm="https://api.example.test", DPoP error="use_dpop_nonce"`:            true,
		`Bearer, DPoP error="use_dpop_nonce"`:                                             true,
		`DPoP error="use_\dpop_nonce"`:                                                    true,

		``:                                false,
		`DPoP`:                            false,
		`DPoP error="invalid_dpop_proof"`: false,
		`DPoP error="USE_DPOP_NONCE"`:     false,
		`DPoP errors="use_dpop_nonce"`:    false,
		`Bearer error="use_dpop_nonce"`:   false,
		`DPoP algs="ES256", Bearer error="use_dpop_nonce"`:     false,
		`Bearer realm="DPoP error=use_dpop_nonce"`:             false,
		`Bearer realm="\", DPoP error=\"use_dpop_nonce\", \""`: false,
		`DPoP error="use_dpop_nonce`:                           false,
		`"DPoP error=use_dpop_nonce`:                           false,
		`= DPoP error="use_dpop_nonce"`:                        false,
	} {
		if got := asksNonce(http.Header{"Www-Authenticate": {line}}); got != want {
			t.Errorf("%s: %t", line, got)
		}
	}
	if !asksNonce(http.Header{"Www-Authenticate": {"Bearer", `DPoP error="use_dpop_nonce"`}}) {
		t.Error("the second line is not read")
	}
	if asksNonce(nil) {
		t.Error("asks without a challenge")
	}
}

// FuzzAsksNonce wants an end, and the words in the line that ask.
func FuzzAsksNonce(f *testing.F) {
	f.Add(`Bearer realm="a", DPoP algs="ES256", error="use_dpop_nonce"`)
	f.Add(`DPoP error="use_\dpop_nonce`)
	f.Add(`Basic YTpi==, DPoP error=x`)
	f.Fuzz(func(t *testing.T, line string) {
		if asks(line) && !strings.Contains(strings.ToLower(line), "dpop") {
			t.Errorf("%q asks", line)
		}
	})
}
