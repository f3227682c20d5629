package demo

import (
	"fmt"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/code"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/status"
)

// Reply is what came back.
type Reply struct {
	Status    *status.Status
	Messages  []string // JSON
	Challenge []string // trailer www-authenticate
	Nonce     string   // trailer dpop-nonce
}

// asksNonce reports that the proof needs a nonce (RFC 9449 §9).
func (r Reply) asksNonce() bool {
	for _, detail := range r.Status.Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok && info.GetMetadata()["error"] == "use_dpop_nonce" {
			return r.Nonce != ""
		}
	}
	return false
}

// String prints the reply: messages, then the status and what explains it.
func (r Reply) String() string {
	var b strings.Builder
	for _, m := range r.Messages {
		b.WriteString(m + "\n")
	}
	n := r.Status.Proto().GetCode()
	fmt.Fprintf(&b, "grpc-status: %d %s\n", n, code.Code_name[n])
	if m := r.Status.Message(); m != "" {
		fmt.Fprintf(&b, "grpc-message: %s\n", m)
	}
	for _, detail := range r.Status.Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok {
			fmt.Fprintf(&b, "reason: %s\n", info.GetReason())
		}
	}
	for _, challenge := range r.Challenge {
		fmt.Fprintf(&b, "www-authenticate: %s\n", challenge)
	}
	if r.Nonce != "" {
		fmt.Fprintf(&b, "dpop-nonce: %s\n", r.Nonce)
	}
	return b.String()
}
