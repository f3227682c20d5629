package interop

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// tokenWith is a token like that of b.token with other claims, of the issuer
// that is down perhaps.
func (b *behind) tokenWith(t testing.TB, change map[string]any) string {
	t.Helper()
	now := time.Now().Unix()
	claims := map[string]any{
		"iss": exampleIss, "sub": "user", "client_id": clientID, "aud": audience,
		"iat": now, "exp": now + 600, "jti": "1", "scope": "orders:read",
	}
	for name, value := range change {
		claims[name] = value
	}
	return "Authorization: Bearer " + b.key.sign(t, claims)
}

// What may pass arrives with the identity of its token, and without the token.
func TestAskAllowed(t *testing.T) { // [PV-05 TR-13]
	eachAsker(t, func(t *testing.T, b *behind) {
		as := b.tokenWith(t, nil)
		b.passed(t, "token", b.ask(t, nil, "/orders/1?q=%2F&r", as), "user", clientID, "orders:read")
		if b.api.line != "GET /orders/1?q=%2F&r" {
			t.Errorf("the API sees %s", b.api.line)
		}
		b.passed(t, "again", b.ask(t, nil, "/orders/1", as), "user", clientID, "orders:read")
		b.passed(t, "public", b.ask(t, nil, "/public/a", as), "", "", "")
		b.passed(t, "public without token", b.ask(t, nil, "/public/a"), "", "", "")
	})
}

// A refusal reaches the client as it is, as far as the proxy can.
func TestAskDenied(t *testing.T) { // [ER-01 ER-02 ER-17 ER-23]
	eachAsker(t, func(t *testing.T, b *behind) {
		as := b.tokenWith(t, nil)
		bad := http.StatusBadRequest
		if b.proxy.name == "nginx" { // status_for_400
			bad = http.StatusUnauthorized
		}
		b.denied(t, "no token", b.ask(t, nil, "/orders/1"), 401, "Bearer", "DPoP")
		b.denied(t, "broken token", b.ask(t, nil, "/orders/1", as+"x"), 401, "Bearer invalid_token", "DPoP")
		b.denied(t, "no scope", b.ask(t, nil, "/orders/1", b.tokenWith(t, map[string]any{"scope": "other"})), 403, "Bearer insufficient_scope", "DPoP")
		b.denied(t, "no rule", b.ask(t, nil, "/nowhere", as), 403)
		b.denied(t, "other method", b.send(t, nil, "POST /public/a", "Content-Length: 0"), 403)
		b.denied(t, "hidden", b.ask(t, nil, "/partners/1", b.tokenWith(t, map[string]any{"sub": clientID})), 404)
		b.denied(t, "malformed", b.ask(t, nil, "/orders/1", as+" x"), bad, "Bearer invalid_request", "DPoP")
		b.denied(t, "overridden", b.ask(t, nil, "/orders/1", as, "X-HTTP-Method-Override: DELETE"), bad, "Bearer invalid_request", "DPoP invalid_request")
		a := b.ask(t, nil, "/orders/1", b.tokenWith(t, map[string]any{"iss": downIss}))
		b.denied(t, "issuer down", a, 503)
		if a.Header.Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
	})
}

// What the client says of the question, or of itself, changes nothing.
func TestAskForged(t *testing.T) { // [PV-05 DP-12]
	eachAsker(t, func(t *testing.T, b *behind) {
		as := b.tokenWith(t, nil)
		var forged []string
		for _, family := range []string{"X-Forwarded-", "X-Original-", "x_forwarded_", "x_original_"} {
			forged = append(forged, family+"Method: GET", family+"URI: /public/a", family+"Proto: http", family+"Host: evil.example.net")
		}
		forged = append(forged, "X-Original-URL: /public/a", "Forwarded: host=evil.example.net", "X-Forwarded-For: 127.0.0.1", "X-Real-IP: 127.0.0.1")
		b.denied(t, "all at once", b.ask(t, nil, "/orders/1", forged...), 401, "Bearer", "DPoP")
		for _, one := range forged {
			b.denied(t, one, b.ask(t, nil, "/orders/1", one), 401, "Bearer", "DPoP")
			b.denied(t, one+" twice", b.ask(t, nil, "/orders/1", one, one), 401, "Bearer", "DPoP")
			b.passed(t, one+" for nothing", b.ask(t, nil, "/orders/1", one, as), "user", clientID, "orders:read")
		}
		for _, name := range []string{"X-Auth-Subject", "x-auth-client", "X_Auth_Scope", "X-Auth_Subject"} {
			for _, path := range []string{"/orders/1", "/public/a"} {
				a := b.ask(t, nil, path, as, name+": admin")
				if b.proxy.name == "nginx" && strings.Contains(name, "_") { // it drops those
					b.passed(t, name, a)
					continue
				}
				b.denied(t, name, a, 403)
			}
		}
		b.denied(t, "past the proxy", b.pass(t, "127.0.0.2", "/", "X-Forwarded-Method: GET", "X-Forwarded-Uri: /public/a", "X-Original-Method: GET", "X-Original-Uri: /public/a"), 403)
	})
}

