package mtls

import (
	"encoding/base64"
	"errors"
	"net/url"
	"strings"
)

// maxCertificates is how long a chain may be.
const maxCertificates = 10

// The markers of RFC 7468 §5.1.
const (
	begin = "-----BEGIN CERTIFICATE-----"
	end   = "-----END CERTIFICATE-----"
)

var (
	errSequence = errors.New("not one byte sequence between colons")
	errEncoding = errors.New("not base64")
	errPercent  = errors.New("not percent-encoded")
	errPEM      = errors.New("not exactly one PEM certificate")
	errLength   = errors.New("the chain has too many certificates")
)

// fromSequence decodes one Byte Sequence of RFC 8941 §3.3.5 without parameters:
// a list, and what RFC 9440 gives no meaning to, is refused.
func fromSequence(text string) ([]byte, error) {
	inner, ok := strings.CutPrefix(text, ":")
	if ok {
		inner, ok = strings.CutSuffix(inner, ":")
	}
	if !ok || strings.ContainsAny(inner, ":,;") { // [MT-08]
		return nil, errSequence
	}
	return decode(inner)
}

// fromEscaped decodes percent-encoded PEM, in which a plus is a plus.
func fromEscaped(text string) ([]byte, error) {
	plain, err := url.PathUnescape(text)
	if err != nil { // [MT-12]
		return nil, errPercent
	}
	return fromPEM(plain)
}

// fromPEM decodes one PEM certificate with nothing around it. Line ends may be
// any white space or have been dropped: base64 has no hyphen, so that the markers
// tell where it ends.
func fromPEM(text string) ([]byte, error) {
	const space = " \t\r\n"
	body, ok := strings.CutPrefix(strings.Trim(text, space), begin)
	if ok {
		body, ok = strings.CutSuffix(body, end)
	}
	if !ok || strings.Contains(body, "-") { // [MT-12]
		return nil, errPEM
	}
	return decode(strings.Map(func(r rune) rune {
		if strings.ContainsRune(space, r) {
			return -1
		}
		return r
	}, body))
}

// fromChain decodes the first certificate of a chain, which is the client's. The
// others decide nothing, but have to be base64 as well. A proxy that escapes them
// is understood.
func fromChain(text string) ([]byte, error) {
	text, err := url.PathUnescape(text)
	if err != nil { // [MT-12]
		return nil, errPercent
	}
	if strings.Count(text, ",") >= maxCertificates { // [MT-12]
		return nil, errLength
	}
	var first []byte
	for one := range strings.SplitSeq(text, ",") {
		der, err := decode(one)
		if err != nil { // [MT-12]
			return nil, err
		}
		if first == nil {
			first = der
		}
	}
	return first, nil
}

// decode decodes base64, padded or not. The alphabet is scanned before: Go's
// decoder skips line breaks even when it is strict.
func decode(text string) ([]byte, error) {
	if text == "" { // [MT-12]
		return nil, errEncoding
	}
	if len(text) > maxCertificate { // [MT-12]
		return nil, errSize
	}
	if len(text)%4 == 0 {
		text = strings.TrimSuffix(strings.TrimSuffix(text, "="), "=")
	}
	for i := 0; i < len(text); i++ {
		if !alphabet[text[i]] { // [MT-08 MT-12]
			return nil, errEncoding
		}
	}
	der, err := strict.DecodeString(text)
	if err != nil { // [MT-08 MT-12]
		return nil, errEncoding
	}
	return der, nil
}

var strict = base64.RawStdEncoding.Strict()

// alphabet marks the bytes of RFC 4648 §4.
var alphabet = func() (set [256]bool) {
	for _, c := range "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/" {
		set[c] = true
	}
	return set
}()
