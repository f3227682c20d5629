package interop

import (
	"net/http"
	"testing"

	"github.com/bearward/bearward/internal/prove"
	"github.com/bearward/bearward/validate"
)

// witness sees what a client sends and gets.
type witness struct {
	base  http.RoundTripper
	sent  []*http.Request
	first *http.Response // since reset
}

func (w *witness) RoundTrip(r *http.Request) (*http.Response, error) {
	w.sent = append(w.sent, r)
	resp, err := w.base.RoundTrip(r)
	if w.first == nil {
		w.first = resp
	}
	return resp, err
}

func (w *witness) reset() { w.sent, w.first = nil, nil }

func newKey(t testing.TB) *prove.Key {
	t.Helper()
	key, err := prove.NewKey("")
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func toKey(k *prove.Key) map[string]string { return map[string]string{"jkt": k.Thumbprint()} }

// Proofs name the URL of the proxy, however its path is written, and nonces
// reach the client.
func TestProxyProof(t *testing.T) { // [DP-10 DP-12 DP-25]
	eachProxy(t, func(t *testing.T, p proxy) {
		b := startBehind(t, p)
		key := newKey(t)
		token := b.token(t, toKey(key))
		w := &witness{base: b.client(t, clientTLS(b.server, nil)).Transport}
		client := &http.Client{Transport: &prove.Transport{Base: w, Key: key, Token: token}}
		get := func(path string) {
			t.Helper()
			w.reset()
			resp, err := client.Do(request(t, path))
			if err != nil {
				t.Fatal(err)
			}
			b.accepted(t, read(t, resp))
		}
		for _, path := range []string{
			"/orders/1", "/orders/", "/orders//1", "/orders/a%20b", "/orders/a%2Fb", "/orders/%c3%a4",
			"/orders/a;b=c", "/orders/%3B%3D%2B%26", "/orders/1?q=%2F&r",
		} {
			get(path)
			if len(w.sent) != 1 {
				t.Errorf("%s: %d requests", path, len(w.sent))
			}
		}

		get("/payments/1")
		if len(w.sent) != 2 {
			t.Fatalf("without a nonce: %d requests", len(w.sent))
		}
		b.challenged(t, w.first)
		get("/payments/2")
		if len(w.sent) != 1 {
			t.Errorf("with a nonce: %d requests", len(w.sent))
		}
	})
}

// challenged reports an answer that does not ask for a nonce.
func (b *behind) challenged(t testing.TB, asked *http.Response) {
	t.Helper()
	if got := asked.Header["Www-Authenticate"]; len(got) != 2 {
		t.Errorf("challenges: %q", got)
	}
	if got := asked.Header["Dpop-Nonce"]; len(got) != 1 || asked.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("nonce: %q %q", got, asked.Header["Cache-Control"])
	}
}

// A thief of a token, and of a request with its proof, gets past no proxy.
func TestProxyStolen(t *testing.T) { // [DP-09 DP-10 DP-16 DP-21]
	eachProxy(t, func(t *testing.T, p proxy) {
		b := startBehind(t, p)
		key, thief := newKey(t), newKey(t)
		token := b.token(t, toKey(key))
		dpop := func(k *prove.Key, method, url string) []string {
			t.Helper()
			proof, err := k.Sign(prove.Claims{Method: method, URL: url, Token: token})
			if err != nil {
				t.Fatal(err)
			}
			return []string{"Authorization: DPoP " + token, "DPoP: " + proof}
		}
		const path, url = "/orders/1", "https://" + publicHost + "/orders/1"
		used := dpop(key, "GET", url)
		b.accepted(t, b.ask(t, nil, path, used...))
		for _, c := range []struct {
			name   string
			code   validate.Code
			fields []string
		}{
			{"replayed", validate.ErrProofReplayed, used},
			{"as bearer", validate.ErrConfirmationUnproven, []string{"Authorization: Bearer " + token}},
			{"without proof", validate.ErrProofMissing, used[:1]},
			{"two proofs", validate.ErrProofRepeated, append(dpop(key, "GET", url), used[1])},
			{"other key", validate.ErrProofKeyMismatch, dpop(thief, "GET", url)},
			{"other method", validate.ErrProofMethodMismatch, dpop(key, "POST", url)},
			{"other path", validate.ErrProofTargetMismatch, dpop(key, "GET", url+"0")},
			{"the address behind", validate.ErrProofTargetMismatch, dpop(key, "GET", "http://"+b.serve+path)},
			{"a host of his", validate.ErrProofTargetMismatch, append(
				dpop(key, "GET", "https://evil.example.net"+path), "X-Forwarded-Host: evil.example.net",
				"Forwarded: host=evil.example.net;proto=https", "Origin: https://evil.example.net",
			)},
		} {
			t.Run(c.name, func(t *testing.T) {
				b.refused(t, b.ask(t, nil, path, c.fields...), c.code)
			})
		}
		t.Run("both", func(t *testing.T) { // a token bound to both needs both
			own := newIdentity(t, "client")
			cnf := toCertificate(own)
			cnf["jkt"] = key.Thumbprint()
			token = b.token(t, cnf)
			b.accepted(t, b.ask(t, &own, path, dpop(key, "GET", url)...))
			b.refused(t, b.ask(t, nil, path, dpop(key, "GET", url)...), validate.ErrCertificateMissing)
			b.refused(t, b.ask(t, &own, path, dpop(thief, "GET", url)...), validate.ErrProofKeyMismatch)
			b.refused(t, b.ask(t, &own, path, "Authorization: Bearer "+token), validate.ErrConfirmationUnproven)
		})
	})
}
