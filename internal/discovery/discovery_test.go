package discovery

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"testing"

	"github.com/bearward/bearward/internal/egress"
)

const (
	issuer  = "https://login.example.com"
	keysURL = "https://login.example.com/keys"
)

var errDown = errors.New("connection refused")

// site answers by URL; everything else is 404.
type site struct {
	pages map[string]egress.Response
	calls []string
}

func (s *site) get(_ context.Context, url string) (egress.Response, error) {
	s.calls = append(s.calls, url)
	page, ok := s.pages[url]
	switch {
	case !ok:
		return egress.Response{Status: http.StatusNotFound}, nil
	case page.Status == http.StatusFound:
		return page, egress.ErrRedirect
	case page.Status == 0:
		return page, errDown
	}
	return page, nil
}

func document(body string) egress.Response {
	return egress.Response{Status: 200, Header: http.Header{"Content-Type": {"application/json"}}, Body: body}
}

func metadataOf(issuer string) egress.Response {
	return document(`{"issuer":"` + issuer + `","jwks_uri":"` + keysURL + `"}`)
}

func TestDiscoveryPlaces(t *testing.T) { // [JK-03]
	const host = "https://login.example.com"
	tests := map[string][]string{
		host:       {host + "/.well-known/oauth-authorization-server", host + "/.well-known/openid-configuration"},
		host + "/": {host + "/.well-known/oauth-authorization-server", host + "/.well-known/openid-configuration"},
		host + "/realms/a": {
			host + "/.well-known/oauth-authorization-server/realms/a",
			host + "/.well-known/openid-configuration/realms/a",
			host + "/realms/a/.well-known/openid-configuration",
		},
		host + "/a%2Fb/": {
			host + "/.well-known/oauth-authorization-server/a%2Fb",
			host + "/.well-known/openid-configuration/a%2Fb",
			host + "/a%2Fb/.well-known/openid-configuration",
		},
	}
	for issuer, want := range tests {
		if got := places(issuer, ""); !slices.Equal(got, want) {
			t.Errorf("%s: %v", issuer, got)
		}
		for i, place := range want {
			s := &site{pages: map[string]egress.Response{place: metadataOf(issuer)}}
			if doc, err := Fetch(t.Context(), s.get, issuer, "", JWKSURI); err != nil || doc.Issuer != issuer || doc.JWKSURI != keysURL {
				t.Errorf("%s: got %+v, %v", place, doc, err)
			}
			if !slices.Equal(s.calls, want[:i+1]) {
				t.Errorf("%s: asked %v", place, s.calls)
			}
		}
	}
	if got := places(host, "https://other.example.com/m"); !slices.Equal(got, []string{"https://other.example.com/m"}) {
		t.Errorf("configured: %v", got)
	}
}

