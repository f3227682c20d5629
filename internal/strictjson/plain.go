package strictjson

import (
	"encoding/binary"
	"slices"
	"strings"
)

// maxNames is how many names of a plain text may be open at a time.
const maxNames = 48

// plain reports that src is strict JSON of the plain kind that nearly all tokens
// are: an object of ASCII without escapes, white space and fractions,
// with few members. It is there for speed only. False says nothing, and the
// library judges: so what is accepted here has to be what that accepts, and no
// more, which a fuzz target holds.
func plain(src string) bool {
	if !printable(src) || src == "" || src[0] != '{' {
		return false
	}
	s := scan{src: src}
	return s.object(0, 1) == len(src)
}

// printable reports that every byte is ASCII and none a control character or a
// backslash, eight at a time.
func printable(src string) bool {
	const (
		ones  = 0x0101010101010101
		highs = 0x80 * ones
	)
	var odd uint64 // the high bit of a byte tells
	rest := view(src)
	for ; len(rest) >= 8; rest = rest[8:] {
		word := binary.LittleEndian.Uint64(rest)
		odd |= word | (word - ' '*ones) | ((word ^ '\\'*ones) - ones)
	}
	for _, c := range rest {
		if c < ' ' || c == '\\' || c >= 0x80 {
			return false
		}
	}
	return odd&highs == 0
}

// scan walks over a text without judging what printable did. Its methods take the
// offset at which a value begins and return the one behind it, or doubt.
type scan struct {
	src   string
	names [maxNames]string // of the objects that are open
	open  int
}

const doubt = -1

func (s *scan) at(i int) byte {
	if uint(i) < uint(len(s.src)) {
		return s.src[i]
	}
	return 0
}

func (s *scan) value(i, depth int) int {
	switch c := s.at(i); {
	case c == '"':
		return s.text(i)
	case c == '{':
		return s.object(i, depth)
	case c == '[':
		return s.array(i, depth)
	case c == '0':
		return i + 1
	case '1' <= c && c <= '9':
		for i++; '0' <= s.at(i) && s.at(i) <= '9'; i++ {
		}
		return i
	}
	for _, word := range [...]string{"true", "false", "null"} {
		if i >= 0 && i < len(s.src) && strings.HasPrefix(s.src[i:], word) {
			return i + len(word)
		}
	}
	return doubt
}

func (s *scan) text(i int) int {
	if n := strings.IndexByte(s.src[i+1:], '"'); n >= 0 {
		return i + n + 2
	}
	return doubt
}

func (s *scan) array(i, depth int) int {
	if depth > MaxDepth {
		return doubt
	}
	if s.at(i+1) == ']' {
		return i + 2
	}
	for {
		i = s.value(i+1, depth+1)
		if i == doubt {
			return doubt
		}
		switch s.at(i) {
		case ',':
		case ']':
			return i + 1
		default:
			return doubt
		}
	}
}

func (s *scan) object(i, depth int) int {
	if depth > MaxDepth {
		return doubt
	}
	if s.at(i+1) == '}' {
		return i + 2
	}
	var seen uint64 // marks of the names
	for first := s.open; ; {
		if s.at(i+1) != '"' {
			return doubt
		}
		end := s.text(i + 1)
		if end == doubt || !s.name(s.src[i+2:end-1], first, &seen) || s.at(end) != ':' {
			return doubt
		}
		i = s.value(end+1, depth+1)
		if i == doubt {
			return doubt
		}
		switch s.at(i) {
		case ',':
		case '}':
			s.open = first
			return i + 1
		default:
			return doubt
		}
	}
}

// name remembers a name, unless the object, whose names begin at first, has it
// already. Only those with the same mark need to be compared.
func (s *scan) name(name string, first int, seen *uint64) bool {
	if s.open == maxNames {
		return false
	}
	mark := uint64(1)
	if n := len(name); n > 0 {
		mark <<= (uint(n) + 5*uint(name[0]) + 11*uint(name[n-1])) % 64
	}
	if *seen&mark != 0 && slices.Contains(s.names[first:s.open], name) {
		return false
	}
	*seen |= mark
	s.names[s.open] = name
	s.open++
	return true
}
