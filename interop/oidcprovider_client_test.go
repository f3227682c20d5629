package interop

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// tokenRequest is what a client asks for; the zero value is an RS256 token for
// the default audience and the scope orders:read.
type tokenRequest struct {
	alg, audience, scope string
	opaque               bool
}

// token gets an access token with client_credentials.
func (p *oidcProvider) token(req tokenRequest) string {
	p.t.Helper()
	body, err := p.post("/token", req.form())
	if err != nil {
		p.t.Fatalf("%+v: %v\n%s", req, err, p.stderr)
	}
	var answer struct {
		AccessToken string `json:"access_token"`
		TokenType   string `json:"token_type"`
	}
	if err := json.Unmarshal(body, &answer); err != nil || answer.TokenType != "Bearer" {
		p.t.Fatalf("%+v: %v in %s", req, err, body)
	}
	return answer.AccessToken
}

func (req tokenRequest) form() url.Values {
	resource := url.Values{}
	if req.alg != "" {
		resource.Set("alg", req.alg)
	}
	if req.audience != "" {
		resource.Set("aud", req.audience)
	}
	if req.opaque {
		resource.Set("format", "opaque")
	}
	if req.scope == "" {
		req.scope = "orders:read"
	}
	return url.Values{
		"grant_type": {"client_credentials"},
		"scope":      {req.scope},
		"resource":   {audience + "?" + resource.Encode()},
	}
}

// revoke withdraws an opaque token at the server, as the client it was issued
// to: nobody else may.
func (p *oidcProvider) revoke(token string) {
	p.t.Helper()
	if _, err := p.post("/token/revocation", url.Values{"token": {token}}); err != nil {
		p.t.Fatal(err)
	}
}

// post sends a form as the API's caller and returns the body of a 200.
func (p *oidcProvider) post(path string, form url.Values) ([]byte, error) {
	r, err := http.NewRequest(http.MethodPost, p.URL()+path, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	r.SetBasicAuth(clientID, clientSecret)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s %s", resp.Status, body)
	}
	return body, err
}
