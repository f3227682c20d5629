package main

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"time"

	jwtmiddleware "github.com/auth0/go-jwt-middleware/v2"
	"github.com/auth0/go-jwt-middleware/v2/jwks"
	"github.com/auth0/go-jwt-middleware/v2/validator"
	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/zitadel/oidc/v3/pkg/client/rp"
	zoidc "github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// Validate makes ours a validator.CustomClaims.
func (*ours) Validate(context.Context) error { return nil }

var goJose = library{
	name:    "go-jose v4",
	modules: []string{"github.com/go-jose/go-jose/v4"},
	keys:    given,
	verify: func(_ context.Context, t target) (verifier, error) {
		var keys jose.JSONWebKeySet
		if err := json.Unmarshal(t.keys, &keys); err != nil {
			return nil, err
		}
		algorithms := []jose.SignatureAlgorithm{jose.SignatureAlgorithm(t.algorithm)}
		return func(_ context.Context, raw string) (grant, error) {
			token, err := jwt.ParseSigned(raw, algorithms)
			if err != nil {
				return grant{}, err
			}
			var c jwt.Claims
			var o ours
			if err := token.Claims(&keys, &c, &o); err != nil {
				return grant{}, err
			}
			err = c.Validate(jwt.Expected{Issuer: t.issuer, AnyAudience: jwt.Audience{t.audience}})
			return grant{c.Subject, o.Client}, err
		}, nil
	},
}

var goOIDC = library{
	name:    "go-oidc v3",
	modules: []string{"github.com/coreos/go-oidc/v3"},
	keys:    onDemand,
	verify: func(ctx context.Context, t target) (verifier, error) {
		v := oidc.NewVerifier(t.issuer, oidc.NewRemoteKeySet(ctx, t.keysURL),
			&oidc.Config{ClientID: t.audience, SupportedSigningAlgs: []string{t.algorithm}})
		return func(ctx context.Context, raw string) (grant, error) {
			token, err := v.Verify(ctx, raw)
			if err != nil {
				return grant{}, err
			}
			var o ours
			err = token.Claims(&o)
			return grant{token.Subject, o.Client}, err
		}, nil
	},
}

var zitadel = library{
	name:    "zitadel/oidc v3, op.VerifyAccessToken and oidc.CheckAudience",
	modules: []string{"github.com/zitadel/oidc/v3"},
	keys:    onDemand,
	verify: func(_ context.Context, t target) (verifier, error) {
		v := op.NewAccessTokenVerifier(t.issuer, rp.NewRemoteKeySet(&http.Client{}, t.keysURL),
			op.WithSupportedAccessTokenSigningAlgorithms(t.algorithm))
		return func(ctx context.Context, raw string) (grant, error) {
			c, err := op.VerifyAccessToken[*zoidc.AccessTokenClaims](ctx, raw, v)
			if err != nil {
				return grant{}, err
			}
			return grant{c.Subject, c.ClientID}, zoidc.CheckAudience(c, t.audience)
		}, nil
	},
}

var auth0 = library{
	name:    "auth0/go-jwt-middleware v2",
	modules: []string{"github.com/auth0/go-jwt-middleware/v2"},
	keys:    onDemand,
	verify: func(_ context.Context, t target) (verifier, error) {
		v, err := newValidator(t)
		if err != nil {
			return nil, err
		}
		return func(ctx context.Context, raw string) (grant, error) {
			token, err := v.ValidateToken(ctx, raw)
			if err != nil {
				return grant{}, err
			}
			c := token.(*validator.ValidatedClaims)
			return grant{c.RegisteredClaims.Subject, c.CustomClaims.(*ours).Client}, nil
		}, nil
	},
	protect: func(_ context.Context, t target) (protector, error) {
		v, err := newValidator(t)
		if err != nil {
			return nil, err
		}
		return jwtmiddleware.New(v.ValidateToken).CheckJWT, nil
	},
}

func newValidator(t target) (*validator.Validator, error) {
	issuer, err := url.Parse(t.issuer)
	if err != nil {
		return nil, err
	}
	keysURL, err := url.Parse(t.keysURL)
	if err != nil {
		return nil, err
	}
	keys := jwks.NewCachingProvider(issuer, 5*time.Minute, jwks.WithCustomJWKSURI(keysURL))
	return validator.New(keys.KeyFunc, validator.SignatureAlgorithm(t.algorithm), t.issuer, []string{t.audience},
		validator.WithCustomClaims(func() validator.CustomClaims { return &ours{} }))
}
