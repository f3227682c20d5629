package egress

import (
	"net/netip"
	"net/url"
	"strings"
)

// Check reports why rawURL can never be fetched, without touching the network.
func (c *Client) Check(rawURL string) error {
	_, err := c.target(rawURL)
	return err
}

func (c *Client) target(rawURL string) (*url.URL, error) {
	u, err := url.Parse(rawURL)
	if err != nil || u.Opaque != "" || u.Hostname() == "" {
		return nil, ErrURL
	}
	if u.User != nil || strings.Contains(rawURL, "#") { // [JK-07]
		return nil, ErrURL
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !c.config.AllowHTTP) { // [JK-04 JK-06]
		return nil, ErrScheme
	}
	u.Host = strings.TrimSuffix(u.Host, ":") // no port, as net/http has it
	return u, c.host(u.Hostname(), u.Scheme == "http")
}

// host judges what can be said without DNS. A name is left to the guard of the
// dialer; behind a proxy nobody here sees its address.
func (c *Client) host(host string, plain bool) error {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if addr, err := netip.ParseAddr(host); err == nil {
		return c.allowed(addr, plain)
	}
	if numeric(host) { // [JK-06]
		return ErrAddress
	}
	proxied := c.config.Proxy != nil
	if plain && proxied { // [JK-04]
		return ErrScheme
	}
	if c.config.OnlyPrivate && proxied { // [IN-02]
		return ErrPublic
	}
	local := host == "localhost" || strings.HasSuffix(host, ".localhost")
	if local && proxied && !c.config.AllowPrivate { // [JK-06]
		return ErrAddress
	}
	return nil
}

// numeric reports whether some resolvers would take host for an IPv4 address
// in an unusual spelling: 127.1, 0x7f.0.0.1, 2130706433.
func numeric(host string) bool {
	last := host[strings.LastIndexByte(host, '.')+1:]
	if hex, ok := strings.CutPrefix(last, "0x"); ok {
		return strings.Trim(hex, "0123456789abcdef") == ""
	}
	return strings.Trim(last, "0123456789") == ""
}
