package introspect

import (
	"net/http"
	"testing"

	"github.com/bearward/bearward/validate"
)

// A server may accept each assertion once. That costs one request more, once.
func TestAssertionIsGoodOnce(t *testing.T) { // [IN-02]
	e, cfg := started(t, nil)
	seen := map[string]bool{}
	e.answers(func(w http.ResponseWriter, r *http.Request) {
		status, assertion := http.StatusOK, e.last(t).form.Get("client_assertion")
		if seen[assertion] {
			status = http.StatusUnauthorized
		}
		seen[assertion] = true
		says(status, yes)(w, r)
	})
	cfg.Auth = Auth{Method: PrivateKeyJWT, ClientID: "api", Key: signers(t)["EdDSA"]}
	c := asking(t, cfg)
	for range 4 {
		if r, f := c.ask(t.Context(), opaque); f != nil || !r.active {
			t.Errorf("got %+v, %v", r, f)
		}
	}
	if n := len(e.requests()); n != 5 {
		t.Errorf("%d requests for 4 questions, want 5", n)
	}
}

// Credentials that are wrong are not tried again and again.
func TestAssertionIsRefused(t *testing.T) { // [IN-05]
	e, cfg := started(t, says(401, `{"error":"invalid_client"}`))
	cfg.Auth = Auth{Method: PrivateKeyJWT, ClientID: "api", Key: signers(t)["EdDSA"]}
	c := asking(t, cfg)
	for range 4 {
		if _, f := c.ask(t.Context(), opaque); f == nil || f.code != validate.ErrIntrospectionRefused || !f.counts {
			t.Errorf("got %+v", f)
		}
	}
	if n := len(e.requests()); n != 5 {
		t.Errorf("%d requests for 4 questions, want 5", n)
	}
}
