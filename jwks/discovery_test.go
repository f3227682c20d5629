package jwks

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bearward/bearward/internal/discovery"
	"github.com/bearward/bearward/internal/egress"
)

const (
	firstPlace  = issuer + "/.well-known/oauth-authorization-server"
	secondPlace = issuer + "/.well-known/openid-configuration"
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

// Each kind of fault has its word in health; what is refused is
// internal/discovery's business.
func TestMetadataRefused(t *testing.T) {
	tests := map[string]struct {
		page egress.Response
		want string
	}{
		"other issuer": {metadataOf(issuer + "/"), "metadata names another issuer"}, // [JK-02]
		"no JSON":      {document(`<html>`), discovery.ErrDocument.Error()},         // [JK-05]
		"no jwks_uri":  {document(`{"issuer":"` + issuer + `"}`), "metadata has no jwks_uri"},
		"500":          {egress.Response{Status: 500}, "status 500"},
		"redirect":     {egress.Response{Status: 302}, egress.ErrRedirect.Error()},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f, s := newFetcher(issuer, map[string]egress.Response{firstPlace: tt.page})
			if _, err := f.fetch(t.Context()); err == nil || describe(err) != tt.want {
				t.Errorf("got %v, want %q", err, tt.want)
			}
			if !slices.Equal(s.calls, []string{firstPlace, secondPlace}) {
				t.Errorf("asked %v", s.calls)
			}
			s.pages[secondPlace] = metadataOf(issuer)
			if doc, err := f.fetch(t.Context()); err != nil || len(doc.keys) != 1 {
				t.Errorf("with a good second place: %v", err)
			}
		})
	}
}

// A document for many tenants names its issuer with the placeholder.
func TestTenantTemplate(t *testing.T) { // [JK-22]
	const template, place = issuer + "/{tenantid}/v2.0", issuer + "/common/v2.0/.well-known/openid-configuration"
	cfg, _, err := Config{Issuer: template, DiscoveryURL: place, Now: time.Now}.prepare()
	if err != nil {
		t.Fatal(err)
	}
	f, s := newFetcher(template, map[string]egress.Response{place: metadataOf(template)})
	f.config = cfg
	if doc, err := f.fetch(t.Context()); err != nil || len(doc.keys) != 1 || !slices.Equal(s.calls, []string{place, keysURL}) {
		t.Errorf("got %v after %v", err, s.calls)
	}
	for _, other := range []string{
		issuer + "/{tenantID}/v2.0", issuer + "/%7Btenantid%7D/v2.0", issuer + "/5ba703b7-0000-4000-8000-000000000000/v2.0",
	} {
		f.found, f.jwksURL = time.Time{}, ""
		s.pages[place] = metadataOf(other)
		if _, err := f.fetch(t.Context()); !errors.Is(err, discovery.ErrIssuer) { // [JK-02]
			t.Errorf("%s: %v", other, err)
		}
	}
	if _, _, err := (Config{Issuer: template, JWKSURL: keysURL}).prepare(); err != nil {
		t.Errorf("with a JWKS URL: %v", err)
	}
}

// What the metadata says about algorithms neither widens nor narrows the list.
func TestMetadataDoesNotChooseAlgorithms(t *testing.T) { // [JK-20]
	page := document(`{"issuer":"` + issuer + `","jwks_uri":"` + keysURL + `","id_token_signing_alg_values_supported":["ES512"]}`)
	f, _ := newFetcher(issuer, map[string]egress.Response{firstPlace: page})
	s, _ := remote(t, &upstream{}, Config{})
	s.fetcher.get, s.fetcher.config.JWKSURL = f.get, ""
	has(t, s, "a")
}

func TestMetadataIsRemembered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, s := newFetcher(issuer, map[string]egress.Response{firstPlace: metadataOf(issuer)})
		fetch := func(ok bool, want ...string) {
			t.Helper()
			s.calls = nil
			if _, err := f.fetch(t.Context()); (err == nil) != ok || !slices.Equal(s.calls, want) {
				t.Errorf("got %v after %v, want %v", err, s.calls, want)
			}
		}
		fetch(true, firstPlace, keysURL)
		time.Sleep(24*time.Hour - time.Nanosecond)
		fetch(true, keysURL)
		time.Sleep(time.Nanosecond)
		fetch(true, firstPlace, keysURL)

		time.Sleep(24 * time.Hour) // metadata gone, keys still there
		delete(s.pages, firstPlace)
		fetch(true, firstPlace, secondPlace, keysURL)

		s.pages[firstPlace] = metadataOf(issuer) // the key set moved
		s.pages[keysURL] = egress.Response{Status: 200, Body: "<html>"}
		fetch(false, firstPlace, keysURL)
		const moved = "https://login.example.com/moved"
		s.pages[firstPlace] = document(`{"issuer":"` + issuer + `","jwks_uri":"` + moved + `"}`)
		s.pages[moved] = egress.Response{Status: 200, Body: setOf("a")}
		fetch(true, firstPlace, moved)

		s.pages[moved] = egress.Response{Status: 503} // a short outage of the keys while metadata is gone
		fetch(false, moved)
		delete(s.pages, firstPlace)
		s.pages[moved] = egress.Response{Status: 200, Body: setOf("a")}
		fetch(true, firstPlace, secondPlace, moved)
	})
}
