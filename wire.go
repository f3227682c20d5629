package bearward

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/bearward/bearward/introspect"
	"github.com/bearward/bearward/jwks"
	"github.com/bearward/bearward/middleware"
	"github.com/bearward/bearward/validate"
	"github.com/bearward/bearward/validate/cache"
)

// wiring makes the parts of a Guard, or takes them over from the one before.
type wiring struct {
	cfg    Config
	before *shared // empty: there is none before
	made   *shared
}

// wire turns the configuration into the parts of a Guard, collecting faults. An
// issuer that is faulty keeps its place, so that the Guard can report what it
// finds beside.
func (w *wiring) wire() (middleware.Config, error) {
	cfg := w.cfg
	var faults []error
	if cfg.FAPI {
		faults = append(faults, holdToFAPI(&cfg))
	}
	core := middleware.Config{
		PublicURLs: cfg.PublicURLs, TrustedProxies: cfg.TrustedProxies, Forwarded: cfg.Forwarded, ClientCertHeader: cfg.ClientCertHeader, FAPI: cfg.FAPI,
		Resource: cfg.Resource, Realm: cfg.Realm, NoMetadata: cfg.NoMetadata,
		ReportOnly: cfg.ReportOnly, Observer: observer(cfg), Revocation: cfg.Revocation, Logger: cfg.Logger, Clock: cfg.Clock,
	}
	var err error
	if core.Cache, err = memory(cfg); err != nil {
		faults = append(faults, fmt.Errorf("bearward: %w", err))
	}
	if core.DPoP, err = w.proofs(cfg); err != nil {
		faults = append(faults, fmt.Errorf("bearward: %w", err))
	}
	w.made.revocation = cfg.Revocation
	for n, issuer := range cfg.Issuers {
		place := fmt.Sprintf("issuer %d", n+1)
		wired, err := w.wireIssuer(cfg, issuer)
		for _, fault := range distinct(err) {
			faults = append(faults, issuerFault{n, fault})
		}
		if err != nil {
			abandon(wired)
			wired = stand(issuer, place)
		}
		core.Issuers = append(core.Issuers, wired)
	}
	return core, errors.Join(faults...)
}

// issuerFault is a fault of one issuer.
type issuerFault struct {
	n   int // in the configuration, from 0
	err error
}

func (f issuerFault) Error() string { return fmt.Sprintf("bearward: issuer %d: %v", f.n+1, f.err) }

func (f issuerFault) Unwrap() error { return f.err }

// Issuer is where it stands in the configuration, for who has a file with lines.
func (f issuerFault) Issuer() int { return f.n }

// memory makes the cache of verified JWTs; nil where nothing is remembered.
func memory(cfg Config) (middleware.Cache, error) {
	if cfg.Cache.Disabled {
		return nil, nil //nolint:nilnil // no cache and no fault
	}
	c := cfg.Cache
	if c.Clock == nil {
		c.Clock = cfg.Clock
	}
	made, err := cache.New(c)
	if err != nil {
		return nil, err
	}
	return made, nil
}

// stand takes the place of an issuer whose faults are known already.
func stand(i Issuer, place string) middleware.Issuer {
	out := middleware.Issuer{
		URL: i.URL, Name: i.Name,
		Verifier: validate.VerifierFunc(func(context.Context, string) (*validate.Token, error) { return nil, validate.ErrInternal }),
	}
	if out.URL == "" {
		out.URL = place
	}
	if out.Name == "" {
		out.Name = defaultName(out.URL)
	}
	return out
}

