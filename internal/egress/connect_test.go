package egress

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
)

// Connect changes where a connection goes, and neither who is expected there nor
// what is allowed.
func TestConnect(t *testing.T) { // [JK-06]
	srv, cfg := serve(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Host) })
	cfg.Connect = strings.TrimPrefix(srv.URL, "https://")
	if resp, err := get(t, cfg, "https://example.com/"); err != nil || resp.Body != "example.com" {
		t.Errorf("%+v, %v", resp, err)
	}
	if _, err := get(t, cfg, "https://other.example/"); err == nil {
		t.Error("the certificate of another name is accepted")
	}
	cfg.AllowPrivate = false
	if _, err := get(t, cfg, "https://example.com/"); !errors.Is(err, ErrAddress) {
		t.Errorf("a private address: %v", err)
	}
}