func TestMetadataRefused(t *testing.T) {
	typed := func(kind string) egress.Response {
		r := metadataOf(issuer)
		r.Header = http.Header{"Content-Type": {kind}}
		return r
	}
	status := func(code int) egress.Response {
		r := metadataOf(issuer)
		r.Status = code
		return r
	}
	const keys = `","jwks_uri":"` + keysURL + `"`
	tests := map[string]struct {
		page egress.Response
		want error
	}{
		"final slash":        {metadataOf(issuer + "/"), ErrIssuer},                    // [JK-02]
		"upper case":         {metadataOf("https://LOGIN.example.com"), ErrIssuer},     // [JK-02]
		"port":               {metadataOf("https://login.example.com:443"), ErrIssuer}, // [JK-02]
		"no issuer":          {document(`{"jwks_uri":"` + keysURL + `"}`), ErrIssuer},  // [JK-02]
		"issuer null":        {document(`{"issuer":null,"jwks_uri":"` + keysURL + `"}`), ErrDocument},
		"issuer twice":       {document(`{"issuer":"x","issuer":"` + issuer + keys + `}`), ErrDocument},      // [JK-05]
		"repeated elsewhere": {document(`{"a":{"b":1,"b":1},"issuer":"` + issuer + keys + `}`), ErrDocument}, // [JK-05]
		"data after":         {document(`{"issuer":"` + issuer + keys + `}x`), ErrDocument},                  // [JK-05]
		"array":              {document(`[]`), ErrDocument},                                                  // [JK-05]
		"no jwks_uri":        {document(`{"issuer":"` + issuer + `"}`), MissingError(JWKSURI)},               // [JK-05]
		"jwks_uri a list":    {document(`{"issuer":"` + issuer + `","jwks_uri":["` + keysURL + `"]}`), ErrDocument},
		"HTML type":          {typed("text/html"), ErrDocument},                  // [JK-05]
		"no type":            {typed(""), ErrDocument},                           // [JK-05]
		"type like JSON":     {typed("text/json-ish"), ErrDocument},              // [JK-05]
		"201":                {status(201), egress.StatusError(201)},             // [JK-05]
		"500":                {status(500), egress.StatusError(500)},             // [JK-05]
		"404":                {status(404), egress.StatusError(404)},             // [JK-05]
		"redirect":           {egress.Response{Status: 302}, egress.ErrRedirect}, // [JK-07]
		"case of the member": {document(`{"Issuer":"` + issuer + keys + `}`), ErrIssuer},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			first, second := places(issuer, "")[0], places(issuer, "")[1]
			s := &site{pages: map[string]egress.Response{first: tt.page}}
			doc, err := Fetch(t.Context(), s.get, issuer, "", JWKSURI)
			if !errors.Is(err, tt.want) || doc != (Document{}) {
				t.Errorf("got %+v, %v, want %v", doc, err, tt.want)
			}
			if !slices.Equal(s.calls, []string{first, second}) {
				t.Errorf("asked %v", s.calls)
			}
			s.pages[second] = metadataOf(issuer) // the document is discarded, the next place decides
			if doc, err := Fetch(t.Context(), s.get, issuer, "", JWKSURI); err != nil || doc.JWKSURI != keysURL {
				t.Errorf("with a good second place: %+v, %v", doc, err)
			}
			s = &site{pages: map[string]egress.Response{keysURL: tt.page}}
			if _, err := Fetch(t.Context(), s.get, issuer, keysURL, JWKSURI); !errors.Is(err, tt.want) || len(s.calls) != 1 {
				t.Errorf("configured: %v after %v", err, s.calls)
			}
		})
	}
}

func TestMetadataAccepted(t *testing.T) { // [JK-05 JK-20 JK-21]
	for name, page := range map[string]egress.Response{
		"unknown members": document(`{"issuer":"` + issuer + `","jwks_uri":"` + keysURL + `","x":[{"y":null}]}`),
		"charset":         {Status: 200, Header: http.Header{"Content-Type": {"application/json; charset=utf-8"}}, Body: metadataOf(issuer).Body},
		"suffix":          {Status: 200, Header: http.Header{"Content-Type": {"application/oauth+json"}}, Body: metadataOf(issuer).Body},
		"lists and signature": document(`{"issuer":"` + issuer + `","jwks_uri":"` + keysURL +
			`","id_token_signing_alg_values_supported":["none","HS256"],"signed_metadata":"a.b.c"}`),
	} {
		s := &site{pages: map[string]egress.Response{places(issuer, "")[0]: page}}
		doc, err := Fetch(t.Context(), s.get, issuer, "", JWKSURI)
		if want := (Document{Issuer: issuer, JWKSURI: keysURL}); err != nil || doc != want {
			t.Errorf("%s: got %+v, %v", name, doc, err)
		}
	}
}

