package server

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/bearward/bearward/bearwardtest"
	"github.com/bearward/bearward/internal/issuer"
	"github.com/bearward/bearward/internal/prove"
)

// secretsOf are the parts of a token or proof by which it could be used or
// guessed: short ones, such as a header that says alg only, are none.
func secretsOf(texts ...string) (out []string) {
	for _, text := range texts {
		for _, part := range append(strings.FieldsFunc(text, func(r rune) bool { return r == '.' || r == ' ' }), text) {
			if len(part) >= 16 {
				out = append(out, part)
			}
		}
	}
	return out
}

// TestNothingSecretIsTold sends every kind of token and proof, right and wrong,
// and looks for what they contain in all that leaves the server: logs at level
// info and debug, metrics, readiness, challenges and bodies of refusals.
// [PV-01 PV-02 PV-03]
func TestNothingSecretIsTold(t *testing.T) {
	for _, level := range []slog.Level{slog.LevelInfo, slog.LevelDebug} {
		t.Run(level.String(), func(t *testing.T) {
			log := &notes{}
			s := serve(t, echo, "dpop: {enabled: true, nonce: required}\npublic_url: https://api.example.test\n"+rules+"report_only: false\n", func(s *Service) {
				s.logger = slog.New(slog.NewJSONHandler(log, &slog.HandlerOptions{Level: level}))
			})
			s.loaded()
			claims := bearwardtest.Claims{
				Subject: "alice-the-subject", ClientID: "secret-client-id", Scope: "secret-scope", ID: "secret-token-id",
				Extra: map[string]any{"email": "alice@people.example", "custom": "secret-custom-claim", "roles": []string{"secret-role"}},
			}
			secrets := []string{"alice-the-subject", "alice@people.example", "secret-custom-claim", "secret-role", "secret-scope", "secret-query", "secret-cookie", "secret-header"}
			if level > slog.LevelDebug { // the audit line of an accepted token names these two
				secrets = append(secrets, "secret-client-id", "secret-token-id")
			}
			told := &strings.Builder{}
			refused := 0
			send := func(fields ...string) {
				a := s.ask("GET", "/read?secret-query=1", append(fields, "Cookie: a=secret-cookie", "X-Custom: secret-header")...)
				if a.StatusCode != 200 {
					refused++
					fmt.Fprintln(told, a.Header, a.body)
				}
			}
			tokens := []string{s.issuer.JWT(claims), s.token("read"), "opaque-" + strings.Repeat("x", 40)}
			for _, kind := range issuer.Variants() {
				if token := s.issuer.Wrong(kind.Name, claims); len(token) < 16<<10 && !strings.ContainsAny(token, "\r\n\x00") {
					tokens = append(tokens, token)
				}
			}
			for _, token := range tokens {
				send("Authorization: Bearer " + token)
				secrets = append(secrets, secretsOf(token)...)
			}
			h := s.holder()
			proving := prove.Claims{Method: "GET", URL: "https://api.example.test/read", Token: h.token, Nonce: "secret-nonce-of-somebody", Time: h.clock.Now()}
			secrets = append(secrets, secretsOf(h.token)...)
			secrets = append(secrets, proving.Nonce)
			for _, kind := range prove.Variants() {
				values, err := h.key.Wrong(kind.Name, proving)
				if err != nil {
					t.Fatal(err)
				}
				fields := []string{"Authorization: DPoP " + h.token}
				for _, v := range values {
					if !strings.ContainsAny(v, "\r\n\x00") && len(v) < 8<<10 {
						fields = append(fields, "DPoP: "+v)
						secrets = append(secrets, secretsOf(v)...)
					}
				}
				send(fields...)
			}
			if refused < len(tokens) {
				t.Errorf("%d refusals of %d tokens", refused, len(tokens))
			}
			for _, path := range []string{"/metrics", "/readyz", "/healthz"} {
				_, body := s.state(path)
				told.WriteString(body)
			}
			slices.Sort(secrets)
			for _, secret := range slices.Compact(secrets) {
				if strings.Contains(log.String(), secret) {
					t.Errorf("the log has %.40q", secret)
				}
				if strings.Contains(told.String(), secret) {
					t.Errorf("an answer has %.40q", secret)
				}
			}
			for line := range strings.Lines(log.String()) {
				if !json.Valid([]byte(line)) {
					t.Errorf("no JSON: %s", line)
				}
			}
			for _, want := range []string{`"code":"signature_invalid"`, `"token_ref":"`, `"subject_ref":"`, `"route":"GET /read"`, `"status":401`} {
				if !strings.Contains(log.String(), want) {
					t.Errorf("the log lacks %s", want)
				}
			}
		})
	}
}
