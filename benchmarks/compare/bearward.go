package main

import (
	"context"

	"github.com/bearward/bearward"
	"github.com/bearward/bearward/adapters/httpauth"
	"github.com/bearward/bearward/jwks"
	"github.com/bearward/bearward/middleware"
	"github.com/bearward/bearward/validate"
	"github.com/bearward/bearward/validate/cache"
)

var (
	bearwardDefault = library{
		name: "bearward", keys: onDemand,
		verify: bearwardJWT,
		recall: bearwardRecall, protect: bearwardProtect(cache.Config{}),
	}
	bearwardUncached = library{
		name: "bearward, Cache.Disabled", keys: onDemand,
		protect: bearwardProtect(cache.Config{Disabled: true}),
	}
)

func bearwardKeys(ctx context.Context, t target) (*validate.JWT, error) {
	keys, err := jwks.Remote(jwks.Config{
		Issuer: t.issuer, JWKSURL: t.keysURL, AllowHTTP: true,
	})
	if err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, func() { _ = keys.Close() })
	return validate.NewJWT(validate.Config{Issuer: t.issuer, Audience: []string{t.audience}, Keys: keys})
}

func bearwardJWT(ctx context.Context, t target) (verifier, error) {
	jwt, err := bearwardKeys(ctx, t)
	if err != nil {
		return nil, err
	}
	return verifyWith(jwt), nil
}

func bearwardRecall(ctx context.Context, t target) (verifier, error) {
	jwt, err := bearwardKeys(ctx, t)
	if err != nil {
		return nil, err
	}
	issuers, err := validate.NewIssuers(validate.Leaf{Issuer: t.issuer, JWT: jwt})
	if err != nil {
		return nil, err
	}
	memory, err := cache.New(cache.Config{})
	if err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, func() { _ = memory.Close() })
	issuers.Remember(memory)
	return verifyWith(issuers), nil
}

func verifyWith(v validate.Verifier) verifier {
	return func(ctx context.Context, raw string) (grant, error) {
		token, err := v.Verify(ctx, raw)
		if err != nil {
			return grant{}, err
		}
		return grant{token.Subject, token.ClientID}, nil
	}
}

func bearwardProtect(c cache.Config) func(context.Context, target) (protector, error) {
	return func(ctx context.Context, t target) (protector, error) {
		guard, err := bearward.New(ctx, bearward.Config{
			Resource: t.audience, Cache: c,
			Issuers: []bearward.Issuer{{URL: t.issuer, JWKSURL: t.keysURL, AllowHTTP: true}},
		})
		if err != nil {
			return nil, err
		}
		context.AfterFunc(ctx, func() { _ = guard.Close() })
		return protector(httpauth.Protect(guard, middleware.Policy{})), nil
	}
}