func (w *wiring) wireIssuer(cfg Config, i Issuer) (middleware.Issuer, error) {
	if len(i.Audience) == 0 && cfg.Resource != "" {
		i.Audience = []string{cfg.Resource}
	}
	if i.Name == "" {
		i.Name = defaultName(i.URL)
	}
	wired := middleware.Issuer{URL: i.URL, Name: i.Name, Audience: i.Audience}
	keys, sourceErr := w.keySource(cfg, i)
	config := validate.Config{
		Issuer: i.URL, Audience: i.Audience, Profile: i.Profile, Algorithms: i.Algorithms,
		Leeway: i.Leeway, MaxLifetime: i.MaxLifetime, ScopeClaim: i.ScopeClaim, Clock: cfg.Clock,
		Preset: i.Preset, RolesClaim: i.RolesClaim, ClientIDs: i.ClientIDs, Tenants: i.Tenants, Require: i.Require,
	}
	switch {
	case sourceErr != nil:
		config.Keys = noKeys{} // its fault is reported already
	case keys != nil:
		wired.Keys = usedKeys{upstream(keys.value, i.URL), keys.use()}
		w.made.keys = append(w.made.keys, keys)
		config.Keys = keys.value
	}
	faults := []error{sourceErr, checkUnused(i)}
	if i.Introspection == nil || !i.Introspection.NoJWT {
		jwt, err := validate.NewJWT(config)
		if err == nil {
			wired.Verifier, wired.Leeway, wired.NoAudience = jwt, jwt.Leeway(), jwt.NoAudience()
		}
		faults = append(faults, err)
	}
	faults = append(faults, w.wireIntrospection(cfg, i, config, &wired))
	return wired, errors.Join(faults...)
}

// distinct takes joined errors apart and says each once: JWTs and answers of
// one issuer share settings.
func distinct(err error) (out []error) {
	said := map[string]bool{}
	for pending := []error{err}; len(pending) > 0; {
		err, pending = pending[0], pending[1:]
		if joined, ok := err.(interface{ Unwrap() []error }); ok {
			pending = append(joined.Unwrap(), pending...)
			continue
		}
		if err != nil && !said[err.Error()] {
			said[err.Error()] = true
			out = append(out, err)
		}
	}
	return out
}

// wireIntrospection adds the issuer's live side.
func (w *wiring) wireIntrospection(cfg Config, i Issuer, token validate.Config, wired *middleware.Issuer) error {
	in := i.Introspection
	if in == nil {
		var faults []error
		if i.OpaquePrefix != "" {
			faults = append(faults, errors.New("OpaquePrefix needs Introspection"))
		}
		if p, _ := validate.PresetNamed(i.Preset); p.AnswersOnly { // [CL-04]
			faults = append(faults, fmt.Errorf("preset %q is for opaque tokens and needs Introspection", i.Preset))
		}
		return errors.Join(faults...)
	}
	faults := []error{in.check(i)}
	token.TrustServer = in.TrustServer
	if !in.signed() && !answersJWT(i.Preset) {
		token.Keys = nil // they may change, and what is asked goes on
	}
	asked, err := w.before.verifier(introspect.Config{
		Token: token, Endpoint: in.Endpoint, DiscoveryURL: i.DiscoveryURL, Auth: in.Auth,
		NoTokenTypeHint: in.NoTokenTypeHint, SignedResponse: in.SignedResponse, SignedAudience: in.SignedAudience,
		Cache: in.Cache, Limits: in.Limits, Shared: in.Shared, SharedKey: in.SharedKey,
		AllowPrivate: i.AllowPrivate, AllowHTTP: i.AllowHTTP, RootCAs: roots(cfg, i), Proxy: cfg.EgressProxy, Logger: cfg.Logger,
	})
	if err == nil {
		wired.Introspection = usedAnswers{asked.value, asked.use()}
		w.made.asked = append(w.made.asked, asked)
	}
	if err := errors.Join(append(faults, err)...); err != nil {
		return err
	}
	verifier := asked.value
	wired.Leeway = verifier.Leeway()
	wired.NoAudience = wired.NoAudience || verifier.NoAudience() && !in.NoOpaque
	wired.Opaque, wired.OpaquePrefix = !in.NoOpaque, i.OpaquePrefix
	wired.Confirm, wired.ConfirmAge = in.Always || in.Every > 0, in.Every
	return nil
}

// answersJWT reports that the answers to opaque tokens are JWTs themselves.
func answersJWT(preset string) bool {
	p, _ := validate.PresetNamed(preset)
	return p.Answer.Dialect == "phantom"
}

// verifies reports whether anything is verified with the issuer's keys.
func verifies(i Issuer) bool {
	in := i.Introspection
	return in == nil || !in.NoJWT || in.signed() || answersJWT(i.Preset)
}

