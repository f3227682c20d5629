package demo

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/bearward/bearward/internal/issuer"
)

// control plays the people who run the authorization server: it rotates the
// keys and takes the issuer down and up again.
func control(s *issuer.Server) http.Handler {
	actions := map[string]struct {
		what string
		run  func() error
	}{
		"/rotate": {"the issuer signs with a new key", s.Rotate},
		"/down":   {"the issuer closes every connection unanswered", func() error { return errors.Join(s.Break(issuer.Down), s.BreakIntrospection(issuer.Down)) }},
		"/up":     {"the issuer answers again", func() error { s.Heal(); s.HealIntrospection(); return nil }},
	}
	mux := http.NewServeMux()
	for path, action := range actions {
		mux.HandleFunc("POST "+path, func(w http.ResponseWriter, _ *http.Request) {
			if err := action.run(); err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
				return
			}
			fmt.Fprintln(w, action.what)
		})
	}
	return mux
}
