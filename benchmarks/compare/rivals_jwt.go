package main

import (
	"context"
	"encoding/json"
	"errors"
	"slices"

	"github.com/MicahParks/keyfunc/v3"
	"github.com/go-jose/go-jose/v4"
	"github.com/golang-jwt/jwt/v5"
	kjwt "github.com/kataras/jwt"
)

var golangJWT = library{
	name:    "golang-jwt v5, keyfunc v3",
	modules: []string{"github.com/golang-jwt/jwt/v5", "github.com/MicahParks/keyfunc/v3"},
	keys:    atStart,
	verify: func(ctx context.Context, t target) (verifier, error) {
		parse, err := newParser(ctx, t)
		if err != nil {
			return nil, err
		}
		return func(ctx context.Context, raw string) (grant, error) {
			c, err := parse(ctx, raw)
			if err != nil {
				return grant{}, err
			}
			return grant{c.Subject, c.Client}, nil
		}, nil
	},
}

// ours are the claims that an API asks for beside the registered ones.
type ours struct {
	Client string `json:"client_id"`
	Scope  string `json:"scope"`
}

type jwtClaims struct {
	jwt.RegisteredClaims
	ours
}

// newParser serves those as well that leave the token to their user.
func newParser(ctx context.Context, t target) (func(context.Context, string) (*jwtClaims, error), error) {
	keys, err := keyfunc.NewDefaultCtx(ctx, []string{t.keysURL})
	if err != nil {
		return nil, err
	}
	parser := jwt.NewParser(jwt.WithValidMethods([]string{t.algorithm}), jwt.WithIssuer(t.issuer),
		jwt.WithAudience(t.audience), jwt.WithExpirationRequired())
	return func(ctx context.Context, raw string) (*jwtClaims, error) {
		var c jwtClaims
		_, err := parser.ParseWithClaims(raw, &c, keys.KeyfuncCtx(ctx))
		return &c, err
	}, nil
}

var errAudience = errors.New("another audience")

var kataras = library{
	name:    "kataras/jwt",
	modules: []string{"github.com/kataras/jwt"},
	keys:    given,
	verify: func(_ context.Context, t target) (verifier, error) {
		alg := map[string]kjwt.Alg{"RS256": kjwt.RS256, "ES256": kjwt.ES256, "EdDSA": kjwt.EdDSA}[t.algorithm]
		var set jose.JSONWebKeySet
		if err := json.Unmarshal(t.keys, &set); err != nil {
			return nil, err
		}
		keys := kjwt.Keys{}
		for _, k := range set.Keys {
			keys.Register(alg, k.KeyID, k.Key, nil)
		}
		// Its own check of aud wants all of the list.
		audience := kjwt.TokenValidatorFunc(func(_ []byte, c kjwt.Claims, err error) error {
			if err == nil && !slices.Contains(c.Audience, t.audience) {
				return errAudience
			}
			return err
		})
		expected := kjwt.Expected{Issuer: t.issuer}
		return func(_ context.Context, raw string) (grant, error) {
			token, err := kjwt.VerifyWithHeaderValidator(nil, nil, []byte(raw), keys.ValidateHeader, expected, audience)
			if err != nil {
				return grant{}, err
			}
			var o ours
			err = token.Claims(&o)
			return grant{token.StandardClaims.Subject, o.Client}, err
		}, nil
	},
}
