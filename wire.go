package bearward

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"github.com/bearward/bearward/jwks"
	"github.com/bearward/bearward/middleware"
	"github.com/bearward/bearward/validate"
)

// wire turns the configuration into the parts of a Guard, collecting faults. An
// issuer that is faulty keeps its place, so that the Guard can report what it
// finds beside.
func wire(cfg Config) (middleware.Config, error) {
	core := middleware.Config{
		Resource: cfg.Resource, Realm: cfg.Realm, NoMetadata: cfg.NoMetadata,
		Observer: observer(cfg), Logger: cfg.Logger, Clock: cfg.Clock,
	}
	var faults []error
	for n, issuer := range cfg.Issuers {
		place := fmt.Sprintf("issuer %d", n+1)
		wired, err := wireIssuer(cfg, issuer)
		if err != nil {
			faults = append(faults, fmt.Errorf("bearward: %s: %w", place, err))
			wired = stand(issuer, place)
		}
		core.Issuers = append(core.Issuers, wired)
	}
	return core, errors.Join(faults...)
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

func wireIssuer(cfg Config, i Issuer) (middleware.Issuer, error) {
	if len(i.Audience) == 0 && cfg.Resource != "" {
		i.Audience = []string{cfg.Resource}
	}
	if i.Name == "" {
		i.Name = defaultName(i.URL)
	}
	keys, sourceErr := keySource(cfg, i)
	config := validate.Config{
		Issuer: i.URL, Audience: i.Audience, Keys: keys, Profile: i.Profile, Algorithms: i.Algorithms,
		Leeway: i.Leeway, MaxLifetime: i.MaxLifetime, ScopeClaim: i.ScopeClaim, Clock: cfg.Clock,
	}
	if sourceErr != nil {
		config.Keys = noKeys{} // its fault is reported already
	}
	jwt, err := validate.NewJWT(config)
	if err := errors.Join(sourceErr, err); err != nil {
		return middleware.Issuer{}, err
	}
	return middleware.Issuer{
		URL: i.URL, Name: i.Name, Audience: i.Audience, Leeway: jwt.Leeway(), Verifier: jwt, Keys: upstream(keys, i.URL),
	}, nil
}

func keySource(cfg Config, i Issuer) (validate.KeySource, error) {
	if i.Keys != nil {
		if i.DiscoveryURL != "" || i.JWKSURL != "" {
			return nil, errors.New("Keys excludes DiscoveryURL and JWKSURL")
		}
		return i.Keys, nil
	}
	if i.DiscoveryURL != "" && i.JWKSURL != "" {
		return nil, errors.New("DiscoveryURL and JWKSURL exclude each other")
	}
	roots := i.RootCAs
	if roots == nil {
		roots = cfg.RootCAs
	}
	source, err := jwks.Remote(jwks.Config{
		Issuer: i.URL, DiscoveryURL: i.DiscoveryURL, JWKSURL: i.JWKSURL, Algorithms: i.Algorithms,
		AllowPrivate: i.AllowPrivate, AllowHTTP: i.AllowHTTP, RootCAs: roots, Proxy: cfg.EgressProxy,
		Refresh: i.Refresh.Interval, Cooldown: i.Refresh.Cooldown, MaxStale: i.Refresh.MaxStale,
		Now: cfg.Clock, Logger: cfg.Logger,
	})
	if err != nil {
		return nil, err
	}
	return source, nil
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
