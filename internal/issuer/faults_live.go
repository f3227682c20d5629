package issuer

import (
	"fmt"
	"maps"
	"net/http"
	"slices"

	"github.com/bearward/bearward/internal/forge"
)

// The faults of introspection only. Down, Slow, Status500, Garbage, Huge,
// Redirect and HTML are faults of it, too.
const (
	Status400     Fault = "400"            // status 400, unsupported_token_type
	Status401     Fault = "401"            // status 401, whatever the client proves
	Status403     Fault = "403"            // status 403
	Status429     Fault = "429"            // status 429, Retry-After: 7
	Status503     Fault = "503"            // status 503
	RedirectPost  Fault = "redirect-307"   // as Redirect; clients that follow send the form again
	Empty         Fault = "empty"          // status 200 without a body
	ActiveText    Fault = "active-text"    // active is "true"
	ActiveNumber  Fault = "active-number"  // active is 1
	ActiveNull    Fault = "active-null"    // active is null
	ActiveMissing Fault = "active-missing" // no active
	Duplicate     Fault = "duplicate"      // active twice, false and then the right one
	Array         Fault = "array"          // the right answer in an array
	Trailing      Fault = "trailing"       // a second object after the right answer
	Deep          Fault = "deep"           // a member nested 1,000 deep
	PlainText     Fault = "plain-text"     // the right answer as text/plain
	NoStore       Fault = "no-store"       // the right answer with Cache-Control: no-store
	MaxAge        Fault = "max-age"        // the right answer with Cache-Control: max-age=5
)

// liveFault replaces every answer, or changes the right one. A signed answer
// keeps its body.
type liveFault struct {
	replace func(*Server, http.ResponseWriter, *http.Request)
	members members
	body    func([]byte) []byte
	header  map[string]string
}

var liveFaults = map[Fault]liveFault{
	Down:      {replace: answers[Down]},
	Slow:      {replace: (*Server).hold},
	Garbage:   {replace: status(200, jsonType, `{"active":true,"sub":`)},
	HTML:      {replace: answers[HTML]},
	Status400: {replace: status(400, jsonType, `{"error":"unsupported_token_type"}`)},
	Status401: {replace: status(401, jsonType, `{"error":"invalid_client"}`, "WWW-Authenticate", `Basic realm="issuer"`)},
	Status403: {replace: status(403, jsonType, `{"error":"access_denied"}`)},
	Status429: {replace: status(429, "text/plain", "too many requests", "Retry-After", "7")},
	Status500: {replace: answers[Status500]},
	Status503: {replace: status(503, "text/plain", "unavailable")},
	Empty:     {replace: status(200, jsonType, "")},
	Redirect:  {replace: (*Server).redirect},
	RedirectPost: {replace: func(s *Server, w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, s.moved+r.URL.Path, http.StatusTemporaryRedirect)
	}},
	ActiveText:    {members: members{"active": "true"}},
	ActiveNumber:  {members: members{"active": 1}},
	ActiveNull:    {members: members{"active": forge.Null}},
	ActiveMissing: {members: members{"active": nil}},
	Huge:          {members: members{"padding": forge.Letters(hugeSize)}},
	Deep:          {members: members{"extra": forge.Nested(1000)}},
	Duplicate:     {body: around(`{"active":false,`, 1, "")},
	Array:         {body: around("[", 0, "]")},
	Trailing:      {body: around("", 0, "{}")},
	PlainText:     {header: map[string]string{"Content-Type": "text/plain"}},
	NoStore:       {header: map[string]string{"Cache-Control": "no-store"}},
	MaxAge:        {header: map[string]string{"Cache-Control": "max-age=5"}},
}

// status answers always the same; header is one name and its value.
func status(code int, kind, body string, header ...string) func(*Server, http.ResponseWriter, *http.Request) {
	return func(_ *Server, w http.ResponseWriter, _ *http.Request) {
		if len(header) > 0 {
			w.Header().Set(header[0], header[1])
		}
		fixed(w, code, kind, body)
	}
}

// around writes text before and behind a body, whose first bytes are cut off.
func around(before string, cut int, behind string) func([]byte) []byte {
	return func(body []byte) []byte {
		return slices.Concat([]byte(before), body[cut:], []byte(behind))
	}
}

// IntrospectionFaults returns every fault of introspection.
func IntrospectionFaults() []Fault { return slices.Sorted(maps.Keys(liveFaults)) }

// BreakIntrospection begins a fault of introspection, tokeninfo and
// revocation. Metadata and keys are not concerned.
func (s *Server) BreakIntrospection(f Fault) error {
	if _, ok := liveFaults[f]; !ok {
		return fmt.Errorf("issuer: no fault of introspection %q, there are %q", f, IntrospectionFaults())
	}
	s.turn(live, f)
	return nil
}

// HealIntrospection ends the fault. Requests that Slow holds are answered.
func (s *Server) HealIntrospection() { s.turn(live, healthy) }
