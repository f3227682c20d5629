package middleware

import (
	"errors"
	"fmt"
	"strings"

	"github.com/bearward/bearward/validate"
	"github.com/bearward/bearward/validate/dpop"
)

// origins is what a Guard knows of the URLs under which clients reach it.
type origins struct {
	list   []*origin
	byHost map[string][]*origin // lower-case authorities, with and without a default port
}

// origin is one public URL: what stands before the path as received.
type origin struct {
	scheme, host string
	before       string // scheme, host and prefix, normalised, without a final slash
}

func newOrigins(urls []string) (*origins, error) {
	o := &origins{byHost: map[string][]*origin{}}
	var faults []error
	for _, u := range urls {
		if err := o.add(u); err != nil {
			faults = append(faults, err)
		}
	}
	return o, errors.Join(faults...)
}

func (o *origins) add(u string) error {
	normal, err := dpop.NormalizeTarget(u)
	if err != nil || strings.ContainsAny(u, "?#") {
		return fmt.Errorf("public URL %q is not http or https, a host, and perhaps a path prefix", u)
	}
	scheme, rest, _ := strings.Cut(normal, "://")
	host, _, _ := strings.Cut(rest, "/")
	n := &origin{scheme: scheme, host: host, before: strings.TrimSuffix(normal, "/")}
	names := []string{host}
	if !strings.Contains(host[strings.LastIndexByte(host, ']')+1:], ":") {
		names = append(names, host+map[string]string{"http": ":80", "https": ":443"}[scheme])
	}
	for _, name := range names {
		for _, other := range o.byHost[name] {
			if other.scheme == scheme {
				return fmt.Errorf("public URL %q: there is one of this origin already, and Host cannot tell them apart", u)
			}
		}
		o.byHost[name] = append(o.byHost[name], n)
	}
	o.list = append(o.list, n)
	return nil
}

// pick returns the origin of several for what the client asked for, nil if none
// fits.
func (o *origins) pick(scheme, host string) *origin {
	fitting := o.byHost[strings.ToLower(host)]
	if len(fitting) == 1 {
		return fitting[0]
	}
	for _, f := range fitting {
		if f.scheme == scheme {
			return f
		}
	}
	return nil
}

var errNoTarget = errors.New("no public URL is configured, and the listener is not on loopback")

// target is the URI that the client called, normalised: what proofs name (RFC
// 9449 §4.3). "" is the URI of no proof. It is made of the configuration; what
// is received picks from it, or is believed on loopback and from trusted
// proxies only.
func (g *Guard) target(r *Request) (string, error) {
	path := r.RawPath
	if path == "*" { // OPTIONS * names no path
		path = ""
	}
	if path != "" && path[0] != '/' || strings.ContainsAny(path, "?#") { // a URI would end there, and the handler's path does not [DP-10]
		return "", nil
	}
	if len(g.origins.list) == 1 {
		return g.origins.list[0].with(path), nil
	}
	scheme, host, forwarded, err := g.seen(r)
	if err != nil {
		return "", err
	}
	switch o := g.origins; {
	case len(o.list) > 0:
		picked := o.pick(scheme, host)
		if picked == nil { // [DP-12]
			return "", nil
		}
		return picked.with(path), nil
	case !forwarded && !r.Local.Unmap().IsLoopback(): // [DP-12]
		return "", &validate.Error{Code: validate.ErrTargetUnknown, Err: errNoTarget}
	case strings.ContainsAny(host, "/?#"): // more than a host [DP-12]
		return "", nil
	}
	normal, err := dpop.NormalizeTarget(scheme + "://" + host + path)
	if err != nil {
		return "", nil //nolint:nilerr // no proof can name it
	}
	return normal, nil
}

// with is the URI of a path below the public URL, "" for one that leaves it.
func (o *origin) with(path string) string {
	if plainPath(path) {
		return o.before + path
	}
	normal, err := dpop.NormalizeTarget(o.before + path)
	if err != nil {
		return ""
	}
	if rest, below := strings.CutPrefix(normal, o.before); !below || rest != "" && rest[0] != '/' { // [DP-10]
		return ""
	}
	return normal
}

// plainPath reports a path that is its own normal form.
func plainPath(path string) bool {
	if path == "" {
		return false
	}
	for i := 0; i < len(path); i++ {
		switch c := path[i]; {
		case c <= ' ', c >= 0x7f, c == '%', c == '\\', c == '#', c == '?':
			return false
		case c == '/' && i+1 < len(path) && path[i+1] == '.':
			return false
		}
	}
	return true
}
