package demo

import (
	"encoding/json"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/bearward/bearward/adapters/ginauth"
	"github.com/bearward/bearward/adapters/httpauth"
	"github.com/bearward/bearward/internal/server/route"
	"github.com/bearward/bearward/middleware"
	"github.com/bearward/bearward/validate"
	"github.com/bearward/bearward/validate/dpop"
)

// endpoint is one route of the API, over net/http as over gin.
type endpoint struct {
	method, path string
	policy       middleware.Policy
	status       int
	answer       func(*validate.Token) any // of what the handler sees; nil: no body
}

var (
	mayRead  = middleware.Scopes("orders:read")
	mayWrite = middleware.Scopes("orders:write")

	// What these open is worth stealing: a token alone is not enough.
	withKey         = mayRead.WithDPoP()
	withNonce       = withKey.WithNonce(dpop.NonceRequired)
	withCertificate = mayRead.WithMTLS()
)

var endpoints = []endpoint{
	{"GET", "/orders", mayRead, http.StatusOK, list},
	{"POST", "/orders", mayWrite, http.StatusCreated, create},
	{"GET", "/orders/export", mayRead.WithACR("phr"), http.StatusOK, list},
	{"DELETE", "/orders", middleware.Policy{Roles: []string{"admin"}}, http.StatusOK, remove},
	{"GET", "/me", middleware.Policy{UserOnly: true}, http.StatusOK, caller},
	{"GET", "/payments", withKey, http.StatusOK, list},
	{"POST", "/payments", withNonce, http.StatusCreated, create},
	{"GET", "/partners", withCertificate, http.StatusOK, list},
	{"GET", "/healthz", middleware.Public(), http.StatusOK, healthy},
	// The CORS layer: preflights reach it without a token, other OPTIONS
	// requests need one.
	{"OPTIONS", "/orders", mayRead, http.StatusNoContent, nil},
}

var stock = []string{"tea", "honey", "bread"}

func caller(t *validate.Token) any {
	return map[string]any{"subject": t.Subject, "client": t.ClientID, "scopes": t.Scopes}
}

func list(t *validate.Token) any { return map[string]any{"caller": t.Subject, "orders": stock} }

func create(t *validate.Token) any { return map[string]any{"caller": t.Subject, "created": true} }

func remove(t *validate.Token) any { return map[string]any{"caller": t.Subject, "removed": true} }

func healthy(*validate.Token) any { return map[string]any{"healthy": true} }

// Policy returns the policy of the API's route for a method and a path as
// received.
func Policy(method, rawPath string) (middleware.Policy, route.Outcome) {
	patterns := make([]string, len(endpoints))
	for i, e := range endpoints {
		patterns[i] = e.method + " " + e.path
	}
	i, outcome := route.New(patterns).Match(method, rawPath)
	if outcome != route.Matched {
		return middleware.Policy{}, outcome
	}
	return endpoints[i].policy, outcome
}

// overHTTP is the API on net/http's own router.
func overHTTP(guard *middleware.Guard) http.Handler {
	mux := http.NewServeMux()
	for _, e := range endpoints {
		mux.Handle(e.method+" "+e.path, httpauth.Protect(guard, e.policy)(e))
	}
	for _, path := range guard.MetadataPaths() {
		mux.Handle(path, httpauth.Metadata(guard))
	}
	return mux
}

// overGin is the same API on gin.
func overGin(guard *middleware.Guard) http.Handler {
	gin.SetMode(gin.ReleaseMode)
	router := gin.New()
	for _, e := range endpoints {
		router.Handle(e.method, e.path, ginauth.Protect(guard, e.policy), gin.WrapH(e))
	}
	for _, path := range guard.MetadataPaths() {
		router.Any(path, gin.WrapH(httpauth.Metadata(guard)))
	}
	return router
}

// ServeHTTP is the handler behind the guard.
func (e endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if e.answer == nil {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.Header().Set("Access-Control-Allow-Methods", "GET, POST")
		w.Header().Set("Access-Control-Allow-Headers", "Authorization, DPoP")
		w.WriteHeader(e.status)
		return
	}
	token, _ := middleware.FromContext(r.Context())
	body, err := json.Marshal(e.answer(token))
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(e.status)
	_, _ = w.Write(append(body, '\n')) // the client is gone
}
