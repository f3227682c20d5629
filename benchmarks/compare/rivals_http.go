package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/modelcontextprotocol/go-sdk/auth"
	"k8s.io/apiserver/pkg/authentication/authenticator"
	"k8s.io/apiserver/pkg/authentication/request/bearertoken"
	"k8s.io/apiserver/pkg/authentication/token/cache"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/endpoints/request"
)

// mcp is a middleware whose user brings what judges the token.
var mcp = library{
	name:    "MCP go-sdk auth, golang-jwt v5",
	modules: []string{"github.com/modelcontextprotocol/go-sdk"},
	keys:    given,
	protect: func(ctx context.Context, t target) (protector, error) {
		parse, err := newParser(ctx, t)
		if err != nil {
			return nil, err
		}
		verify := func(ctx context.Context, raw string, _ *http.Request) (*auth.TokenInfo, error) {
			c, err := parse(ctx, raw)
			if err != nil {
				return nil, fmt.Errorf("%w: %w", auth.ErrInvalidToken, err)
			}
			return &auth.TokenInfo{UserID: c.Subject, Scopes: strings.Fields(c.Scope), Expiration: c.ExpiresAt.Time}, nil
		}
		return auth.RequireBearerToken(verify, nil), nil
	},
}

// kubernetes is a cache of tokens whose user brings what judges them.
var kubernetes = library{
	name:    "Kubernetes token cache, golang-jwt v5",
	modules: []string{"k8s.io/apiserver"},
	keys:    given,
	recall: func(ctx context.Context, t target) (verifier, error) {
		tokens, err := newTokenCache(ctx, t)
		if err != nil {
			return nil, err
		}
		return func(ctx context.Context, raw string) (grant, error) {
			r, ok, err := tokens.AuthenticateToken(ctx, raw)
			if err != nil {
				return grant{}, err
			}
			if !ok {
				return grant{}, errRefused
			}
			return grant{r.User.GetName(), r.User.GetUID()}, nil
		}, nil
	},
	protect: func(ctx context.Context, t target) (protector, error) {
		tokens, err := newTokenCache(ctx, t)
		if err != nil {
			return nil, err
		}
		bearer := bearertoken.New(tokens)
		return func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				resp, ok, err := bearer.AuthenticateRequest(r)
				if err != nil || !ok {
					http.Error(w, "Unauthorized", http.StatusUnauthorized)
					return
				}
				next.ServeHTTP(w, r.WithContext(request.WithUser(r.Context(), resp.User)))
			})
		}, nil
	},
}

// tokenLife is as long as bearward's cache remembers a token.
const tokenLife = 5 * time.Minute

func newTokenCache(ctx context.Context, t target) (authenticator.Token, error) {
	parse, err := newParser(ctx, t)
	if err != nil {
		return nil, err
	}
	judge := authenticator.TokenFunc(func(ctx context.Context, raw string) (*authenticator.Response, bool, error) {
		c, err := parse(ctx, raw)
		if err != nil {
			return nil, false, err
		}
		return &authenticator.Response{User: &user.DefaultInfo{Name: c.Subject, UID: c.Client}}, true, nil
	})
	return cache.New(judge, false, tokenLife, 0), nil
}
