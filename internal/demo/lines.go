package demo

import (
	"fmt"
	"io"
	"strconv"
	"strings"
)

const placeholder = "{token}"

// base is the address of a place, without scheme for gRPC.
func (s State) base(p Place) string {
	switch p {
	case Gin:
		return s.Gin
	case GRPC:
		return s.GRPC
	case Control:
		return s.Control
	}
	return s.HTTP
}

// TokenURL is where the token of a case comes from.
func (s State) TokenURL(t Token) string {
	url := s.Issuer
	if t.Stranger {
		url = s.Stranger
	}
	url += "/token"
	var query []string
	for _, p := range [][2]string{{"kind", t.Kind}, {"scope", t.Scope}, {"aud", t.Audience}, {"client_id", t.Client}, {"roles", t.Role}} {
		if p[1] != "" {
			query = append(query, p[0]+"="+p[1])
		}
	}
	if len(query) > 0 {
		url += "?" + strings.Join(query, "&")
	}
	return url
}

// status is what the line says is expected.
func (c Case) status() string {
	if c.On == GRPC {
		return fmt.Sprintf("grpc %d", c.Want)
	}
	return strconv.Itoa(c.Want)
}

// method and target of the case; for gRPC the method's name and whether it
// streams.
func (c Case) split() (method, target string) {
	method, target, _ = strings.Cut(c.Call, " ")
	return method, target
}

// Command is the case as one line for a shell. self starts this program.
func (s State) Command(c Case, self string) string {
	token := "$(curl -s '" + s.TokenURL(c.Token) + "')"
	method, target := c.split()
	if c.On == GRPC {
		line := self + " call --addr " + s.GRPC
		if len(c.Header) > 0 {
			line += ` --token "` + token + `"`
		}
		if target == "stream" {
			line += " --stream"
		}
		return line + " " + method
	}
	words := []string{"curl -i"}
	if method != "GET" {
		words = append(words, "-X "+method)
	}
	for _, h := range c.Header {
		words = append(words, `-H "`+strings.ReplaceAll(h, placeholder, token)+`"`)
	}
	url := s.base(c.On) + target
	if strings.Contains(url, placeholder) {
		url = `"` + strings.ReplaceAll(url, placeholder, token) + `"`
	}
	return strings.Join(append(words, url), " ")
}

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
  gin       %s
  gRPC      %s
  issuer    %s  keys, metadata, and /token: any kind of token for anybody
  stranger  %s  an issuer that the guard does not know
  control   %s  /rotate, /down and /up play the issuer's operators

A real guard asks for unknown keys at most every 30 s, and remembers answers
about opaque tokens for 30 s. This one does not wait, and remembers them for
5 min, so that the lines work in any order and at any pace; a story begins with
its first line. Why a request was refused is said here, on standard error;
clients learn less. Each line is preceded by the status it gets.
`, s.HTTP, s.Gin, s.GRPC, s.Issuer, s.Stranger, s.Control)
	for _, section := range Sections() {
		fmt.Fprintf(&b, "\n## %s\n\n", section.Title)
		for _, c := range section.Cases {
			fmt.Fprintf(&b, "# %s %s\n%s\n", c.status(), c.What, s.Command(c, self))
		}
	}
	fmt.Fprintf(&b, `
Ctrl-C stops the demo. Next, from another terminal, why a token is refused:
  %[1]s explain "$(%[1]s token --kind expired)"
`, self)
	_, err := io.WriteString(w, b.String())
	return err
}
