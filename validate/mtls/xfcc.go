package mtls

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
)

var (
	errElement  = errors.New("not an XFCC element")
	errElements = errors.New("several XFCC elements: nobody knows whose certificate is the client's; the proxy must set the header, not append to it")
	errTwice    = errors.New("the XFCC element has Cert or Hash more than once")
	errCert     = errors.New("the XFCC element has no Cert: the proxy must add the certificate")
	errHash     = errors.New("the XFCC element's Hash is not that of its Cert")
)

// fromElement decodes the certificate of the one element of an
// X-Forwarded-Client-Cert. Envoy writes names of the certificate, which are of
// the client's choosing, into it as they are. A name can therefore add pairs, but
// it cannot take away the Hash that Envoy always writes: a second one is refused,
// and so is a certificate that does not match the first.
func fromElement(text string) ([]byte, error) {
	var certs, hashes []string
	for more := true; more; {
		key, value, rest, err := cutPair(text)
		if err != nil {
			return nil, err
		}
		switch strings.ToLower(key) {
		case "cert":
			certs = append(certs, value)
		case "hash":
			hashes = append(hashes, value)
		}
		text, more = strings.CutPrefix(rest, ";")
	}
	if len(certs) == 0 { // [MT-12]
		return nil, errCert
	}
	if len(certs) > 1 || len(hashes) > 1 { // [MT-12]
		return nil, errTwice
	}
	der, err := fromEscaped(certs[0])
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(der)
	if len(hashes) == 1 && !strings.EqualFold(hashes[0], hex.EncodeToString(sum[:])) { // [MT-12]
		return nil, errHash
	}
	return der, nil
}

// cutPair cuts the first pair off an element. The rest is empty or begins with a
// semicolon. Quoted values come without the quotes, escapes stay: what is read
// further has none.
func cutPair(text string) (key, value, rest string, err error) {
	key, text, ok := strings.Cut(text, "=")
	if !ok || !isToken(key) { // [MT-12]
		return "", "", "", errElement
	}
	if strings.HasPrefix(text, `"`) {
		value, rest, ok = cutQuoted(text[1:])
	} else {
		n := strings.IndexAny(text, `;,"`)
		if n < 0 {
			n = len(text)
		}
		value, rest = text[:n], text[n:]
	}
	if strings.HasPrefix(rest, ",") { // [MT-12]
		return "", "", "", errElements
	}
	if !ok || rest != "" && rest[0] != ';' { // [MT-12]
		return "", "", "", errElement
	}
	return key, value, rest, nil
}

// cutQuoted cuts at the quote that ends a value. A backslash escapes a quote.
// Whether it escapes another backslash too is said nowhere and done by some, so
// that an even run of them before a quote can be read in two ways: it is refused.
func cutQuoted(text string) (value, rest string, ok bool) {
	run := 0
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '\\':
			run++
			continue
		case text[i] != '"' || run%2 == 1:
		case run > 0: // [MT-12]
			return "", "", false
		default:
			return text[:i], text[i+1:], true
		}
		run = 0
	}
	return "", "", false
}
