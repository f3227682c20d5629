package doctor

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/bearward/bearward/internal/egress"
)

var (
	clockFine  = define("clock", OK, "its clock and this machine's agree", "")
	clockApart = define("clock_apart", Warning, "its clock and this machine's differ by {apart}", "set both by NTP; a difference above {path}leeway ({leeway}) refuses new tokens or accepts old ones")
	clockWrong = define("clock_wrong", Error, "its clock and this machine's differ by {apart}, more than the leeway of {leeway}", "set both by NTP; {path}leeway goes up to 300s, which is no repair")
	clockMute  = define("clock_unknown", Info, "its clock could not be read: no answer has a Date", "")
)

// tolerated is a difference that comes from whole seconds and the way of an answer.
const tolerated = 5 * time.Second

// reading is a server's clock, compared with ours.
type reading struct{ apart time.Duration }

// read takes the time out of an answer. An answer of a cache says how old it is
// (RFC 9111 §5.1).
func (v *visit) read(resp egress.Response, began time.Time) {
	date, err := http.ParseTime(resp.Header.Get("Date"))
	if err != nil {
		return
	}
	now := v.Now()
	theirs := date.Add(egress.Seconds(resp.Header.Get("Age")))
	between := began.Add(now.Sub(began) / 2)
	apart := theirs.Sub(between).Abs()
	if v.clock == nil || apart < v.clock.apart {
		v.clock = &reading{apart}
	}
}

func clock(_ context.Context, v *visit) {
	switch {
	case v.clock == nil && slices.ContainsFunc(v.fetched, func(p page) bool { return p.resp.Status != 0 }):
		v.say(clockMute)
	case v.clock == nil:
	case v.clock.apart <= tolerated:
		v.say(clockFine)
	case v.clock.apart <= v.issuer.Leeway:
		v.say(clockApart, "apart", seconds(v.clock.apart), "leeway", seconds(v.issuer.Leeway), "path", v.path)
	default:
		v.say(clockWrong, "apart", seconds(v.clock.apart), "leeway", seconds(v.issuer.Leeway), "path", v.path)
	}
}
