package prove_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bearward/bearward/internal/prove"
)

// api is a server that notes what it is sent.
type api struct {
	mu     sync.Mutex
	nonces []any // of the proofs, nil without
	bodies []string
	last   *http.Request
	closed atomic.Int32 // bodies of answers
	answer func(call int) *http.Response
}

func (a *api) RoundTrip(r *http.Request) (*http.Response, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	body := ""
	if r.Body != nil {
		raw, _ := io.ReadAll(r.Body)
		_ = r.Body.Close()
		body = string(raw)
	}
	_, claims, err := decoded(r.Header.Get("DPoP"))
	if err != nil {
		return nil, err
	}
	a.nonces, a.bodies, a.last = append(a.nonces, claims["nonce"]), append(a.bodies, body), r
	out := &http.Response{StatusCode: 200, Header: http.Header{}}
	if a.answer != nil {
		out = a.answer(len(a.bodies))
	}
	out.Body = &counted{strings.NewReader("answer"), &a.closed}
	return out, nil
}

type counted struct {
	io.Reader
	closed *atomic.Int32
}

func (c *counted) Close() error { c.closed.Add(1); return nil }

// asks is the answer of a server that wants a nonce.
func asks(nonce string) *http.Response {
	return &http.Response{StatusCode: 401, Header: http.Header{
		"Www-Authenticate": {`Bearer realm="a"`, `DPoP algs="ES256", error="use_dpop_nonce"`}, "Dpop-Nonce": {nonce},
	}}
}

func transport(t *testing.T, a *api) *prove.Transport {
	t.Helper()
	return &prove.Transport{Base: a, Key: newKey(t, ""), Token: "token", Now: func() time.Time { return start }}
}

func newRequest(t *testing.T, body io.Reader) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "PUT", "https://user@api.example.test/a%2Fb?c=d", body)
	must(t, err)
	return r
}

func send(t *testing.T, tr *prove.Transport, r *http.Request) int {
	t.Helper()
	res, err := tr.RoundTrip(r)
	must(t, err)
	must(t, res.Body.Close())
	return res.StatusCode
}

func TestTransportSigns(t *testing.T) {
	a := &api{}
	tr := transport(t, a)
	r := newRequest(t, nil)
	r.Header = http.Header{"Authorization": {"Bearer other"}, "Dpop": {"a", "b"}, "X-Own": {"c"}}
	before := r.Clone(t.Context())
	send(t, tr, r)
	if diff := cmp.Diff(before.Header, r.Header); diff != "" || r.URL.String() != before.URL.String() {
		t.Errorf("the request was changed: %s", diff)
	}
	header := a.last.Header
	if len(header["Dpop"]) != 1 || header.Get("Authorization") != "DPoP token" || header.Get("X-Own") != "c" {
		t.Errorf("%v", header)
	}
	verify(t, header.Get("DPoP"))
	_, claims := open(t, header.Get("DPoP"))
	delete(claims, "jti")
	if diff := cmp.Diff(map[string]any{
		"htm": "PUT", "htu": "https://api.example.test/a%2Fb", "iat": float64(start.Unix()), "ath": "PEaenWxYddN6Q_NT1PiOYfz4EsZu7jRXRlpAsNpBU-A",
	}, claims); diff != "" {
		t.Error(diff)
	}

	r.Host, r.Method, r.Header = "public.example.test", "", nil
	tr.Token, tr.Now = "", nil
	send(t, tr, r)
	_, claims = open(t, a.last.Header.Get("DPoP"))
	if claims["htu"] != "https://public.example.test/a%2Fb" || claims["htm"] != "GET" || claims["ath"] != nil || a.last.Header["Authorization"] != nil {
		t.Errorf("%v", claims)
	}
}

func TestTransportAnswersNonce(t *testing.T) {
	a := &api{answer: func(call int) *http.Response {
		switch call {
		case 1:
			return asks("nonce-1")
		case 3:
			return &http.Response{StatusCode: 200, Header: http.Header{"Dpop-Nonce": {"nonce-2"}}}
		}
		return &http.Response{StatusCode: 200}
	}}
	tr := transport(t, a)
	for range 3 {
		if got := send(t, tr, newRequest(t, strings.NewReader("body"))); got != 200 {
			t.Errorf("status %d", got)
		}
	}
	if diff := cmp.Diff([]any{nil, "nonce-1", "nonce-1", "nonce-2"}, a.nonces); diff != "" {
		t.Error(diff)
	}
	if strings.Join(a.bodies, " ") != "body body body body" || a.closed.Load() != 4 {
		t.Errorf("bodies %q, %d answers closed", a.bodies, a.closed.Load())
	}
}

