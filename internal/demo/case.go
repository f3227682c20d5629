package demo

import (
	"cmp"
	"slices"

	"github.com/bearward/bearward/internal/issuer"
	"github.com/bearward/bearward/internal/prove"
	"github.com/bearward/bearward/validate"
)

// Place is a server of the demo.
type Place int

// The places that a case can go to.
const (
	HTTP Place = iota
	Gin
	GRPC
	Control
	TLS // net/http again
)

// Case is one thing that the demo shows.
type Case struct {
	Want   int      // HTTP status; gRPC status where On is GRPC
	What   string   // it shows
	On     Place    // where it goes
	Call   string   // METHOD /path; a gRPC method's full name; that and " stream"
	Header []string // of the request; {token} stands for a token, {proof} for a proof of it
	Token  Token    // which ones

	// Code is why the guard refuses; "" if it allows or is not asked. With
	// a Kind of token or of proof it is that kind's, unless set.
	Code validate.Code
}

// Token is what a token endpoint is asked for, and how the client shows that it
// is its own.
type Token struct {
	Kind     string // of issuer.Variants or OpaqueVariants; "" is a right token
	Scope    string
	Audience string // "" is this API
	Client   string // client_id
	Role     string
	Stranger bool // from the issuer that the guard does not know

	OfKey         bool // bound to the client's key
	OfCertificate bool // bound to the client's certificate
	Proof         Proof
}

// Proof is what goes with the token.
type Proof struct {
	Kind        string // of prove.Variants; "" is a right one
	Again       bool   // an earlier request had the same
	Nonce       bool   // it has the nonce that the answer to an earlier request named
	Certificate string // of the connection: client or other; "" is none
}

// Section is a group of cases with one lesson.
type Section struct {
	Title string
	Cases []Case
}

// Sections returns all cases in the order in which they teach. Sections run in
// every order and any number of times, and so do cases, but for the story of
// the outage: what takes the issuer down is followed by what brings it back.
func Sections() []Section {
	out := slices.Clone(sections)
	for i := range out {
		out[i].Cases = slices.Clone(out[i].Cases)
		for n := range out[i].Cases {
			if c := &out[i].Cases[n]; c.Code == "" {
				c.Code = cmp.Or(kindCode(c.Token.Kind), proofCode(c.Token.Proof.Kind))
			}
		}
	}
	return out
}

func kindCode(kind string) validate.Code {
	for _, v := range slices.Concat(issuer.Variants(), issuer.OpaqueVariants()) {
		if v.Name == kind {
			return validate.Code(v.Code)
		}
	}
	return ""
}

func proofCode(kind string) validate.Code {
	for _, v := range prove.Variants() {
		if v.Name == kind {
			return validate.Code(v.Code)
		}
	}
	return ""
}