// The client cannot have a proxy take off what says who it is, and cannot go on in
// a protocol whose requests nobody judges.
func TestAskHops(t *testing.T) { // [PV-05 PV-08]
	eachAsker(t, func(t *testing.T, b *behind) {
		as := b.tokenWith(t, nil)
		for _, hops := range []string{"X-Auth-Subject", "close, x-auth-client , X-AUTH-SCOPE", "keep-alive, X-Auth-Subject, X-Auth-Client", "X-Forwarded-Uri, X-Original-URI, X-Forwarded-Method, X-Original-Method"} {
			b.passed(t, hops, b.ask(t, nil, "/orders/1", as, "Connection: "+hops), "user", clientID, "orders:read")
			for _, name := range []string{"X-Auth-Subject", "X_Auth_Subject"} {
				a := b.ask(t, nil, "/public/a", name+": admin", "Connection: "+hops+", "+name)
				if b.proxy.name == "nginx" && strings.Contains(name, "_") { // it drops those
					b.passed(t, name, a)
					continue
				}
				b.denied(t, name+" forged and taken off", a, 403)
			}
		}
		for _, upgrade := range [][]string{{"Upgrade: h2c"}, {"Upgrade: h2c", "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA"}, {"Upgrade: websocket, h2c"}, {"Upgrade: TLS/1.2"}, {"Upgrade: h2c", "Upgrade: websocket"}} {
			a := b.ask(t, nil, "/public/a", append(upgrade, "Connection: Upgrade, HTTP2-Settings")...)
			if seen := b.api.take(); seen != nil && !slices.Contains([]string{"", "websocket"}, strings.Join(seen["Upgrade"], ",")) {
				t.Errorf("%q: %s, the API sees %q", upgrade, a.Status, seen["Upgrade"])
			}
		}
		b.ask(t, nil, "/public/a", "Upgrade: WebSocket", "Connection: Keep-Alive, Upgrade", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==")
		forwards := b.proxy.name == "HAProxy" || b.proxy.name == "Caddy"
		if seen := b.api.take(); seen == nil || forwards != (seen.Get("Upgrade") == "websocket") {
			t.Errorf("a WebSocket: the API sees %q", seen)
		}
		for _, name := range []string{"X_Original_URL", "X-Original_Url"} {
			if a := b.ask(t, nil, "/public/a", name+": /orders/1"); b.proxy.name != "nginx" && (b.api.take() != nil || a.StatusCode != 400) {
				t.Errorf("%s: got %s", name, a.Status)
			}
		}
	})
}

// The path that is judged is the one that the API sees.
func TestAskPaths(t *testing.T) { // [PV-08]
	eachAsker(t, func(t *testing.T, b *behind) {
		for _, path := range []string{
			"/public/../orders/1", "/public/%2e%2e/orders/1", "/public/..%2forders/1", "/public/..;/orders/1", "/public/.;/../orders/1",
			"/public//../orders/1", "/public/%252e%252e/orders/1", "/public/..%5corders/1", `/public/..\orders/1`, "/public/%00", "/public/a%",
			"//orders/1", "/./orders/1", "/orders;/1", "/public/../nowhere", "/public/;/../../orders/1", "/public%2f..%2forders/1",
		} {
			a := b.ask(t, nil, path)
			if b.api.take() != nil || a.StatusCode < 400 {
				t.Errorf("%s: the API sees %s: %s", path, b.api.line, a.Status)
			}
		}
		as := b.tokenWith(t, nil)
		for _, path := range []string{"/orders/", "/orders//1", "/orders/a%20b", "/orders/a%2Fb", "/orders/%c3%a4", "/orders/a;b=c", "/orders/1?q=%2F,&r=/a;b", "/orders/1?"} {
			b.passed(t, path, b.ask(t, nil, path, as), "user", clientID, "orders:read")
			if b.api.line != "GET "+path {
				t.Errorf("%s: the API sees %s", path, b.api.line)
			}
		}
	})
}

// The metadata document is there for everybody, and nothing else is.
func TestAskDocument(t *testing.T) {
	eachAsker(t, func(t *testing.T, b *behind) {
		const path = "/.well-known/oauth-protected-resource"
		for _, fields := range [][]string{nil, {"X-Original-URI: /a", "X-Original-Method: GET", "X-Forwarded-Uri: /a", "X-Forwarded-Method: GET"}} {
			a := b.ask(t, nil, path, fields...)
			if a.StatusCode != http.StatusOK || !strings.Contains(a.body, `"authorization_servers"`) || b.api.take() != nil {
				t.Errorf("%q: got %s %s", fields, a.Status, a.body)
			}
		}
		b.denied(t, "below", b.ask(t, nil, path+"/orders"), 403)
	})
}

// Where bearward does not answer, or is not asked because the script is broken,
// nothing passes.
func TestAskNobody(t *testing.T) { // [ER-23]
	broken := slices.Clone(askers)
	for _, p := range askers {
		if p.script != "" {
			p.name += ", broken"
			p.faults = []string{"= \"http:", "= nil --"}
			broken = append(broken, p)
		}
	}
	each(t, broken, func(t *testing.T, p proxy) {
		b := &behind{proxy: p, api: newAPI(t), server: newIdentity(t, "proxy", publicHost)}
		b.at = p.run(t, b.server, "127.0.0.1:9000", addr(pickPort(t)), "127.0.0.1:9100", b.api.addr())
		for _, path := range []string{"/public/a", "/orders/1"} {
			if a := b.ask(t, nil, path); a.StatusCode < 500 || b.api.take() != nil {
				t.Errorf("%s: got %s", path, a.Status)
			}
		}
	})
}
