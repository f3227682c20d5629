package validate

// Class is what a refusal means to the client: it decides status, challenge
// and gRPC code. The letters are those of the project's requirements table.
type Class byte

// The classes. Every Code has exactly one.
const (
	NoToken       Class = 'N' // 401, challenge without error
	BadRequest    Class = 'R' // 400 invalid_request
	BadToken      Class = 'T' // 401 invalid_token
	BadProof      Class = 'P' // 401 invalid_dpop_proof (RFC 9449 §7.1)
	UseNonce      Class = 'U' // 401 use_dpop_nonce, with a nonce (RFC 9449 §9)
	StepUp        Class = 'A' // 401 insufficient_user_authentication
	MissingScope  Class = 'S' // 403 insufficient_scope
	Forbidden     Class = 'F' // 403 without challenge: a new token would not help
	Unavailable   Class = 'V' // 503: the token's state is unknown
	Internal      Class = 'E' // 500 without detail
	TooEarly      Class = '4' // 425
	NotDisclosed  Class = 'H' // 404 in place of 403
	unknownClass        = Internal
	unknownPhrase       = ""
)
