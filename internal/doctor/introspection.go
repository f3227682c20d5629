package doctor

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net/http"
	"net/url"

	"github.com/bearward/bearward/internal/server"
	"github.com/bearward/bearward/internal/server/config"
	"github.com/bearward/bearward/middleware"
	"github.com/bearward/bearward/validate"
)

var (
	askFine    = define("introspection", OK, "it answers about tokens, with {auth}", "")
	askRefused = define("introspection_refused", Error, "it refuses this server's own credentials ({auth}): {error}", "{path}introspection.client_id and client_secret: those of a client that may introspect there")
	askMethod  = define("introspection_method", Error, "it refuses this server's credentials with {auth} and takes the same with {works}", "{path}introspection.auth: {works}")
	askActive  = define("introspection_active", Error, "it calls a made-up token active, or answers about none", "{path}introspection.endpoint: where tokens are introspected (RFC 7662); this may be a mock")
	askAway    = define("introspection_away", Error, "it does not answer about tokens: {error}", "{path}introspection.endpoint: where tokens are introspected; with allow_private, allow_http and ca_file as the issuer needs them")
	askInvalid = define("introspection_invalid", Warning, "its answer about a made-up token cannot be used: {error}", "see its log: some answer 400 to a client that they do not know; {path}introspection.token_type_hint: false if it is the hint")
)

// introspection asks about a token that nobody has. What becomes of it tells
// whether this server is let in.
func introspection(ctx context.Context, v *visit) {
	in := v.issuer.Introspection
	if in == nil || v.asks() && v.doc.Issuer == "" && v.missed() {
		return // why is said already
	}
	code, why := v.ask(ctx, in.Auth)
	words := []string{"auth", in.Auth, "error", why, "path", v.path}
	switch code {
	case validate.ErrInactive:
		v.say(askFine, words...)
	case validate.ErrIntrospectionRefused:
		if works := v.another(ctx); works != "" {
			v.say(askMethod, append(words, "works", works)...)
			return
		}
		v.say(askRefused, words...)
	case validate.ErrIntrospectionInvalid:
		v.say(askInvalid, words...)
	case validate.ErrIntrospectionUnavailable, validate.ErrKeysUnavailable:
		v.say(askAway, words...)
	default:
		v.say(askActive, words...)
	}
}

// missed reports that the metadata was looked for in vain.
func (v *visit) missed() bool { return len(v.fetched) > 0 }

// another returns a method with which the same secret is taken, "" for none.
// Servers differ in whether they decode what RFC 6749 §2.3.1 encodes.
func (v *visit) another(ctx context.Context) string {
	in := v.issuer.Introspection
	secret := in.ClientSecret + contentOf(in.ClientSecretFile)
	if secret == "" {
		return ""
	}
	for _, auth := range []string{"client_secret_basic", "client_secret_basic_raw", "client_secret_post"} {
		same := in.ClientID == url.QueryEscape(in.ClientID) && secret == url.QueryEscape(secret)
		if auth == in.Auth || same && auth != "client_secret_post" && in.Auth != "client_secret_post" {
			continue // it would send the same once more
		}
		if same && auth == "client_secret_basic_raw" {
			continue
		}
		if code, _ := v.ask(ctx, auth); code == validate.ErrInactive {
			return auth
		}
	}
	return ""
}

// ask lets the server's own guard ask, with nothing else in the way: the file
// with one issuer and one rule.
func (v *visit) ask(ctx context.Context, auth string) (code validate.Code, why string) {
	in, issuer, file := *v.issuer.Introspection, *v.issuer, *v.file
	in.Auth, in.Opaque, in.Always, in.Every = auth, true, false, 0
	issuer.Introspection = &in
	file.Issuers, file.Rules = []config.Issuer{issuer}, []config.Rule{{Match: "/"}}
	file.Redis, file.Revocation, file.DPoP, file.FAPI, file.TLS, file.ForwardHeaders, file.Implies = nil, nil, nil, false, nil, nil, nil
	file.TrustedProxies, file.ClientCertHeader, file.Forwarded = nil, nil, "none"
	service, err := server.New(ctx, &file, slog.New(slog.DiscardHandler))
	if err != nil {
		return validate.ErrIntrospectionUnavailable, err.Error()
	}
	defer func() { _ = service.Close() }()
	policy, _ := service.Match(http.MethodGet, "/")
	ctx, cancel := context.WithTimeout(ctx, 2*callTimeout) // the endpoint has to be found first
	defer cancel()
	_, d := service.Guard.Decide(ctx, middleware.Request{
		Method: http.MethodGet, Scheme: "https", Host: "localhost", RawPath: "/",
		Header: http.Header{"Authorization": {"Bearer " + issuer.OpaquePrefix + "doctor-" + rand.Text()}},
	}, policy)
	for _, h := range service.Guard.Health() {
		if h.Introspection != nil {
			why = h.Introspection.LastError
		}
	}
	if d.Denial == nil {
		return "", why
	}
	return d.Denial.Code, why
}