// TestTransportRepeatsOnce: also a server that is never content gets two
// requests.
func TestTransportRepeatsOnce(t *testing.T) {
	a := &api{answer: func(call int) *http.Response { return asks(fmt.Sprint("nonce-", call)) }}
	tr := transport(t, a)
	for _, body := range []io.Reader{nil, http.NoBody} {
		if got := send(t, tr, newRequest(t, body)); got != 401 {
			t.Errorf("status %d", got)
		}
	}
	if diff := cmp.Diff([]any{nil, "nonce-1", "nonce-2", "nonce-3"}, a.nonces); diff != "" {
		t.Error(diff)
	}
}

func TestTransportDoesNotRepeat(t *testing.T) {
	change := func(change func(*http.Response)) func(int) *http.Response {
		return func(int) *http.Response {
			answer := asks("nonce-1")
			change(answer)
			return answer
		}
	}
	for name, answer := range map[string]func(int) *http.Response{
		"another status":    change(func(r *http.Response) { r.StatusCode = 400 }),
		"another error":     change(func(r *http.Response) { r.Header.Set("Www-Authenticate", `DPoP error="invalid_dpop_proof"`) }),
		"no nonce":          change(func(r *http.Response) { r.Header.Del("DPoP-Nonce") }),
		"two nonces":        change(func(r *http.Response) { r.Header.Add("DPoP-Nonce", "nonce-2") }),
		"an empty nonce":    change(func(r *http.Response) { r.Header.Set("DPoP-Nonce", "") }),
		"a quote":           change(func(r *http.Response) { r.Header.Set("DPoP-Nonce", `a"b`) }),
		"a space":           change(func(r *http.Response) { r.Header.Set("DPoP-Nonce", "a b") }),
		"not ASCII":         change(func(r *http.Response) { r.Header.Set("DPoP-Nonce", "ä") }),
		"more than 1 KiB":   change(func(r *http.Response) { r.Header.Set("DPoP-Nonce", strings.Repeat("a", 1025)) }),
		"a body that flows": nil,
	} {
		a := &api{answer: answer}
		r := newRequest(t, strings.NewReader("body"))
		if answer == nil {
			a.answer, r.GetBody = change(func(*http.Response) {}), nil
		}
		res, err := transport(t, a).RoundTrip(r)
		must(t, err)
		if body, err := io.ReadAll(res.Body); len(a.bodies) != 1 || string(body) != "answer" || err != nil || a.closed.Load() != 0 {
			t.Errorf("%s: %d requests, answer %q, %v", name, len(a.bodies), body, err)
		}
	}
}

// TestTransportForgets: the nonces of very many origins do not fit.
func TestTransportForgets(t *testing.T) {
	a := &api{answer: func(int) *http.Response {
		return &http.Response{StatusCode: 200, Header: http.Header{"Dpop-Nonce": {"nonce-1"}}}
	}}
	tr := transport(t, a)
	visit := func(n int) any {
		r := newRequest(t, nil)
		r.URL.Host = fmt.Sprintf("h%d.example.test", n)
		send(t, tr, r)
		return a.nonces[len(a.nonces)-1]
	}
	for n := range 1000 {
		visit(n)
	}
	if visit(0) != "nonce-1" || visit(999) != "nonce-1" {
		t.Error("forgot one of a thousand")
	}
	visit(1000)
	if visit(0) != nil || visit(1000) != "nonce-1" {
		t.Error("keeps more than a thousand")
	}
}

func TestTransportRefuses(t *testing.T) {
	for name, tr := range map[string]*prove.Transport{
		"no base": {Key: newKey(t, "")},
		"no key":  {Base: &api{}},
		"no host": transport(t, &api{}),
	} {
		var closed atomic.Int32
		r := newRequest(t, nil)
		r.Body, r.URL.Host, r.Host = &counted{strings.NewReader("body"), &closed}, "", ""
		if res, err := tr.RoundTrip(r); err == nil || closed.Load() != 1 {
			t.Errorf("%s: %v, %v, closed %d times", name, res, err, closed.Load())
		}
	}
}

func TestTransportTogether(t *testing.T) {
	a := &api{answer: func(call int) *http.Response { return asks(fmt.Sprint("nonce-", call)) }}
	tr := transport(t, a)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() { _, _ = tr.RoundTrip(newRequest(t, nil)) })
	}
	all.Wait()
	if len(a.nonces) != 16 {
		t.Errorf("%d requests", len(a.nonces))
	}
}
