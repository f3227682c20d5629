package demo

import "github.com/bearward/bearward/validate"

var (
	byDPoP = []string{"Authorization: DPoP {token}", "DPoP: {proof}"}
	bound  = Token{Scope: "orders:read", OfKey: true}
)

// proof is a token bound to the client's key, with a proof of a kind.
func proof(kind string) Token {
	t := bound
	t.Proof.Kind = kind
	return t
}

// shown is a token bound to the client's certificate, over a connection with a
// certificate.
func shown(certificate string) Token {
	return Token{Scope: "orders:read", OfCertificate: true, Proof: Proof{Certificate: certificate}}
}

const (
	getPayments = "GET /payments"
	pay         = "POST /payments"
	getPartners = "GET /partners"
	callPay     = "/" + service + "/Pay"
)

var ofKey = Section{"Bound to a key (DPoP): the token works with a proof by that key, for one request", []Case{
	{200, "right proof, net/http", HTTP, getPayments, byDPoP, bound, ""},
	{200, "right proof, gin", Gin, getPayments, byDPoP, bound, ""},
	{0, "right proof, gRPC", GRPC, listOrders, byDPoP, bound, ""},
	{200, "opaque and bound: the issuer says to which key", HTTP, getPayments, byDPoP, Token{Kind: "opaque", Scope: "orders:read", OfKey: true}, ""},
	{401, "the same proof twice: the second request is a replay", HTTP, getPayments, byDPoP, Token{Scope: "orders:read", OfKey: true, Proof: Proof{Again: true}}, validate.ErrProofReplayed},
	{401, "the bound token as Bearer, which is how a thief would send it", HTTP, getOrders, bearer, bound, validate.ErrConfirmationUnproven},
	{16, "the bound token as Bearer, gRPC", GRPC, listOrders, bearer, bound, validate.ErrConfirmationUnproven},
	{401, "no proof", HTTP, getPayments, byDPoP[:1], bound, validate.ErrProofMissing},
	{401, "a proof by another key", HTTP, getPayments, byDPoP, proof("other-key"), ""},
	{401, "a proof for another URL", HTTP, getPayments, byDPoP, proof("htu-path"), ""},
	{401, "a proof for another URL, gin", Gin, getPayments, byDPoP, proof("htu-path"), ""},
	{401, "a proof for another method", HTTP, getPayments, byDPoP, proof("htm-other"), ""},
	{401, "a proof for another token", HTTP, getPayments, byDPoP, proof("ath-other"), ""},
	{401, "a proof that is an hour old", HTTP, getPayments, byDPoP, proof("iat-hour-old"), ""},
	{401, "a proof that has a private key in it", HTTP, getPayments, byDPoP, proof("jwk-d"), ""},
	{401, "a token that is bound to nothing, with a right proof", HTTP, getOrders, byDPoP, read, validate.ErrTokenNotBound},
	{401, "a token that is bound to nothing, where one has to be: only DPoP is offered", HTTP, getPayments, bearer, read, validate.ErrBindingRequired},
	{401, "this route wants a nonce in the proof, and the answer has one", HTTP, pay, byDPoP, bound, validate.ErrNonceMissing},
	{201, "with that nonce", HTTP, pay, byDPoP, Token{Scope: "orders:read", OfKey: true, Proof: Proof{Nonce: true}}, ""},
	{201, "with that nonce, gin", Gin, pay, byDPoP, Token{Scope: "orders:read", OfKey: true, Proof: Proof{Nonce: true}}, ""},
	{0, "with that nonce, gRPC: the client asks twice by itself", GRPC, callPay, byDPoP, bound, ""},
}}

var ofCertificate = Section{"Bound to a certificate (mTLS): the token works over connections with it", []Case{
	{200, "its certificate", TLS, getPartners, bearer, shown(clientCertificate), ""},
	{401, "another certificate", TLS, getPartners, bearer, shown(otherCertificate), validate.ErrCertificateMismatch},
	{401, "no certificate", TLS, getPartners, bearer, shown(""), validate.ErrCertificateMissing},
	{401, "no TLS, so no certificate", HTTP, getPartners, bearer, shown(""), validate.ErrCertificateMissing},
	{401, "a bound token is held to it on every route", TLS, getOrders, bearer, shown(""), validate.ErrCertificateMissing},
	{401, "and so is an opaque one", TLS, getOrders, bearer, Token{Kind: "opaque", Scope: "orders:read", OfCertificate: true, Proof: Proof{Certificate: otherCertificate}}, validate.ErrCertificateMismatch},
	{16, "over gRPC there is no TLS in this demo", GRPC, listOrders, bearer, shown(""), validate.ErrCertificateMissing},
	{401, "a token that is bound to nothing, where one has to be", TLS, getPartners, bearer, Token{Scope: "orders:read", Proof: Proof{Certificate: clientCertificate}}, validate.ErrBindingRequired},
	{200, "bound to key and certificate: both are proven", TLS, getOrders, byDPoP, Token{Scope: "orders:read", OfKey: true, OfCertificate: true, Proof: Proof{Certificate: clientCertificate}}, ""},
	{401, "bound to both, and one is missing", TLS, getOrders, byDPoP, Token{Scope: "orders:read", OfKey: true, OfCertificate: true}, validate.ErrCertificateMissing},
}}
