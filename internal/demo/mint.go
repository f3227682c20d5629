package demo

import (
	"context"
	"errors"
	"net/url"
	"syscall"
)

// Mint gets a token from the running demo. query is of the issuer's token
// endpoint: kind, scope, sub, aud, jkt, x5t.
func (s State) Mint(ctx context.Context, query url.Values) (string, error) {
	token, err := fetch(ctx, client(nil), s.Issuer+"/token?"+query.Encode())
	if errors.Is(err, syscall.ECONNREFUSED) {
		return "", ErrNotRunning // it ended without taking its file away
	}
	return token, err
}
