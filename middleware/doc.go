// Package middleware decides about one request: may it pass, with which token,
// and if not, what is the answer.
//
// A [Guard] is made once, a [Policy] once per route. [Guard.Decide] takes a
// [Request] as it was received and returns a [Decision]; adapters (httpauth,
// ginauth, grpcauth) translate and look at Allowed only. Every refusal carries
// a [Denial]: status, challenges and body, ready to be written.
package middleware