func TestEndpoints(t *testing.T) {
	const plain, alias = "https://login.example.com/introspect", "https://mtls.example.com/introspect"
	tests := map[string]struct {
		members string
		want    Document
	}{
		"none":        {``, Document{}},
		"plain":       {`"introspection_endpoint":"` + plain + `"`, Document{IntrospectionEndpoint: plain}},
		"escaped":     {`"introspection_endpoint":"https:\/\/login.example.com/\u0069ntrospect"`, Document{IntrospectionEndpoint: plain}},
		"alias":       {`"mtls_endpoint_aliases":{"x":1,"introspection_endpoint":"` + alias + `"}`, Document{MTLSIntrospectionEndpoint: alias}},
		"both":        {`"mtls_endpoint_aliases":{"introspection_endpoint":"` + alias + `"},"introspection_endpoint":"` + plain + `"`, Document{IntrospectionEndpoint: plain, MTLSIntrospectionEndpoint: alias}},
		"null":        {`"introspection_endpoint":null,"mtls_endpoint_aliases":null`, Document{}},
		"other types": {`"introspection_endpoint":["` + plain + `"],"mtls_endpoint_aliases":["` + alias + `"]`, Document{}},
		"alias null":  {`"mtls_endpoint_aliases":{"introspection_endpoint":null}`, Document{}},
		"other case":  {`"Introspection_endpoint":"` + plain + `"`, Document{}},
	}
	for name, tt := range tests {
		body := `{"issuer":"` + issuer + `"`
		if tt.members != "" {
			body += "," + tt.members
		}
		s := &site{pages: map[string]egress.Response{keysURL: document(body + "}")}}
		tt.want.Issuer = issuer
		if doc, err := Fetch(t.Context(), s.get, issuer, keysURL); err != nil || doc != tt.want {
			t.Errorf("%s: got %+v, %v", name, doc, err)
		}
		none := tt.want.IntrospectionEndpoint == "" && tt.want.MTLSIntrospectionEndpoint == ""
		_, err := Fetch(t.Context(), s.get, issuer, keysURL, IntrospectionEndpoint)
		if errors.Is(err, MissingError(IntrospectionEndpoint)) != none || (err != nil) != none {
			t.Errorf("%s, needed: %v", name, err)
		}
	}
	for name, members := range map[string]string{
		"twice":       `"introspection_endpoint":"a","introspection_endpoint":"b"`,
		"alias twice": `"mtls_endpoint_aliases":{"introspection_endpoint":"a","introspection_endpoint":"b"}`,
	} {
		s := &site{pages: map[string]egress.Response{keysURL: document(`{"issuer":"` + issuer + `",` + members + `}`)}}
		if _, err := Fetch(t.Context(), s.get, issuer, keysURL); !errors.Is(err, ErrDocument) { // [JK-05]
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestUnreachableServerIsAskedOnce(t *testing.T) {
	s := &site{pages: map[string]egress.Response{places(issuer, "")[0]: {}}}
	if _, err := Fetch(t.Context(), s.get, issuer, ""); !errors.Is(err, errDown) || len(s.calls) != 1 {
		t.Errorf("got %v after %v", err, s.calls)
	}
	if _, err := Fetch(t.Context(), s.get, "https://a\x00b", ""); !errors.Is(err, egress.ErrURL) || len(s.calls) != 1 {
		t.Errorf("no URL: %v", err)
	}
}

func FuzzFetch(f *testing.F) {
	for _, seed := range []string{
		``, `{}`, metadataOf(issuer).Body, metadataOf("x").Body, `{"issuer":"x","issuer":"` + issuer + `"}`,
		`{"issuer":1}`, `{"issuer":"` + issuer + `","jwks_uri":""}`, `<html>`, `{"jwks_uri":"http://169.254.169.254/"}`,
		`{"issuer":"` + issuer + `","mtls_endpoint_aliases":{"introspection_endpoint":"\ud800"}}`,
	} {
		f.Add(seed)
	}
	client, err := egress.New(egress.Config{})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body string) {
		get := func(context.Context, string) (egress.Response, error) { return document(body), nil }
		doc, err := Fetch(t.Context(), get, issuer, keysURL, JWKSURI)
		if (err == nil) != (doc.JWKSURI != "") || err == nil && doc.Issuer != issuer || err != nil && doc != (Document{}) {
			t.Fatalf("got %+v, %v", doc, err)
		}
		for _, url := range []string{doc.JWKSURI, doc.IntrospectionEndpoint, doc.MTLSIntrospectionEndpoint} {
			_ = client.Check(url)
		}
	})
}
