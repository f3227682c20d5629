package jwks

import (
	"context"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bearward/bearward/internal/egress"
)

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

func newFetcher(issuer string, pages map[string]egress.Response) (*fetcher, *site) {
	s := &site{pages: pages}
	if pages[keysURL].Body == "" {
		pages[keysURL] = egress.Response{Status: 200, Body: setOf("a")}
	}
	return &fetcher{config: Config{Issuer: issuer, Now: time.Now}, get: s.get}, s
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
			f, s := newFetcher(issuer, map[string]egress.Response{place: metadataOf(issuer)})
			if _, err := f.fetch(t.Context()); err != nil {
				t.Errorf("%s: %v", place, err)
			}
			if !slices.Equal(s.calls, append(slices.Clone(want[:i+1]), keysURL)) {
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
		want string // health's text
	}{
		"final slash":        {metadataOf(issuer + "/"), errIssuer.Error()},                    // [JK-02]
		"upper case":         {metadataOf("https://LOGIN.example.com"), errIssuer.Error()},     // [JK-02]
		"port":               {metadataOf("https://login.example.com:443"), errIssuer.Error()}, // [JK-02]
		"no issuer":          {document(`{"jwks_uri":"` + keysURL + `"}`), errIssuer.Error()},  // [JK-02]
		"issuer null":        {document(`{"issuer":null,"jwks_uri":"` + keysURL + `"}`), errMetadata.Error()},
		"issuer twice":       {document(`{"issuer":"x","issuer":"` + issuer + keys + `}`), errMetadata.Error()},      // [JK-05]
		"repeated elsewhere": {document(`{"a":{"b":1,"b":1},"issuer":"` + issuer + keys + `}`), errMetadata.Error()}, // [JK-05]
		"data after":         {document(`{"issuer":"` + issuer + keys + `}x`), errMetadata.Error()},                  // [JK-05]
		"array":              {document(`[]`), errMetadata.Error()},                                                  // [JK-05]
		"no jwks_uri":        {document(`{"issuer":"` + issuer + `"}`), errMetadata.Error()},                         // [JK-05]
		"jwks_uri a list":    {document(`{"issuer":"` + issuer + `","jwks_uri":["` + keysURL + `"]}`), errMetadata.Error()},
		"HTML type":          {typed("text/html"), errMetadata.Error()},                  // [JK-05]
		"no type":            {typed(""), errMetadata.Error()},                           // [JK-05]
		"type like JSON":     {typed("text/json-ish"), errMetadata.Error()},              // [JK-05]
		"201":                {status(201), "status 201"},                                // [JK-05]
		"500":                {status(500), "status 500"},                                // [JK-05]
		"404":                {status(404), "status 404"},                                // [JK-05]
		"redirect":           {egress.Response{Status: 302}, egress.ErrRedirect.Error()}, // [JK-07]
		"case of the member": {document(`{"Issuer":"` + issuer + keys + `}`), errIssuer.Error()},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f, s := newFetcher(issuer, map[string]egress.Response{places(issuer, "")[0]: tt.page})
			if _, err := f.fetch(t.Context()); err == nil || describe(err) != tt.want {
				t.Errorf("got %v, want %q", err, tt.want)
			}
			if slices.Contains(s.calls, keysURL) || len(s.calls) != 2 {
				t.Errorf("asked %v", s.calls)
			}
			f, _ = newFetcher(issuer, map[string]egress.Response{ // the document is discarded, the next place decides
				places(issuer, "")[0]: tt.page, places(issuer, "")[1]: metadataOf(issuer),
			})
			if _, err := f.fetch(t.Context()); err != nil {
				t.Errorf("with a good second place: %v", err)
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
		f, _ := newFetcher(issuer, map[string]egress.Response{places(issuer, "")[0]: page})
		doc, err := f.fetch(t.Context())
		if err != nil || len(doc.keys) != 1 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What the metadata says about algorithms neither widens nor narrows the list.
func TestMetadataDoesNotChooseAlgorithms(t *testing.T) { // [JK-20]
	page := document(`{"issuer":"` + issuer + `","jwks_uri":"` + keysURL + `","id_token_signing_alg_values_supported":["ES512"]}`)
	f, _ := newFetcher(issuer, map[string]egress.Response{places(issuer, "")[0]: page})
	s, _ := remote(t, &upstream{}, Config{})
	s.fetcher.get, s.fetcher.config.JWKSURL = f.get, ""
	has(t, s, "a")
}

func TestUnreachableServerIsAskedOnce(t *testing.T) {
	f, s := newFetcher(issuer, map[string]egress.Response{places(issuer, "")[0]: {}})
	if _, err := f.fetch(t.Context()); err == nil || len(s.calls) != 1 {
		t.Errorf("got %v after %v", err, s.calls)
	}
}

func TestMetadataIsRemembered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		place := places(issuer, "")[0]
		f, s := newFetcher(issuer, map[string]egress.Response{place: metadataOf(issuer)})
		fetch := func(ok bool, want ...string) {
			t.Helper()
			s.calls = nil
			if _, err := f.fetch(t.Context()); (err == nil) != ok || !slices.Equal(s.calls, want) {
				t.Errorf("got %v after %v, want %v", err, s.calls, want)
			}
		}
		fetch(true, place, keysURL)
		time.Sleep(24*time.Hour - time.Nanosecond)
		fetch(true, keysURL)
		time.Sleep(time.Nanosecond)
		fetch(true, place, keysURL)

		time.Sleep(24 * time.Hour) // metadata gone, keys still there
		delete(s.pages, place)
		fetch(true, place, places(issuer, "")[1], keysURL)

		s.pages[place] = metadataOf(issuer) // the key set moved
		s.pages[keysURL] = egress.Response{Status: 200, Body: "<html>"}
		fetch(false, place, keysURL)
		const moved = "https://login.example.com/moved"
		s.pages[place] = document(`{"issuer":"` + issuer + `","jwks_uri":"` + moved + `"}`)
		s.pages[moved] = egress.Response{Status: 200, Body: setOf("a")}
		fetch(true, place, moved)

		s.pages[moved] = egress.Response{Status: 503} // a short outage of the keys while metadata is gone
		fetch(false, moved)
		delete(s.pages, place)
		s.pages[moved] = egress.Response{Status: 200, Body: setOf("a")}
		fetch(true, place, places(issuer, "")[1], moved)
	})
}

func FuzzDiscovery(f *testing.F) {
	for _, seed := range []string{
		``, `{}`, metadataOf(issuer).Body, metadataOf("x").Body, `{"issuer":"x","issuer":"` + issuer + `"}`,
		`{"issuer":1}`, `{"issuer":"` + issuer + `","jwks_uri":""}`, `<html>`, `{"jwks_uri":"http://169.254.169.254/"}`,
	} {
		f.Add(seed)
	}
	client, err := egress.New(egress.Config{})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body string) {
		url, err := metadata(document(body), issuer)
		if (err == nil) != (url != "") {
			t.Fatalf("got %q, %v", url, err)
		}
		_ = client.Check(url)
	})
}
