package middleware

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/bearward/bearward/validate"
)

// Decision is the answer to one request. The zero Decision is a refusal.
type Decision struct {
	Allowed bool            // the only field an adapter decides by
	Token   *validate.Token // nil on public routes, preflights, optional routes without credentials, and if Err is set
	Err     error           // why not, an error of package validate; of an allowed request, what ReportOnly disregards
	Header  http.Header     // of the response of an allowed request, see Amend; may be nil
	Remove  []string        // header fields of an allowed request that nobody after the guard must see: forged, or not accepted
	Denial  *Denial         // the answer, unless Allowed

	by *compiled // the policy; nil where none is known
}

// Amend puts the decision's Header into the response of an allowed request.
// Lists grow; what can stand only once is replaced.
func (d *Decision) Amend(response http.Header) {
	for name, values := range d.Header {
		if name == "Vary" || name == exposeField {
			values = append(slices.Clip(response[name]), values...)
		}
		response[name] = values // [ER-20]
	}
}

// Denial is a refusal ready to be written.
type Denial struct {
	Code       validate.Code     // for logs and tests; the wire does not show it
	Status     int               // HTTP
	Error      string            // the error of RFC 6750, RFC 9449 or RFC 9470; "" if none is sent
	Header     http.Header       // challenges, Cache-Control, Content-Type, Retry-After
	Body       []byte            // application/problem+json (RFC 9457)
	GRPC       uint32            // canonical gRPC status code
	Reason     string            // google.rpc.ErrorInfo reason; "" if none is sent
	Details    map[string]string // google.rpc.ErrorInfo metadata
	RetryAfter time.Duration     // 0: not known

	scheme string // of the credential; "" if none or several came
}

// ErrorDomain is the domain of google.rpc.ErrorInfo.
const ErrorDomain = "bearward"

// ServeHTTP writes the refusal.
func (d *Denial) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	if d == nil || d.Status == 0 {
		d = newDenial(outcomes[validate.Internal], validate.ErrInternal)
	}
	h := w.Header()
	for name, values := range d.Header {
		if name != exposeField { // an outer CORS layer may have exposed others
			h.Del(name)
		}
		h[name] = append(h[name][:len(h[name]):len(h[name])], values...)
	}
	h.Set("Content-Length", strconv.Itoa(len(d.Body)))
	w.WriteHeader(d.Status)
	_, _ = w.Write(d.Body)
}

// Restate changes the status and the body that tells it, for a proxy that passes
// on some statuses only. Challenges stay.
func (d *Denial) Restate(status int) {
	d.Status, d.Body = status, problem(outcome{status: status, err: d.Error})
}

// outcome is what a class of refusals looks like on the wire.
type outcome struct {
	status    int
	err       string // error parameter
	grpc      uint32
	reason    string
	challenge bool
	scope     bool // the challenge names the route's scopes
}

// Canonical gRPC status codes.
const (
	grpcNotFound         = 5
	grpcPermissionDenied = 7
	grpcInternal         = 13
	grpcUnavailable      = 14
	grpcUnauthenticated  = 16
)

var outcomes = map[validate.Class]outcome{
	validate.NoToken:      {401, "", grpcUnauthenticated, "TOKEN_MISSING", true, true},                                                     // [ER-01 ER-03 GR-03]
	validate.BadRequest:   {400, "invalid_request", grpcUnauthenticated, "INVALID_REQUEST", true, false},                                   // [ER-05 GR-05]
	validate.BadToken:     {401, "invalid_token", grpcUnauthenticated, "INVALID_TOKEN", true, true},                                        // [ER-04 ER-06 GR-03]
	validate.BadProof:     {401, "invalid_dpop_proof", grpcUnauthenticated, "INVALID_DPOP_PROOF", true, false},                             // [ER-10 GR-03]
	validate.UseNonce:     {401, "use_dpop_nonce", grpcUnauthenticated, "USE_DPOP_NONCE", true, false},                                     // [ER-09 GR-03]
	validate.StepUp:       {401, "insufficient_user_authentication", grpcUnauthenticated, "INSUFFICIENT_USER_AUTHENTICATION", true, false}, // [ER-08 GR-05]
	validate.MissingScope: {403, "insufficient_scope", grpcPermissionDenied, "INSUFFICIENT_SCOPE", true, true},                             // [ER-02 ER-07 AZ-05 MC-06]
	validate.Forbidden:    {403, "", grpcPermissionDenied, "POLICY_DENIED", false, false},                                                  // [GR-04 AZ-08]
	validate.NotDisclosed: {404, "", grpcNotFound, "NOT_FOUND", false, false},                                                              // [ER-22]
	validate.TooEarly:     {425, "", grpcUnavailable, "TOO_EARLY", false, false},                                                           // [TR-20]
	validate.Unavailable:  {503, "", grpcUnavailable, "AUTH_BACKEND_UNAVAILABLE", false, false},                                            // [ER-23 GR-06]
	validate.Internal:     {500, "", grpcInternal, "", false, false},                                                                       // [PV-07]
}

func newDenial(o outcome, code validate.Code) *Denial {
	return &Denial{
		Code: code, Status: o.status, Error: o.err, GRPC: o.grpc, Reason: o.reason,
		Header: http.Header{
			"Cache-Control": {"no-store"}, // [ER-24]
			"Content-Type":  {"application/problem+json"},
		},
		Body: problem(o),
	}
}

// problem is the body: what the status line and the challenge say, and nothing
// else.
func problem(o outcome) []byte {
	b := append([]byte(`{"title":`), strconv.Quote(http.StatusText(o.status))...)
	b = strconv.AppendInt(append(b, `,"status":`...), int64(o.status), 10)
	if o.err != "" {
		b = append(b, `,"error":"`+o.err+`"`...)
	}
	return append(b, "}\n"...)
}
