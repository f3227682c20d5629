package facts

import "time"

// moment is a date: microseconds since 1970 and one, 0 if there is none.
type moment int64

// The first and last dates that a moment can be, far beyond any in a token.
var (
	first = time.UnixMicro(-1 << 60)
	last  = time.UnixMicro(1 << 60)
)

func momentOf(t time.Time) moment {
	switch {
	case t.IsZero():
		return 0
	case t.Before(first):
		t = first
	case t.After(last):
		t = last
	}
	return moment(t.UnixMicro() + 1)
}

func (m moment) time() time.Time {
	if m == 0 {
		return time.Time{}
	}
	return time.UnixMicro(int64(m) - 1)
}

func roundUp(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.Add(time.Microsecond - 1)
}
