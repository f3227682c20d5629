package interop

import (
	"net/http"
	"strings"
	"testing"

	"github.com/bearward/bearward/internal/prove"
)

// Proofs name what the client asked the proxy for, and nonces reach the client.
func TestAskProof(t *testing.T) { // [DP-10 DP-12 DP-21 DP-25]
	eachAsker(t, func(t *testing.T, b *behind) {
		key, thief := newKey(t), newKey(t)
		token := b.token(t, toKey(key))
		w := &witness{base: b.client(t, clientTLS(b.server, nil)).Transport}
		client := &http.Client{Transport: &prove.Transport{Base: w, Key: key, Token: token}}
		get := func(path string, asked int) {
			t.Helper()
			w.reset()
			resp, err := client.Do(request(t, path))
			if err != nil {
				t.Fatal(err)
			}
			b.passed(t, path, read(t, resp), clientID, clientID, "orders:read")
			if len(w.sent) != asked {
				t.Errorf("%s: %d requests, want %d", path, len(w.sent), asked)
			}
		}
		for _, path := range []string{"/orders/1", "/orders//1", "/orders/a%20b", "/orders/a%2Fb", "/orders/a;b=c", "/orders/1?q=%2F&r"} {
			get(path, 1)
		}
		get("/payments/1", 2)
		if nonces := w.first.Header["Dpop-Nonce"]; len(nonces) != 1 || w.first.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("nonces %q, %q", nonces, w.first.Header["Cache-Control"])
		}
		get("/payments/2", 1)

		proof := func(k *prove.Key, method, url string) []string {
			t.Helper()
			proof, err := k.Sign(prove.Claims{Method: method, URL: url, Token: token})
			if err != nil {
				t.Fatal(err)
			}
			return []string{"Authorization: DPoP " + token, "DPoP: " + proof}
		}
		// The challenge of the scheme that was used comes first where all are in one line.
		invalid := []string{"Bearer", "DPoP invalid_dpop_proof"}
		if strings.Contains(b.proxy.example(t, "bearward.yaml"), "single_line_challenge") {
			invalid = []string{"DPoP invalid_dpop_proof", "Bearer"}
		}
		const path, url = "/orders/1", "https://" + publicHost + "/orders/1"
		used := proof(key, "GET", url)
		b.passed(t, "once", b.ask(t, nil, path, used...))
		b.denied(t, "twice", b.ask(t, nil, path, used...), 401, invalid...)
		b.denied(t, "other path", b.ask(t, nil, path, proof(key, "GET", url+"0")...), 401, invalid...)
		b.denied(t, "other method", b.ask(t, nil, path, proof(key, "POST", url)...), 401, invalid...)
		b.denied(t, "the question", b.ask(t, nil, path, proof(key, "GET", "http://"+b.serve+"/")...), 401, invalid...)
		b.denied(t, "a host of his", b.ask(t, nil, path, append(
			proof(key, "GET", "https://evil.example.net"+path), "X-Forwarded-Host: evil.example.net", "X-Original-Host: evil.example.net",
		)...), 401, invalid...)
		b.denied(t, "other key", b.ask(t, nil, path, proof(thief, "GET", url)...), 401, strings.Replace(invalid[0], "invalid_dpop_proof", "invalid_token", 1), strings.Replace(invalid[1], "invalid_dpop_proof", "invalid_token", 1))
		b.denied(t, "as bearer", b.ask(t, nil, path, "Authorization: Bearer "+token), 401, "Bearer invalid_token", "DPoP")
	})
}

// A token that is bound to a certificate passes with that certificate of the
// client, whatever else it says.
func TestAskCertificate(t *testing.T) { // [MT-01 MT-05 MT-07]
	eachAsker(t, func(t *testing.T, b *behind) {
		right, other := newIdentity(t, "right"), newIdentity(t, "right")
		bearer := "Authorization: Bearer " + b.token(t, toCertificate(right))
		name := b.proxy.header.Name
		value := ": " + right.forwarded(b.proxy.header.Format)
		for _, path := range paths {
			b.passed(t, "its own", b.ask(t, &right, path, bearer), clientID, clientID, "orders:read")
			for _, fields := range [][]string{
				{bearer},
				{bearer, name + value},
				{bearer, strings.ToLower(name) + value, strings.ToUpper(name) + value},
			} {
				b.denied(t, "none", b.ask(t, nil, path, fields...), 401, "Bearer invalid_token", "DPoP")
				b.denied(t, "another", b.ask(t, &other, path, fields...), 401, "Bearer invalid_token", "DPoP")
			}
			spelled := b.ask(t, &right, path, bearer, strings.ReplaceAll(name, "-", "_")+value)
			if b.proxy.name == "nginx" { // it drops those
				b.passed(t, "underscores", spelled)
			} else {
				b.denied(t, "underscores", spelled, 403)
			}
		}
		plain := "Authorization: Bearer " + b.token(t, nil)
		b.passed(t, "unbound", b.ask(t, &right, "/orders/1", plain), clientID, clientID, "orders:read")
		b.passed(t, "unbound, forged", b.ask(t, nil, "/orders/1", plain, name+value), clientID, clientID, "orders:read")
	})
}
