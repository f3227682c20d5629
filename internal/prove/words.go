package prove

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bearward/bearward/internal/forge"
)

// words are what a Variant's text can speak of: the request and its right proof.
func words(d *forge.Draft, c Claims) (*strings.Replacer, error) {
	u, err := target(c.URL)
	if err != nil {
		return nil, err
	}
	method, _ := d.Claims["htm"].(string)
	id, _ := d.Claims["jti"].(string)
	sum := sha256.Sum256([]byte(c.Token))
	path := u.EscapedPath()
	if path == "" {
		path = "/"
	}
	return strings.NewReplacer(
		"{alg}", d.Key.Algorithm,
		"{jti-256}", (id + forge.Letters(256))[:256],
		"{method-lower}", strings.ToLower(method),
		"{method-other}", otherThan(method, "POST", "PUT"),
		"{scheme}", u.Scheme,
		"{scheme-upper}", strings.ToUpper(u.Scheme),
		"{scheme-other}", otherThan(u.Scheme, "https", "http"),
		"{host}", u.Host,
		"{host-upper}", strings.ToUpper(u.Host),
		"{host-port}", hostPort(u),
		"{name}", hostname(u),
		"{port-other}", otherThan(u.Port(), "444", "445"),
		"{origin}", u.Scheme+"://"+u.Host,
		"{path}", path,
		"{path-case}", otherCase(path),
		"{path-encoded}", encoded(path),
		"{path-slash}", encodedSlash(path),
		"{ath}", digest(c.Token),
		"{ath-case}", swapCase(digest(c.Token)),
		"{ath-hex}", hex.EncodeToString(sum[:]),
		"{iat}", fmt.Sprint(d.Claims["iat"]),
	), nil
}

// parts are what the values of the field are made of.
func parts(proof, other string) *strings.Replacer {
	part, second := strings.Split(proof, "."), strings.Split(other, ".")
	return strings.NewReplacer(
		"{proof}", proof, "{other}", other,
		"{header}", part[0], "{claims}", part[1], "{signature}", part[2],
		"{other-claims}", second[1], "{flipped}", forge.Flip(part[2]),
	)
}

func fill(texts []string, words *strings.Replacer) []string {
	out := make([]string, len(texts))
	for i, text := range texts {
		out[i] = words.Replace(text)
	}
	return out
}

// expand fills in text and JSON as it stands.
func expand(m members, words *strings.Replacer) members {
	out := members{}
	for name, value := range m {
		switch v := value.(type) {
		case string:
			value = words.Replace(v)
		case jsontext.Value:
			value = jsontext.Value(words.Replace(string(v)))
		}
		out[name] = value
	}
	return out
}

func otherThan(is, one, another string) string {
	if is == one {
		return another
	}
	return one
}

func hostname(u *url.URL) string {
	if name := u.Hostname(); strings.Contains(name, ":") {
		return "[" + name + "]"
	}
	return u.Hostname()
}

// hostPort writes the port out where it is the scheme's own.
func hostPort(u *url.URL) string {
	if u.Port() != "" {
		return u.Host
	}
	return u.Host + map[string]string{"http": ":80", "https": ":443"}[u.Scheme]
}

func letter(c byte) bool { return 'a' <= c|' ' && c|' ' <= 'z' }

// plain returns where the first letter stands that is not part of an escape.
func plain(path string) int {
	for i := 0; i < len(path); i++ {
		switch {
		case path[i] == '%':
			i += 2
		case letter(path[i]):
			return i
		}
	}
	return -1
}

// otherCase changes the case of one letter, or adds one.
func otherCase(path string) string {
	i := plain(path)
	if i < 0 {
		return path + "A"
	}
	return path[:i] + swapCase(path[i:i+1]) + path[i+1:]
}

func swapCase(s string) string {
	out := []byte(s)
	for i, c := range out {
		if letter(c) {
			out[i] = c ^ ' '
		}
	}
	return string(out)
}

// encoded writes one letter as an escape, or a segment "." that goes away.
func encoded(path string) string {
	i := plain(path)
	if i < 0 {
		return "/%2E" + path
	}
	return fmt.Sprintf("%s%%%02X%s", path[:i], path[i], path[i+1:])
}

// encodedSlash writes the last slash as an escape, where it is not the first.
func encodedSlash(path string) string {
	i := strings.LastIndexByte(path, '/')
	return path[:max(i, 1)] + "%2F" + strings.TrimPrefix(path[max(i, 1):], "/")
}
