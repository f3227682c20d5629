package introspect

import (
	"errors"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/bearward/bearward/internal/egress"
	"github.com/bearward/bearward/internal/strictjson"
)

var (
	errContentType = errors.New("the answer has another content type")
	errSyntax      = errors.New("the answer is not one strict JSON object")
	errNoActive    = errors.New("the answer has no member active")
	errActive      = errors.New("the member active is not a boolean")
)

// maxAge is the longest that Cache-Control is believed; answers are used for
// less.
const maxAge = 24 * time.Hour

// readAnswer reads a plain answer (RFC 7662 §2.2). Of an inactive one nothing
// else is looked at.
func readAnswer(body string) (reply, error) {
	active := ""
	r := strictjson.Open(body)
	for name, ok := r.Next(); ok; name, ok = r.Next() {
		if name == "active" {
			active = r.Raw()
		}
	}
	if r.Err() != nil { // [IN-06]
		return reply{}, errSyntax
	}
	switch active {
	case "true":
		return reply{active: true, claims: body}, nil
	case "false":
		return reply{}, nil // [IN-04]
	case "":
		return reply{}, errNoActive
	}
	return reply{}, errActive // [IN-03]
}

// judgeStatus tells apart what a status says about the server, about us and
// about one token. It returns nil for those in usable.
func judgeStatus(resp egress.Response, now time.Time, usable ...int) *failure {
	for _, status := range usable {
		if resp.Status == status {
			return nil
		}
	}
	err := egress.StatusError(resp.Status)
	switch resp.Status {
	case http.StatusUnauthorized, http.StatusForbidden: // [IN-05]
		return refused(err)
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusRequestURITooLong, http.StatusRequestHeaderFieldsTooLarge: // [IN-06]
		return unusable(err)
	case http.StatusTooManyRequests: // [IN-06]
		f := down(err)
		f.counts, f.pause = false, max(retryAfter(resp.Header, now), minPause)
		return f
	case http.StatusServiceUnavailable:
		f := down(err)
		f.pause = retryAfter(resp.Header, now) // [IN-06]
		return f
	}
	return down(err)
}

// retryAfter reads the header (RFC 9110 §10.2.3); 0: it says nothing.
func retryAfter(h http.Header, now time.Time) time.Duration {
	value := strings.TrimSpace(h.Get("Retry-After"))
	if value == "" {
		return 0
	}
	wait := maxPause
	if strings.Trim(value, "0123456789") == "" {
		if n, err := strconv.Atoi(value); err == nil && n < int(maxPause/time.Second) {
			wait = time.Duration(n) * time.Second
		}
	} else if at, err := http.ParseTime(value); err == nil {
		wait = at.Sub(now)
	} else {
		return 0
	}
	return min(max(wait, minPause), maxPause) // [IN-16]
}

// isJSON reports whether a media type is JSON. An HTML page of a gateway, for
// example, says nothing about a token.
func isJSON(kind string) bool {
	return kind == "application/json" || strings.HasPrefix(kind, "application/") && strings.HasSuffix(kind, "+json")
}

// mediaType is the content type without parameters, "" if it is unreadable.
func mediaType(h http.Header) string {
	kind, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil {
		return ""
	}
	return kind
}

// freshness adds what Cache-Control says (RFC 9111 §5.2.2) to the reply.
func (r reply) freshness(h http.Header) reply {
	for directive := range strings.SplitSeq(strings.Join(h.Values("Cache-Control"), ","), ",") {
		name, value, _ := strings.Cut(directive, "=")
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "no-store", "no-cache": // [IN-13]
			r.noStore = true
		case "max-age":
			age := min(egress.Seconds(strings.Trim(strings.TrimSpace(value), `"`)), maxAge)
			if r.hasMaxAge {
				age = min(age, r.maxAge)
			}
			r.maxAge, r.hasMaxAge = age, true // [IN-13]
		}
	}
	return r
}
