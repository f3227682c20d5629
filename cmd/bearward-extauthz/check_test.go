package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/bearward/bearward/bearwardtest"
	"github.com/bearward/bearward/internal/server"
	"github.com/bearward/bearward/internal/server/config"
	"github.com/bearward/bearward/middleware"
)

// asked is a server that runs, and Envoy's way to ask it.
type asked struct {
	issuer *bearwardtest.Issuer
	url    string
	client authv3.AuthorizationClient
}

func start(t *testing.T, trusted string) *asked {
	t.Helper()
	issuer := bearwardtest.NewIssuer(t)
	file, err := config.Parse("bearward.yaml", fmt.Appendf(nil, `listen: 127.0.0.1:0
mode: ext-authz
trusted_proxies: [%s]
resource: https://api.example.test
public_url: https://api.example.test
dpop: {}
issuers: [{issuer: %q, allow_http: true}]
rules:
  - {match: "GET /read", scopes: [read]}
  - {match: "/open/", public: true}
forward_headers: {X-Auth-Subject: sub, X-Auth-Tenant: tenant}
log: {level: error}
`, trusted, issuer.URL))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	out, in := io.Pipe()
	done := make(chan error, 1)
	go func() {
		err := server.RunBehind(ctx, front, file, nil, in)
		_ = in.CloseWithError(io.EOF)
		done <- err
	}()
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(<-done)
	}
	address := strings.TrimSpace(strings.TrimPrefix(line, "bearward: listening on "))
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = conn.Close()
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return &asked{issuer, "http://" + address, authv3.NewAuthorizationClient(conn)}
}

func (a *asked) bearer() string {
	return "Bearer " + a.issuer.JWT(bearwardtest.Claims{Scope: "read"})
}

// ask asks about a request, its headers by turns name and value.
func (a *asked) ask(t *testing.T, method, path string, headers ...string) *authv3.CheckResponse {
	t.Helper()
	asked := &authv3.AttributeContext_HttpRequest{Method: method, Path: path, Host: "api.example.test", Scheme: "https", HeaderMap: &corev3.HeaderMap{}}
	for i := 0; i < len(headers); i += 2 {
		asked.HeaderMap.Headers = append(asked.HeaderMap.Headers, &corev3.HeaderValue{Key: headers[i], RawValue: []byte(headers[i+1])})
	}
	return a.check(t, asked)
}

