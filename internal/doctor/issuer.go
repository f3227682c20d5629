package doctor

import (
	"cmp"
	"context"
	"crypto/x509"
	"fmt"
	"net/url"
	"time"

	"github.com/bearward/bearward/internal/discovery"
	"github.com/bearward/bearward/internal/egress"
	"github.com/bearward/bearward/internal/server"
	"github.com/bearward/bearward/internal/server/config"
	"github.com/bearward/bearward/validate"
)

// visit is the examination of one issuer. Its checks run one after another: each
// uses what those before it have fetched.
type visit struct {
	*exam
	issuer *config.Issuer
	path   string // in the file
	roots  *x509.CertPool
	client *egress.Client

	fetched []page
	clock   *reading           // nil: no server told the time
	doc     discovery.Document // zero: not found, or not needed
}

// page is what was at a URL.
type page struct {
	url  string
	resp egress.Response
	err  error
}

var issuerChecks = []func(context.Context, *visit){metadata, keys, clock, audience, introspection}

func visitIssuer(ctx context.Context, e *exam, n int) {
	v := &visit{exam: e, issuer: &e.file.Issuers[n], path: fmt.Sprintf("issuers[%d].", n)}
	if file := v.issuer.CAFile; file != "" {
		v.roots, _ = server.Roots(file) // New has read it a moment ago
	}
	client, err := egress.New(egress.Config{
		AllowPrivate: v.issuer.AllowPrivate, AllowHTTP: v.issuer.AllowHTTP, RootCAs: v.roots, Timeout: callTimeout,
	})
	if err != nil {
		return // its settings are fixed here
	}
	v.client = client
	defer client.CloseIdle()
	for _, check := range issuerChecks {
		check(ctx, v)
	}
}

// get asks each URL once.
func (v *visit) get(ctx context.Context, url string) (egress.Response, error) {
	for _, p := range v.fetched {
		if p.url == url {
			return p.resp, p.err
		}
	}
	began := v.Now()
	resp, err := v.client.Get(ctx, url)
	v.read(resp, began)
	v.fetched = append(v.fetched, page{url, resp, err})
	return resp, err
}

// verifies reports that something is verified with keys that are fetched.
func (v *visit) verifies() bool {
	in := v.issuer.Introspection
	p, _ := validate.PresetNamed(v.issuer.Preset)
	return v.issuer.JWKSFile == "" && (in == nil || in.JWT || in.SignedResponse != "off" || p.Answer.Dialect == "phantom")
}

// asks reports that introspection has to be found by metadata.
func (v *visit) asks() bool {
	in := v.issuer.Introspection
	p, _ := validate.PresetNamed(v.issuer.Preset)
	return in != nil && in.Endpoint == nil && p.Answer.Dialect != "tokeninfo"
}

func nameOf(i *config.Issuer) string {
	u, err := url.Parse(i.Issuer)
	if err != nil {
		return cmp.Or(i.Name, i.Issuer)
	}
	return cmp.Or(i.Name, u.Host+u.EscapedPath())
}

func text(u *url.URL) string {
	if u == nil {
		return ""
	}
	return u.String()
}

// seconds writes a duration as people read it.
func seconds(d time.Duration) string {
	return d.Round(time.Second).String()
}
