package demo

import (
	"cmp"
	"fmt"
	"io"
	"strings"
)

// Print says what runs where, and then every case in exactly two lines:
//
//	# STATUS what it shows
//	the command
//
// STATUS is a number for HTTP and "grpc" and a number for gRPC.
func (s State) Print(w io.Writer, self string) error {
	var b strings.Builder
	fmt.Fprintf(&b, `bearward demo: one guard, one orders API, three protocols. Loopback only.

  net/http  %s
  over TLS  %s
  gin       %s
  gRPC      %s
  issuer    %s  keys, metadata, and /token: any kind of token for anybody
  stranger  %s  an issuer that the guard does not know
  control   %s  /rotate, /down and /up play the issuer's operators
  files     %s  what the client proves its tokens with, while the demo runs

A real guard asks for unknown keys at most every 30 s, and remembers answers
about opaque tokens for 30 s. This one does not wait, and remembers them for
5 min, so that the lines work in any order and at any pace; a story begins with
its first line. Why a request was refused is said here, on standard error;
clients learn less. Each line is preceded by the status it gets.
`, s.HTTP, s.TLS, s.Gin, s.GRPC, s.Issuer, s.Stranger, s.Control, cmp.Or(s.Files, "nowhere"))
	for _, section := range Sections() {
		fmt.Fprintf(&b, "\n## %s\n\n", section.Title)
		for _, c := range section.Cases {
			fmt.Fprintf(&b, "# %s %s\n%s\n", c.status(), c.What, s.Command(c, self))
		}
	}
	fmt.Fprintf(&b, `
Ctrl-C stops the demo. Next, from another terminal, a token of your own with a
line that uses it, and why a token is refused:
  %[1]s token --dpop
  %[1]s explain "$(%[1]s token --kind expired)"
`, self)
	_, err := io.WriteString(w, b.String())
	return err
}
