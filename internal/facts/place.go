package facts

import (
	"math"
	"unsafe"
)

// place is where a text stands: in the payload, or, with a negative offset, in what
// does not stand there.
type place struct{ at, length int32 }

// keeper finds places for texts.
type keeper struct {
	payload string
	others  []byte
}

// place finds or makes the place of a text. One that shares the payload's memory
// stands in it.
func (k *keeper) place(s string) place {
	if s == "" {
		return place{}
	}
	at := address(s) - address(k.payload)
	if n := len(k.payload); n > math.MaxInt32 || at >= uintptr(n) || len(s) > n-int(at) {
		at = ^uintptr(len(k.others))
		k.others = append(k.others, s...)
	}
	return place{int32(at), int32(len(s))} //nolint:gosec // no token is that long
}

func address(s string) uintptr { return uintptr(unsafe.Pointer(unsafe.StringData(s))) } //nolint:gosec // to compare, not to read

func (f *Facts) text(p place) string {
	switch {
	case p.length == 0:
		return ""
	case p.at < 0:
		at := ^p.at
		return f.rare.texts[at : at+p.length]
	}
	return f.Payload[p.at : p.at+p.length]
}
