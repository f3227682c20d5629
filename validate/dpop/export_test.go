package dpop

var ErrNoJWK = errNoJWK
