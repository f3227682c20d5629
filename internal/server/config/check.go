package config

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"github.com/bearward/bearward/validate"
)

// checker finds what no single value shows. A value that has a fault already
// is left alone.
type checker struct {
	file *File
	*decoder
}

func (c *checker) check() {
	c.mode()
	c.listeners()
	c.upstream()
	c.resource()
	c.issuers()
	c.cache()
	c.senders()
	c.rules()
	c.headers()
	c.implies()
}

// given reports that the file has a sound value at path.
func (c *checker) given(path string) bool {
	_, ok := c.places[path]
	return ok && !c.failed[path]
}

func (c *checker) say(path, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if shown, ok := c.hidden[path]; ok {
		text = strings.ReplaceAll(text, shown, fromEnvironment)
	}
	c.fault(c.places.at(path), path, "%s", text)
}

func (c *checker) listeners() {
	f := c.file
	plain := f.TLS == nil && !c.failed["tls"]
	if c.given("listen") && c.address("listen", f.Listen) {
		if plain && !f.PlainBehindTLS && !loopback(f.Listen) { // [TR-12]
			c.say("listen", "plain http is served on loopback addresses only: set tls, or plain_behind_tls: true if something in front terminates TLS")
		}
	}
	if c.given("plain_behind_tls") && f.PlainBehindTLS && !plain {
		c.say("plain_behind_tls", "plain_behind_tls and tls exclude each other")
	}
	if c.given("admin") && c.address("admin", f.Admin) && f.Admin == f.Listen && !strings.HasSuffix(f.Admin, ":0") {
		c.say("admin", "admin needs another address than listen")
	}
	if c.given("pprof") && f.Pprof && !c.failed["admin"] && !f.AdminIsLocal() {
		c.say("pprof", "profiles are shown to this machine only: set admin to a loopback address")
	}
}

// address reports whether value is HOST:PORT, and that it is not.
func (c *checker) address(path, value string) bool {
	host, port, err := net.SplitHostPort(value)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil || strings.ContainsAny(host, "/ @") {
		c.say(path, "this is not an address: write HOST:PORT, like 127.0.0.1:9000")
		return false
	}
	return true
}

// loopback reports that the address cannot be reached from other machines.
func loopback(address string) bool {
	host, _, _ := net.SplitHostPort(address)
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

// AdminIsLocal reports that admin is there, and only for this machine.
func (f *File) AdminIsLocal() bool { return f.Admin != "" && loopback(f.Admin) }

// ListensLocally reports that the API can be reached from this machine only.
func (f *File) ListensLocally() bool { return loopback(f.Listen) }

func (c *checker) upstream() {
	u := c.file.Upstream
	if u == nil {
		return
	}
	if u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.ForceQuery {
		c.say("upstream", "upstream is scheme, host and port only: the received path and query are forwarded as they are")
	}
	if c.given("upstream_ca_file") && u.Scheme != "https" {
		c.say("upstream_ca_file", "upstream_ca_file is not used: upstream is no https URL")
	}
	for _, own := range []string{"listen", "admin"} {
		if c.given(own) && leads(u, map[string]string{"listen": c.file.Listen, "admin": c.file.Admin}[own]) {
			c.say("upstream", "upstream is the address of %s: this server would ask itself", own)
		}
	}
}

// leads reports that a URL is the address of one of our own listeners.
func leads(u *url.URL, address string) bool {
	host, port, err := net.SplitHostPort(address)
	theirs := u.Port()
	if theirs == "" {
		theirs = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	if err != nil || port != theirs {
		return false
	}
	local := func(h string) string {
		if h == "localhost" {
			return "127.0.0.1"
		}
		return h
	}
	ip, err := netip.ParseAddr(host)
	if host == "" || err == nil && ip.IsUnspecified() {
		return loopback(net.JoinHostPort(u.Hostname(), theirs))
	}
	return local(host) == local(u.Hostname())
}

// resource checks the identifier of this API (RFC 8707 §2, RFC 9728 §2).
func (c *checker) resource() {
	f := c.file
	if c.given("realm") && !printable(f.Realm) {
		c.say("realm", "a realm is printable ASCII without quotation mark and backslash")
	}
	if !c.given("resource") {
		if c.given("metadata") && f.Metadata {
			c.say("metadata", "metadata needs resource")
		}
		return
	}
	if strings.Contains(f.Resource, "#") || !printable(f.Resource) || strings.Contains(f.Resource, " ") { // [AZ-09]
		c.say("resource", "resource is a URI without fragment, or a name agreed with the issuers, in printable ASCII without space")
		return
	}
	u, err := url.Parse(f.Resource)
	if err == nil && u.User != nil {
		c.say("resource", "resource is shown to everybody and contains no user name and password")
		return
	}
	if c.given("metadata") && f.Metadata && (err != nil || u.Scheme != "https" || u.Host == "") { // [MD-02]
		c.say("metadata", "only an https resource has a metadata document")
	}
}

// printable reports that s fits into a quoted string as it is.
func printable(s string) bool {
	for i := range len(s) {
		if s[i] < 0x20 || s[i] > 0x7e || s[i] == '"' || s[i] == '\\' {
			return false
		}
	}
	return true
}

func (c *checker) implies() {
	for have, list := range c.file.Implies {
		if !validate.ScopeToken(have) {
			c.say(join("implies", have), "%s is not a scope (RFC 6749 §3.3)", quote(have))
		}
		c.scopes(join("implies", have), list)
	}
}

func (c *checker) scopes(path string, list []string) {
	for i, s := range list {
		here := path + "[" + strconv.Itoa(i) + "]"
		if !c.failed[here] && !validate.ScopeToken(s) { // [ER-14]
			c.say(here, "%s is not a scope (RFC 6749 §3.3)", quote(s))
		}
	}
}
