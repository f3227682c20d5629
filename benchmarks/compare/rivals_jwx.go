package main

import (
	"context"

	"github.com/lestrrat-go/httprc/v3"
	jwk2 "github.com/lestrrat-go/jwx/v2/jwk"
	jwt2 "github.com/lestrrat-go/jwx/v2/jwt"
	jwk3 "github.com/lestrrat-go/jwx/v3/jwk"
	jwt3 "github.com/lestrrat-go/jwx/v3/jwt"
)

var jwx2 = library{
	name:    "jwx v2, jwt.Parse",
	modules: []string{"github.com/lestrrat-go/jwx/v2"},
	keys:    onDemand,
	verify: func(ctx context.Context, t target) (verifier, error) {
		cache := jwk2.NewCache(ctx)
		if err := cache.Register(t.keysURL); err != nil {
			return nil, err
		}
		return func(ctx context.Context, raw string) (grant, error) {
			keys, err := cache.Get(ctx, t.keysURL)
			if err != nil {
				return grant{}, err
			}
			token, err := jwt2.ParseString(raw, jwt2.WithKeySet(keys), jwt2.WithIssuer(t.issuer), jwt2.WithAudience(t.audience))
			if err != nil {
				return grant{}, err
			}
			client, _ := token.Get("client_id")
			name, _ := client.(string)
			return grant{token.Subject(), name}, nil
		}, nil
	},
}

var jwx3 = library{
	name:    "jwx v3, jwt.Parse",
	modules: []string{"github.com/lestrrat-go/jwx/v3"},
	keys:    atStart,
	verify: func(ctx context.Context, t target) (verifier, error) {
		cache, err := jwk3.NewCache(ctx, httprc.NewClient())
		if err != nil {
			return nil, err
		}
		if err := cache.Register(ctx, t.keysURL); err != nil {
			return nil, err
		}
		return func(ctx context.Context, raw string) (grant, error) {
			keys, err := cache.Lookup(ctx, t.keysURL)
			if err != nil {
				return grant{}, err
			}
			token, err := jwt3.ParseString(raw, jwt3.WithKeySet(keys), jwt3.WithIssuer(t.issuer), jwt3.WithAudience(t.audience))
			if err != nil {
				return grant{}, err
			}
			subject, _ := token.Subject()
			var client string
			err = token.Get("client_id", &client)
			return grant{subject, client}, err
		}, nil
	},
}
