package server

import (
	"net/http"
	"net/http/pprof"
)

// profiles shows what the process does, to whoever asks for this machine by its
// name or address: a web page cannot.
func profiles(mux *http.ServeMux) {
	for path, handler := range map[string]http.HandlerFunc{
		"/debug/pprof/":        pprof.Index,
		"/debug/pprof/cmdline": pprof.Cmdline,
		"/debug/pprof/profile": pprof.Profile,
		"/debug/pprof/symbol":  pprof.Symbol,
		"/debug/pprof/trace":   pprof.Trace,
	} {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) {
			if !local(r.Host) {
				complain(w, http.StatusForbidden, "ask for this machine by its name or address")
				return
			}
			handler(w, r)
		})
	}
}