// checkUnused returns the settings that nothing would look at.
func checkUnused(i Issuer) error {
	in := i.Introspection
	if in == nil || !in.NoJWT {
		return nil
	}
	var faults []error
	unused := func(set bool, what string) {
		if set {
			faults = append(faults, fmt.Errorf("%s would be ignored with Introspection.NoJWT: nothing here uses it", what))
		}
	}
	unused(i.Profile != "" && !answersJWT(i.Preset), "Profile")
	if !verifies(i) {
		unused(i.Keys != nil, "Keys")
		unused(i.JWKSURL != "", "JWKSURL")
		unused(i.DiscoveryURL != "" && in.Endpoint != "", "DiscoveryURL")
	}
	return errors.Join(faults...)
}

// check returns settings that exclude each other or would mean nothing.
func (in *Introspection) check(i Issuer) error {
	var faults []error
	live := in.Always || in.Every != 0
	switch {
	case in.Always && in.Every != 0:
		faults = append(faults, errors.New("Introspection: Always and Every exclude each other"))
	case in.Every < 0 || in.Every > 5*time.Minute:
		faults = append(faults, fmt.Errorf("Introspection: Every %v is not within 0 to 5 min", in.Every))
	case in.NoOpaque && !live:
		faults = append(faults, errors.New("Introspection: nothing is asked about: NoOpaque without Always or Every"))
	}
	if in.NoJWT && (live || in.NoOpaque) {
		faults = append(faults, errors.New("Introspection: NoJWT excludes Always, Every and NoOpaque"))
	}
	if in.NoOpaque && (i.OpaquePrefix != "" || in.TrustServer) {
		faults = append(faults, errors.New("Introspection: NoOpaque excludes OpaquePrefix and TrustServer"))
	}
	return errors.Join(faults...)
}

// signed reports whether answers may be signed, so that keys are needed.
func (in *Introspection) signed() bool {
	return in != nil && in.SignedResponse != "" && in.SignedResponse != introspect.Off
}

func roots(cfg Config, i Issuer) *x509.CertPool {
	if i.RootCAs != nil {
		return i.RootCAs
	}
	return cfg.RootCAs
}

// keySource returns where the issuer's keys come from; nil where nothing is
// verified with any.
func (w *wiring) keySource(cfg Config, i Issuer) (*part[validate.KeySource], error) {
	metadata := i.DiscoveryURL != "" && (i.Introspection == nil || i.Introspection.Endpoint != "") // for keys only
	if i.Keys != nil {
		if metadata || i.JWKSURL != "" {
			return nil, errors.New("Keys excludes DiscoveryURL and JWKSURL")
		}
		return given(i.Keys, slices.Concat(w.before.keys, w.made.keys)...), nil
	}
	if metadata && i.JWKSURL != "" {
		return nil, errors.New("DiscoveryURL and JWKSURL exclude each other")
	}
	source, err := w.before.source(jwks.Config{
		Issuer: i.URL, DiscoveryURL: i.DiscoveryURL, JWKSURL: i.JWKSURL, Algorithms: i.Algorithms,
		AllowPrivate: i.AllowPrivate, AllowHTTP: i.AllowHTTP, RootCAs: roots(cfg, i), Proxy: cfg.EgressProxy,
		Refresh: i.Refresh.Interval, Cooldown: i.Refresh.Cooldown, MaxStale: i.Refresh.MaxStale,
		Now: cfg.Clock, Logger: cfg.Logger,
	})
	if err != nil || verifies(i) {
		return source, err
	}
	return nil, source.use().Close() // it was made for its faults
}

func observer(cfg Config) middleware.Observer {
	if cfg.Observer == nil && cfg.Logger != nil {
		return middleware.LogObserver(cfg.Logger)
	}
	return cfg.Observer
}

func defaultName(issuer string) string {
	u, err := url.Parse(issuer)
	if err != nil || u.Host == "" {
		return issuer
	}
	return u.Host + u.EscapedPath()
}

// upstream gives the Guard what it can load, ask and close.
func upstream(keys validate.KeySource, issuer string) middleware.Keys {
	if u, ok := keys.(middleware.Keys); ok {
		return u
	}
	return own{issuer}
}

// own stands for keys that the program holds itself.
type own struct{ issuer string }

func (o own) Load(context.Context) error { return nil }
func (o own) Health() jwks.Health        { return jwks.Health{Issuer: o.issuer, Loaded: true} }
func (o own) Close() error               { return nil }

type noKeys struct{}

func (noKeys) Keys(context.Context, string, string) ([]*validate.Key, error) { return nil, nil }
func (noKeys) Live(*validate.Key) bool                                       { return false }
