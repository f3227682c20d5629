package introspect

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/bearward/bearward/internal/discovery"
	"github.com/bearward/bearward/internal/egress"
)

const (
	rediscover      = 24 * time.Hour  // how long a found endpoint is remembered
	rediscoverRetry = 5 * time.Minute // after a failure to find it again
	rediscoverPause = time.Minute     // between lookups after failed exchanges
)

var errNoEndpoint = errors.New("the issuer's metadata names no introspection endpoint: configure it")

// lookup finds the endpoint in the issuer's metadata. Tokens never go anywhere
// but there.
type lookup struct {
	get                  func(ctx context.Context, url string) (egress.Response, error)
	clock                func() time.Time
	issuer, discoveryURL string
	habit                string // path below the issuer where its metadata names none
	certificate          bool   // the alias for mutual TLS is preferred (RFC 8705 §5)
}

func (l *lookup) find(ctx context.Context) (item[string], error) {
	doc, err := discovery.Fetch(ctx, l.get, l.issuer, l.discoveryURL)
	if err != nil {
		return item[string]{}, err
	}
	found := doc.IntrospectionEndpoint
	if l.certificate && doc.MTLSIntrospectionEndpoint != "" { // [IN-02]
		found = doc.MTLSIntrospectionEndpoint
	}
	if found == "" && l.habit != "" {
		found = strings.TrimSuffix(l.issuer, "/") + "/" + strings.TrimPrefix(l.habit, "/")
	}
	if found == "" {
		return item[string]{}, errNoEndpoint
	}
	return item[string]{value: found, renew: l.clock().Add(rediscover)}, nil
}