func (a *asked) check(t *testing.T, asked *authv3.AttributeContext_HttpRequest) *authv3.CheckResponse {
	t.Helper()
	answer, err := a.client.Check(t.Context(), &authv3.CheckRequest{
		Attributes: &authv3.AttributeContext{Request: &authv3.AttributeContext_Request{Http: asked}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

// values are those of header options, a further one behind a bar.
func values(t *testing.T, options []*corev3.HeaderValueOption) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, o := range options {
		name := o.GetHeader().GetKey()
		if _, again := out[name]; again != o.GetAppend().GetValue() {
			t.Errorf("%s: append is %v", name, o.GetAppend())
		}
		out[name] += "|" + o.GetHeader().GetValue()
	}
	return out
}

func TestAllowed(t *testing.T) { // [PV-05 TR-13 TR-16]
	a := start(t, "127.0.0.1")
	remove := []string{"authorization", "dpop", "proxy-authorization", "x-original-url"}
	for name, c := range map[string]struct {
		answer   *authv3.CheckResponse
		identity map[string]string
		removed  []string
	}{
		"token":     {a.ask(t, "GET", "/read?x=/open/", "authorization", a.bearer()), map[string]string{"x-auth-subject": "|user-1"}, append(remove, "x-auth-tenant")},
		"public":    {a.ask(t, "POST", "/open/a"), nil, append(remove, "x-auth-subject", "x-auth-tenant")},
		"preflight": {a.ask(t, "OPTIONS", "/read", "origin", "https://a", "access-control-request-method", "GET"), nil, append(remove, "cookie", "x-auth-subject", "x-auth-tenant")},
		"joined": {a.check(t, &authv3.AttributeContext_HttpRequest{
			Method: "GET", Path: "/read", Headers: map[string]string{":path": "/open/", "host": "evil", "authorization": a.bearer()},
		}), map[string]string{"x-auth-subject": "|user-1"}, append(remove, "x-auth-tenant")},
	} {
		ok := c.answer.GetOkResponse()
		if ok == nil || c.answer.GetStatus().GetCode() != 0 {
			t.Errorf("%s: got %v", name, c.answer)
			continue
		}
		if got := values(t, ok.GetHeaders()); !maps.Equal(got, c.identity) || !slices.Equal(ok.GetHeadersToRemove(), c.removed) {
			t.Errorf("%s: got %v without %v", name, got, ok.GetHeadersToRemove())
		}
	}
}

func TestRefused(t *testing.T) { // [PV-05 PV-08 ER-01]
	a := start(t, "127.0.0.1")
	bearer := a.bearer()
	for name, c := range map[string]struct {
		answer     *authv3.CheckResponse
		status     int32
		challenges int
	}{
		"no token":       {a.ask(t, "GET", "/read"), 401, 2},
		"no rule":        {a.ask(t, "PUT", "/read", "authorization", bearer), 403, 0},
		"two tokens":     {a.ask(t, "GET", "/read", "authorization", bearer, "authorization", bearer), 400, 2},
		"two paths":      {a.ask(t, "GET", "/open/../read"), 400, 2},
		"a broken query": {a.ask(t, "GET", "/open/?a b"), 400, 2},
		"forged":         {a.ask(t, "GET", "/open/a", "x_auth_subject", "admin"), 403, 0},
		"overridden":     {a.ask(t, "GET", "/open/a", "x-http-method-override", "PUT"), 400, 2},
		"no proof":       {a.ask(t, "GET", "/read", "authorization", "DPoP "+a.issuer.DPoP().JWT(bearwardtest.Claims{Scope: "read"})), 401, 2},
		"no path":        {a.ask(t, "GET", ""), 403, 0},
		"no method":      {a.ask(t, "", "/open/a"), 403, 0},
		"nothing":        {a.check(t, nil), 403, 0},
	} {
		denied := c.answer.GetDeniedResponse()
		if denied == nil || int32(denied.GetStatus().GetCode()) != c.status || c.answer.GetStatus().GetCode() == 0 {
			t.Errorf("%s: got %v", name, c.answer)
			continue
		}
		got := values(t, denied.GetHeaders())
		if strings.Count(got["www-authenticate"], `|Bearer realm="`)+strings.Count(got["www-authenticate"], `|DPoP realm="`) != c.challenges ||
			got["cache-control"] != "|no-store" || !strings.Contains(denied.GetBody(), fmt.Sprintf(`"status":%d`, c.status)) {
			t.Errorf("%s: got %v %s", name, got, denied.GetBody())
		}
	}
}

// A status that Envoy does not know is one that it does.
func TestUnknownStatus(t *testing.T) {
	answer := refuse(&middleware.Denial{Status: 425}).GetDeniedResponse()
	if answer.GetStatus().GetCode() != 503 || !strings.Contains(answer.GetBody(), `"status":503`) {
		t.Errorf("got %v", answer)
	}
}

// Nobody else gets an answer, and nothing else has one that could be taken for
// yes.
func TestStrangers(t *testing.T) { // [PV-05]
	if code := start(t, "192.0.2.1").ask(t, "GET", "/open/a").GetDeniedResponse().GetStatus().GetCode(); code != 403 {
		t.Errorf("got %d", code)
	}
	a := start(t, "127.0.0.1")
	http2 := &http.Transport{Protocols: new(http.Protocols)}
	http2.Protocols.SetUnencryptedHTTP2(true)
	defer http2.CloseIdleConnections()
	http1 := &http.Transport{}
	defer http1.CloseIdleConnections()
	for _, c := range []struct {
		transport  *http.Transport
		path, kind string
	}{
		{http1, "/open/a", ""},
		{http1, authv3.Authorization_Check_FullMethodName, "application/grpc"},
		{http2, "/open/a", "application/grpc"},
		{http2, "/open/a", ""},
		{http2, authv3.Authorization_Check_FullMethodName, "text/plain"},
	} {
		r, err := http.NewRequest(http.MethodPost, a.url+c.path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", c.kind)
		resp, err := c.transport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusForbidden {
			t.Errorf("%s %s %s: got %s", resp.Proto, c.path, c.kind, resp.Status)
		}
	}
}
