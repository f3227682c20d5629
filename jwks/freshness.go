package jwks

import (
	"net/http"
	"strings"
	"time"

	"github.com/bearward/bearward/internal/egress"
)

// The server's word on freshness is held to these bounds.
const (
	minFresh = time.Minute
	maxFresh = 24 * time.Hour
)

// lifetime reads how long a response stays fresh (RFC 9111 §4.2) at a private
// cache, clamped; absent is returned as it is where the server says nothing.
func lifetime(h http.Header, now time.Time, absent time.Duration) time.Duration {
	life, said := explicit(h, now)
	if !said {
		return absent
	}
	return min(max(life, minFresh), maxFresh) // [JK-14]
}

func explicit(h http.Header, now time.Time) (life time.Duration, said bool) {
	cc := directives(h.Values("Cache-Control"))
	if _, ok := cc["no-store"]; ok { // [JK-14]
		return 0, true
	}
	if _, ok := cc["no-cache"]; ok { // [JK-14]
		return 0, true
	}
	if age, ok := cc["max-age"]; ok { // [JK-14]
		return egress.Seconds(age) - egress.Seconds(h.Get("Age")), true
	}
	if expires := h.Get("Expires"); expires != "" { // [JK-14]
		until, err := http.ParseTime(expires)
		if err != nil {
			return 0, true
		}
		if date, err := http.ParseTime(h.Get("Date")); err == nil { // [JK-14]
			now = date
		}
		return until.Sub(now) - egress.Seconds(h.Get("Age")), true
	}
	return 0, false
}

// directives splits Cache-Control; of a repeated directive the first counts.
func directives(lines []string) map[string]string {
	out := map[string]string{}
	for _, part := range strings.Split(strings.Join(lines, ","), ",") {
		name, value, _ := strings.Cut(part, "=")
		name = strings.ToLower(strings.TrimSpace(name))
		if _, ok := out[name]; !ok && name != "" {
			out[name] = strings.Trim(strings.TrimSpace(value), `"`)
		}
	}
	return out
}
