package interop

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/bearward/bearward/validate"
)

// Certificate-bound tokens of a real server pass with that certificate, from
// the connection itself, and with nothing else.
func TestClientsCertificates(t *testing.T) { // [MT-01 MT-02 MT-03 MT-05 IN-10]
	w := newWorld(t)
	refused := func(t *testing.T, r reply, code validate.Code) {
		t.Helper()
		w.refused(t, r, http.StatusUnauthorized, "bearer", "invalid_token", code)
	}
	for _, library := range []string{"oauth4webapi", "openid-client"} {
		for _, format := range formats {
			h := w.issue(holder{library: library, certificate: "right"}, format, "orders:read")
			free := w.issue(holder{library: library}, format, "orders:read")
			other, none := h, h
			other.certificate, none.certificate, free.certificate = "other", "", "right"
			for server, url := range w.servers {
				t.Run(fmt.Sprintf("%s/%s/%s", library, format, server), func(t *testing.T) {
					for _, path := range []string{"/mtls", "/off"} {
						w.accepted(t, h, w.call(h, url+path), 0, 0)
						refused(t, w.call(other, url+path), validate.ErrCertificateMismatch)
						refused(t, w.call(none, url+path), validate.ErrCertificateMissing)
					}
					w.accepted(t, free, w.call(free, url+"/off"), 0, 0)
					refused(t, w.call(free, url+"/mtls"), validate.ErrBindingRequired)
				})
			}
		}
	}
}
