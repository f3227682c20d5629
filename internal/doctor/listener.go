package doctor

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strings"

	"github.com/bearward/bearward/validate/dpop"
)

var (
	credentialsOn = define("credentials_forwarded", Warning, "the upstream gets its clients' tokens and proofs, and can use them elsewhere", "forward_credentials: false; forward_headers tell the upstream who the caller is")
	wideTrust     = define("proxies_wide", Warning, "trusted_proxies has {range}, public addresses of many others", "trusted_proxies: the addresses of your own proxies only")
	openToAll     = define("listen_everywhere", Info, "listen is {listen}: whoever reaches it goes past the proxy in front", "listen: 127.0.0.1:PORT, or let only the proxy through to it (firewall, network policy)")
)

var (
	onlyReported = define("report_only", Warning, "report_only for {rules}: what is refused there passes", "report_only: false, once the reports are as they should be")
	nginxSays    = define("forward_auth_nginx", Info, "x-original is the family of nginx, which passes on one line of challenges and makes 500 of 400", "forward_auth: {single_line_challenge: true, status_for_400: 401}")
	proxyIgnored = define("environment_proxy", Info, "{variable} is set here; calls to issuers do not use it", "let this machine reach the issuers directly; in a program Config.EgressProxy names a proxy")
)

const manyV4, manyV6 = 16, 32 // bits; shorter prefixes are whole providers

// listener looks at who is let in, and whose word counts.
func listener(_ context.Context, e *exam) {
	f := e.file
	if f.ForwardCredentials {
		e.say(credentialsOn)
	}
	if n := e.reporting(); f.ReportOnly {
		e.say(onlyReported, "rules", "all rules")
	} else if n > 0 {
		e.say(onlyReported, "rules", count(n, "rule"))
	}
	if a := f.ForwardAuth; a != nil && a.Headers == "x-original" && (!a.SingleLineChallenge || a.StatusFor400 == http.StatusBadRequest) {
		e.say(nginxSays)
	}
	for _, name := range []string{"HTTPS_PROXY", "https_proxy"} {
		if os.Getenv(name) != "" {
			e.say(proxyIgnored, "variable", name)
			break
		}
	}
	for _, p := range f.TrustedProxies {
		many := p.Bits() < manyV4 || p.Addr().Is6() && p.Bits() < manyV6
		if a := p.Addr(); many && !a.IsPrivate() && !a.IsLoopback() {
			e.say(wideTrust, "range", p.String())
		}
	}
	if f.PlainBehindTLS && e.everywhere() {
		e.say(openToAll, "listen", f.Listen)
	}
}

// reporting counts the rules that refuse nothing.
func (e *exam) reporting() (n int) {
	for i := range e.file.Rules {
		if e.file.Rules[i].ReportOnly {
			n++
		}
	}
	return n
}

func (e *exam) everywhere() bool {
	host, _, _ := net.SplitHostPort(e.file.Listen)
	addr, err := netip.ParseAddr(host)
	return host == "" || err == nil && addr.IsUnspecified()
}

var (
	proofsBlind = define("public_url_missing", Error, "proofs cannot be judged: nothing says under which URL clients reach this API", "public_url: https://HOST, with the prefix that something in front takes off the path")
	proofsPlain = define("public_url_plain", Warning, "public_url {url} is plain http: clients that use https name another URL in their proofs", "public_url: the https URL that clients use")
	proofsOther = define("public_url_differs", Warning, "public_url {url} and resource {resource} have different hosts", "public_url: the URL that clients call, or resource: the identifier that they ask tokens for, whichever is wrong")
	proofsFine  = define("proofs", OK, "proofs are judged for {url}", "")
	proofsAsked = define("proofs_asked", Info, "proofs are judged for the host that the proxy names", "public_url: the URL that clients call, so that the proxy need not be believed in this")
	proofsLocal = define("proofs_local", Info, "proofs are judged for the Host of each request, on loopback", "public_url: the URL of clients, once they are elsewhere")
	noncesOwn   = define("nonce_keys_own", Info, "nonces are known to one process and do not outlive it", "dpop.nonce_keys_file: the same file for all instances, one base64url secret of 32 bytes a line")
)

// proofs looks at what a proof is compared with (RFC 9449 §4.3).
func proofs(_ context.Context, e *exam) {
	f := e.file
	switch {
	case f.DPoP == nil:
		return
	case len(f.PublicURL) == 0 && f.Mode != "proxy":
		e.say(proofsAsked)
	case len(f.PublicURL) == 0 && f.Forwarded == "none" && (f.PlainBehindTLS || !loopback(f.Listen)):
		e.say(proofsBlind)
	case len(f.PublicURL) == 0:
		e.say(proofsLocal)
	default:
		e.origins()
	}
	if f.DPoP.Nonce != "off" && f.DPoP.NonceKeysFile == "" {
		e.say(noncesOwn)
	}
}

// origins compares public_url with what else the file says.
func (e *exam) origins() {
	f := e.file
	resource, err := url.Parse(f.Resource)
	same := err != nil || resource.Scheme != "https"
	for _, public := range f.PublicURL {
		u, err := url.Parse(public)
		if err != nil {
			continue
		}
		if u.Scheme == "http" && !loopback(net.JoinHostPort(u.Hostname(), "80")) {
			e.say(proofsPlain, "url", public)
		}
		same = same || strings.EqualFold(u.Host, resource.Host)
	}
	list := strings.Join(f.PublicURL, " ")
	if !same {
		e.say(proofsOther, "url", list, "resource", f.Resource)
		return
	}
	e.say(proofsFine, "url", list)
}

// within reports that a URL is below one that clients are said to use.
func within(target string, public []string) bool {
	normal, err := dpop.NormalizeTarget(target)
	if err != nil {
		return false
	}
	for _, p := range public {
		base, err := dpop.NormalizeTarget(p)
		if base = strings.TrimSuffix(base, "/"); err == nil && (normal == base || strings.HasPrefix(normal, base+"/")) {
			return true
		}
	}
	return false
}

func loopback(address string) bool {
	host, _, _ := net.SplitHostPort(address)
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.Unmap().IsLoopback()
}
