package prove

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// Transport signs a proof for each request and sends it with the token, scheme
// DPoP. It keeps the last nonce of each origin and repeats a request once where
// the server asks for a nonce (RFC 9449 §9), if its body can be sent again. The
// token goes wherever the client goes, redirects included. A Transport is safe
// for concurrent use once its fields are set.
type Transport struct {
	Base  http.RoundTripper // required
	Key   *Key              // required
	Token string            // empty: proofs only, as for a token endpoint; Authorization stays
	Now   func() time.Time  // nil: time.Now

	nonces nonces
}

var errTransport = errors.New("prove: a Transport needs Base and Key")

// RoundTrip sends a copy of the request. A DPoP field of its own is replaced.
func (t *Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if t.Base == nil || t.Key == nil {
		return nil, errors.Join(errTransport, closeBody(r))
	}
	first, err := t.signed(r)
	if err != nil {
		return nil, errors.Join(err, closeBody(r))
	}
	answer, err := t.Base.RoundTrip(first)
	if err != nil || !t.learn(r, answer) || answer.StatusCode != http.StatusUnauthorized || !asksNonce(answer.Header) {
		return answer, err
	}
	second, ok := t.again(r)
	if !ok {
		return answer, nil
	}
	_, _ = io.CopyN(io.Discard, answer.Body, maxDrained) // so that the connection serves again
	_ = answer.Body.Close()
	if answer, err = t.Base.RoundTrip(second); err == nil {
		t.learn(r, answer)
	}
	return answer, err
}

// signed returns a copy of the request with a new proof.
func (t *Transport) signed(r *http.Request) (*http.Request, error) {
	target := *r.URL
	if r.Host != "" {
		target.Host = r.Host // what the server sees
	}
	c := Claims{Method: r.Method, URL: target.String(), Token: t.Token, Nonce: t.nonces.get(origin(r.URL))}
	if t.Now != nil {
		c.Time = t.Now()
	}
	proof, err := t.Key.Sign(c)
	if err != nil {
		return nil, err
	}
	out := r.Clone(r.Context())
	if out.Header == nil {
		out.Header = http.Header{}
	}
	out.Header.Set("DPoP", proof)
	if t.Token != "" {
		out.Header.Set("Authorization", "DPoP "+t.Token)
	}
	return out, nil
}

// learn keeps the nonce of an answer and reports whether there was one.
func (t *Transport) learn(r *http.Request, answer *http.Response) bool {
	values := answer.Header.Values("DPoP-Nonce")
	if len(values) != 1 || !nonceText(values[0]) {
		return false
	}
	t.nonces.put(origin(r.URL), values[0])
	return true
}

// again is signed for the second time, if the body can be sent once more.
func (t *Transport) again(r *http.Request) (*http.Request, bool) {
	empty := r.Body == nil || r.Body == http.NoBody
	if !empty && r.GetBody == nil {
		return nil, false
	}
	out, err := t.signed(r)
	if err == nil && !empty {
		out.Body, err = r.GetBody()
	}
	return out, err == nil
}

func closeBody(r *http.Request) error {
	if r.Body == nil {
		return nil
	}
	return r.Body.Close()
}

func origin(u *url.URL) string { return strings.ToLower(u.Scheme + "://" + u.Host) }

const (
	maxOrigins = 1000
	maxNonce   = 1 << 10 // bytes
	maxDrained = 4 << 10 // bytes
)

// nonceText reports whether s is 1*NQCHAR (RFC 9449 §8.1) of bearable length.
func nonceText(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c <= ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return s != "" && len(s) <= maxNonce
}

// nonces are the last ones by origin.
type nonces struct {
	mu   sync.Mutex
	last map[string]string
}

func (n *nonces) get(origin string) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.last[origin]
}

// put forgets all when there are too many: the servers hand out new ones.
func (n *nonces) put(origin, nonce string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if _, known := n.last[origin]; n.last == nil || !known && len(n.last) >= maxOrigins {
		n.last = map[string]string{}
	}
	n.last[origin] = nonce
}
