package introspect

import (
	"context"
	"errors"
	"net/http"

	"github.com/bearward/bearward/internal/egress"
	"github.com/bearward/bearward/validate"
)

// maxAnswer is the longest answer that is read, in bytes.
const maxAnswer = 256 << 10

// dialect is how a kind of server is asked and what its answers mean.
type dialect interface {
	form(raw string) string // the request's first members
	accept() string
	read(ctx context.Context, resp egress.Response) (reply, *failure)
}

// client makes exchanges with one issuer's endpoint. It is safe for concurrent
// use.
type client struct {
	config      Config
	http        *egress.Client
	metadata    *egress.Client
	endpoint    *renewed[string] // nil: configured
	credentials *credentials
	dialect     dialect
}

// newClient expects a Config that was prepared and makes no call.
func newClient(cfg Config, answers *validate.Answers) (asker, error) {
	places := egress.Config{
		AllowPrivate: cfg.AllowPrivate, AllowHTTP: cfg.AllowHTTP, RootCAs: cfg.RootCAs, Proxy: cfg.Proxy,
		Timeout: cfg.Limits.Timeout,
	}
	metadata, err := egress.New(places)
	if err != nil {
		return nil, err
	}
	places.MaxBytes = maxAnswer // [IN-06]
	places.MaxIdlePerHost = cfg.Limits.Parallel
	places.Certificate = cfg.Auth.Certificate
	places.OnlyPrivate = cfg.Auth.Method == None && answers.Dialect() != tokenInfo // [IN-02]
	server, err := egress.New(places)
	if err != nil {
		return nil, err
	}
	c := &client{
		config: cfg, http: server, metadata: metadata,
		credentials: newCredentials(cfg.Auth, cfg.Token.Issuer, cfg.Token.Clock),
	}
	if c.dialect, err = newDialect(cfg, answers); err != nil {
		return nil, err
	}
	if c.config.Endpoint == "" && answers.Dialect() == tokenInfo {
		c.config.Endpoint = infoEndpoint
	}
	if c.config.Endpoint == "" {
		l := &lookup{
			get: metadata.Get, clock: cfg.Token.Clock, issuer: cfg.Token.Issuer, discoveryURL: cfg.DiscoveryURL,
			habit: answers.EndpointHint(), certificate: cfg.Auth.Certificate != nil,
		}
		c.endpoint = newRenewed(cfg.Token.Clock, rediscoverRetry, l.find)
	}
	return c, nil
}

func newDialect(cfg Config, answers *validate.Answers) (dialect, error) {
	switch answers.Dialect() {
	case tokenInfo:
		return &tokenInfoDialect{issuer: cfg.Token.Issuer, clients: answers.ClientIDs(), clock: cfg.Token.Clock}, nil
	case phantom:
		jwt, err := validate.NewJWT(cfg.Token)
		return &phantomDialect{standard: newStandard(cfg, answers.Leeway()), jwt: jwt}, err
	}
	return newStandard(cfg, answers.Leeway()), nil
}

// ask sends the token to its issuer and to nobody else.
func (c *client) ask(ctx context.Context, raw string) (reply, *failure) {
	own, cancel := egress.Within(ctx, c.config.Limits.Timeout)
	defer cancel()
	r, f := c.exchange(own, raw)
	if f != nil && errors.Is(ctx.Err(), context.Canceled) {
		f.counts = false // the caller gave up; the server may be well
	}
	if f != nil && f.counts && c.endpoint != nil {
		c.endpoint.doubt(rediscoverPause)
	}
	return r, f
}

func (c *client) exchange(ctx context.Context, raw string) (reply, *failure) {
	target, f := c.where(ctx)
	if f != nil {
		return reply{}, f
	}
	kept := c.credentials.keeps()
	resp, f := c.post(ctx, target, raw)
	if f == nil && kept && resp.Status == http.StatusUnauthorized {
		// A server may accept each assertion once (RFC 7523 §3): from now on
		// each request has its own, this one first.
		c.credentials.spent.Store(true)
		resp, f = c.post(ctx, target, raw) // [IN-02]
	}
	if f != nil {
		return reply{}, f
	}
	r, f := c.dialect.read(ctx, resp)
	if f != nil {
		return reply{}, f
	}
	return r.freshness(resp.Header), nil
}

// post makes one request.
func (c *client) post(ctx context.Context, target, raw string) (egress.Response, *failure) {
	header := http.Header{
		"Accept":       {c.dialect.accept()},                  // [IN-18]
		"Content-Type": {"application/x-www-form-urlencoded"}, // [IN-01]
	}
	form, f := c.credentials.authenticate(ctx, c.dialect.form(raw), header)
	if f != nil {
		return egress.Response{}, f
	}
	resp, err := c.http.Do(ctx, egress.Request{
		Method: http.MethodPost, // [IN-01]
		URL:    target,
		Header: header,
		Body:   form,
	})
	if errors.Is(err, egress.ErrTooLarge) { // [IN-06]
		return resp, unusable(err)
	}
	if err != nil { // [IN-06]
		return resp, down(err)
	}
	return resp, nil
}

// where returns the endpoint, looking it up if need be.
func (c *client) where(ctx context.Context) (string, *failure) {
	if c.endpoint == nil {
		return c.config.Endpoint, nil
	}
	target, err := c.endpoint.get(ctx)
	if err != nil {
		return "", down(err)
	}
	return target, nil
}

func (c *client) load(ctx context.Context) *failure {
	_, f := c.where(ctx)
	return f
}

func (c *client) known() bool { return c.endpoint == nil || c.endpoint.current.Load() != nil }

func (c *client) close() {
	c.http.CloseIdle()
	c.metadata.CloseIdle()
}
