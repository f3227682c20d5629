package demo

import (
	"fmt"
	"strconv"
	"strings"
)

const (
	tokenPlace = "{token}"
	proofPlace = "{proof}"
)

// base is the address of a place, without scheme for gRPC.
func (s State) base(p Place) string {
	switch p {
	case Gin:
		return s.Gin
	case GRPC:
		return s.GRPC
	case Control:
		return s.Control
	case TLS:
		return s.TLS
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
	query := [][2]string{{"kind", t.Kind}, {"scope", t.Scope}, {"aud", t.Audience}, {"client_id", t.Client}, {"roles", t.Role}}
	if t.OfKey {
		query = append(query, [2]string{"jkt", s.JKT})
	}
	if t.OfCertificate {
		query = append(query, [2]string{"x5t", s.X5T})
	}
	mark := "?"
	for _, p := range query {
		if p[1] != "" {
			url += mark + p[0] + "=" + p[1]
			mark = "&"
		}
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

// proven reports that a proof goes with the token.
func (c Case) proven() bool {
	for _, h := range c.Header {
		if strings.Contains(h, proofPlace) {
			return true
		}
	}
	return false
}

// Command is the case as one line for a shell, whose last command gets the
// answer. self starts this program.
func (s State) Command(c Case, self string) string {
	token := "$(curl -s '" + s.TokenURL(c.Token) + "')"
	switch {
	case c.On == GRPC:
		return s.call(c, self, token)
	case !c.proven():
		return s.curl("curl -i", c, token, "")
	}
	// The token stands in the request and, as a digest, in the proof.
	set := "T=" + token + "; "
	proof := s.sign(c, self, "")
	switch p := c.Token.Proof; {
	case p.Again:
		set += `P=` + proof + `; ` + s.curl("curl -s -o /dev/null", c, "$T", "$P") + "; "
		proof = "$P"
	case p.Nonce:
		set += `N=$(` + s.curl("curl -s -i", c, "$T", proof) + ` | tr -d '\r' | sed -n 's/^Dpop-Nonce: //p'); `
		proof = s.sign(c, self, ` --nonce "$N"`)
	}
	return set + s.curl("curl -i", c, "$T", proof)
}

// sign is the command that makes the proof of a case.
func (s State) sign(c Case, self, more string) string {
	method, target := c.split()
	line := "$(" + self + " proof"
	if method != "GET" {
		line += " --method " + method
	}
	line += " --url " + s.base(c.On) + target + ` --token "$T"`
	if kind := c.Token.Proof.Kind; kind != "" {
		line += " --kind " + kind
	}
	return line + more + ")"
}

// curl is the request of a case, with a token and a proof as a shell has them.
func (s State) curl(start string, c Case, token, proof string) string {
	fill := strings.NewReplacer(tokenPlace, token, proofPlace, proof)
	method, target := c.split()
	words := []string{start}
	if method != "GET" {
		words = append(words, "-X "+method)
	}
	if c.On == TLS {
		words = append(words, "--cacert "+Quote(s.file(serverCertificate)))
	}
	if name := c.Token.Proof.Certificate; name != "" {
		words = append(words, "--cert "+Quote(s.file(name)))
	}
	for _, h := range c.Header {
		words = append(words, `-H "`+fill.Replace(h)+`"`)
	}
	url := s.base(c.On) + target
	if strings.Contains(url, tokenPlace) {
		url = `"` + fill.Replace(url) + `"`
	}
	return strings.Join(append(words, url), " ")
}

// call is the call of a case: the caller signs the proof itself.
func (s State) call(c Case, self, token string) string {
	line := self + " call --addr " + s.GRPC
	if c.proven() {
		line += " --dpop"
	}
	if len(c.Header) > 0 {
		line += ` --token "` + token + `"`
	}
	method, target := c.split()
	if target == "stream" {
		line += " --stream"
	}
	return line + " " + method
}

// Quote is a word for a shell, in quotes where it needs them.
func Quote(s string) string {
	if s != "" && !strings.ContainsAny(s, " \t\n'\"$`\\;&|<>()*?[]#~!{}") {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
