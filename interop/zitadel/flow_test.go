package zitadel

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// token gets an access token by the code flow: the authorization request, the
// login page of the server, its redirect back with the code, the exchange.
func (p *provider) token(client, scope string) string {
	p.t.Helper()
	login := p.redirect(p.get(p.URL() + "/auth?" + url.Values{
		"client_id": {client}, "redirect_uri": {redirectURI}, "response_type": {"code"}, "scope": {scope}, "state": {"s"},
	}.Encode()))
	callback := p.redirect(p.post("/login/username", "", url.Values{
		"id":       {login.Query().Get("authRequestID")},
		"username": {"test-user@127.0.0.1"}, "password": {"verysecure"},
	}))
	back := p.redirect(p.get(callback.String()))
	body := p.body(p.post("/oauth/token", client, url.Values{
		"grant_type": {"authorization_code"}, "code": {back.Query().Get("code")}, "redirect_uri": {redirectURI},
	}))
	var answer struct {
		AccessToken string `json:"access_token"`
		TokenType   string `json:"token_type"`
	}
	if err := json.Unmarshal(body, &answer); err != nil || answer.AccessToken == "" || answer.TokenType != "Bearer" {
		p.t.Fatalf("no token: %v %s", err, body)
	}
	return answer.AccessToken
}

// revoke withdraws a token at the server as the client that it was issued to.
func (p *provider) revoke(client, token string) {
	p.t.Helper()
	p.body(p.post("/revoke", client, url.Values{"token": {token}, "token_type_hint": {"access_token"}}))
}

func (p *provider) get(target string) *http.Response {
	p.t.Helper()
	r, err := http.NewRequestWithContext(p.t.Context(), http.MethodGet, target, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	return p.do(r)
}

// post sends a form, authenticated as the client if there is one.
func (p *provider) post(path, client string, form url.Values) *http.Response {
	p.t.Helper()
	r, err := http.NewRequestWithContext(p.t.Context(), http.MethodPost, p.URL()+path, strings.NewReader(form.Encode()))
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if client != "" {
		r.SetBasicAuth(url.QueryEscape(client), url.QueryEscape(secret))
	}
	return p.do(r)
}

func (p *provider) do(r *http.Request) *http.Response {
	p.t.Helper()
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(r) // follows no redirect
	if err != nil {
		p.t.Fatal(err)
	}
	return resp
}

// redirect is where the answer sends the browser.
func (p *provider) redirect(resp *http.Response) *url.URL {
	p.t.Helper()
	defer resp.Body.Close()
	to, err := resp.Location()
	if err != nil || resp.StatusCode != http.StatusFound {
		body, _ := io.ReadAll(resp.Body)
		p.t.Fatalf("no redirect: %s %v %s", resp.Status, err, body)
	}
	return to
}

func (p *provider) body(resp *http.Response) []byte {
	p.t.Helper()
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		p.t.Fatalf("%s: %v %s", resp.Status, err, body)
	}
	return body
}
