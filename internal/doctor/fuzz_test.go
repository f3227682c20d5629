package doctor

import (
	"net/http"
	"strings"
	"testing"
	"unicode"

	"github.com/bearward/bearward/internal/egress"
	"github.com/bearward/bearward/internal/server/config"
)

// FuzzDocuments: whatever stands where metadata and keys are expected, what is
// said about it is short and has nothing in it that steers a terminal.
func FuzzDocuments(f *testing.F) {
	for _, body := range []string{
		"", "{}", plainMetadata, set(), set(goodKey, secretKey, privateKey, weakKey, ed25519Key, `{"kty":"AKP"}`),
		`{"issuer":"https://a/","id_token_signing_alg_values_supported":["HS256"]}`, `{"issuer":"https://b/{tenantid}"}`, "{\"issuer\":\"\u202e\"}", `{"issuer":`,
	} {
		f.Add(body, body)
	}
	f.Fuzz(func(t *testing.T, body, header string) {
		v := &visit{
			exam:   &exam{chart: &chart{file: new(config.File)}},
			issuer: &config.Issuer{Issuer: "https://a", Preset: "generic"}, path: "issuers[0].",
			fetched: []page{{url: "https://a", resp: egress.Response{
				Status: http.StatusOK, Body: body, Header: http.Header{"Location": {header}, challengeName: {header}},
			}}},
		}
		v.set("https://a/keys", body)
		v.differs(v.fetched[0])
		v.without("jwks_uri")
		v.failed(place{what: "its metadata", url: header}, v.fetched[0].resp, egress.ErrRedirect)
		(&front{exam: v.exam, bare: v.fetched[0].resp}).challenges(http.Header{challengeName: {"Bearer"}}, nil)
		_ = summary(v.fetched[0].resp)
		for _, finding := range v.findings {
			for _, text := range []string{finding.Found, finding.Fix} {
				if len(text) > 2000 || strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
					t.Errorf("%q", text)
				}
			}
		}
	})
}
