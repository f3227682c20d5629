package middleware_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/bearward/bearward/middleware"
)

// What an outer CORS layer exposes stays exposed; other fields of the answer
// are the refusal's own. [TR-17 ER-24]
func TestDenialKeepsExposedHeaders(t *testing.T) {
	w := httptest.NewRecorder()
	w.Header().Set("Access-Control-Expose-Headers", "ETag")
	w.Header().Set("Cache-Control", "public")
	d := &middleware.Denial{Status: 401, Header: http.Header{
		"Access-Control-Expose-Headers": {"Www-Authenticate"}, "Cache-Control": {"no-store"},
	}}
	for range 2 { // writing does not change the denial
		d.ServeHTTP(w, nil)
	}
	if got := w.Header().Values("Access-Control-Expose-Headers"); !slices.Equal(got, []string{"ETag", "Www-Authenticate", "Www-Authenticate"}) {
		t.Errorf("exposed: %q", got)
	}
	if got := w.Header().Values("Cache-Control"); !slices.Equal(got, []string{"no-store"}) {
		t.Errorf("cache: %q", got)
	}
	if len(d.Header["Access-Control-Expose-Headers"]) != 1 {
		t.Error("the denial was changed")
	}
}
