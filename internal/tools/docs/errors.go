package main

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/bearward/bearward/validate"
)

// answers says what each class looks like to the client, in the order of the
// document.
var answers = []struct {
	class validate.Class
	title string
	text  string
}{
	{validate.NoToken, "No credentials", "HTTP 401 with a challenge that names no error; gRPC UNAUTHENTICATED, TOKEN_MISSING."},
	{validate.BadRequest, "Malformed request", "HTTP 400 `invalid_request`; gRPC UNAUTHENTICATED, INVALID_REQUEST."},
	{validate.TooEarly, "Too early", "HTTP 425 without a challenge."},
	{validate.BadToken, "Invalid token", "HTTP 401 `invalid_token`; gRPC UNAUTHENTICATED, INVALID_TOKEN."},
	{validate.BadProof, "Invalid proof", "HTTP 401 `invalid_dpop_proof` in the DPoP challenge; gRPC UNAUTHENTICATED, INVALID_DPOP_PROOF."},
	{validate.UseNonce, "Nonce needed", "HTTP 401 `use_dpop_nonce` in the DPoP challenge, with one `DPoP-Nonce`; gRPC UNAUTHENTICATED, USE_DPOP_NONCE, `dpop-nonce` in the trailer."},
	{validate.StepUp, "Step-up", "HTTP 401 `insufficient_user_authentication` with `acr_values` or `max_age`; gRPC UNAUTHENTICATED, INSUFFICIENT_USER_AUTHENTICATION."},
	{validate.MissingScope, "Missing scope", "HTTP 403 `insufficient_scope` with all scopes needed; gRPC PERMISSION_DENIED, INSUFFICIENT_SCOPE."},
	{validate.Forbidden, "Forbidden", "HTTP 403 without a challenge: a new token would not help; gRPC PERMISSION_DENIED, POLICY_DENIED."},
	{validate.NotDisclosed, "Hidden", "HTTP 404 in place of 403, on routes that ask for it; gRPC NOT_FOUND."},
	{validate.Unavailable, "Unavailable", "HTTP 503, `Retry-After` where known: the token's state is unknown; gRPC UNAVAILABLE, AUTH_BACKEND_UNAVAILABLE."},
	{validate.Internal, "Internal error", "HTTP 500 without detail; gRPC INTERNAL."},
}

const errorsHead = `# Codes

Made by ` + "`go run ./internal/tools/docs`" + ` from the table in package validate; a test
keeps it up to date.

A code names one reason for a refusal. It is stable: logs, metrics, reports and
` + "`errors.Is(err, validate.ErrExpired)`" + ` use it. The wire carries the class and the
fixed text only, never a part of the token.
`

// errorTable writes docs/errors.md.
func errorTable(string) (string, error) {
	codes, info := validate.Codes()
	listed := 0
	var b strings.Builder
	b.WriteString(errorsHead)
	for _, answer := range answers {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\n| code | error_description | source | what to look at |\n| --- | --- | --- | --- |\n", answer.title, answer.text)
		for _, code := range codes {
			row := info[code]
			if row.Class != answer.class {
				continue
			}
			listed++
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", code, cmp.Or(row.Phrase, "-"), row.Source, row.Fix)
		}
	}
	if listed != len(codes) {
		return "", fmt.Errorf("%d of %d codes have a class that errors.go does not know", len(codes)-listed, len(codes))
	}
	return b.String(), nil
}
