package egress

import (
	"strconv"
	"strings"
	"time"
)

// Seconds reads delta-seconds (RFC 9111 §1.2.2): what is too large counts as
// very long, what is no number as nothing.
func Seconds(s string) time.Duration {
	if s == "" || strings.Trim(s, "0123456789") != "" {
		return 0
	}
	const most = 10 * 365 * 24 * 60 * 60
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n > most {
		n = most
	}
	return time.Duration(n) * time.Second
}
