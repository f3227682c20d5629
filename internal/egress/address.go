package egress

import (
	"net/netip"
	"syscall"
)

// zone is what kind of address a target has.
type zone int

const (
	global zone = iota
	local       // reached with AllowPrivate
	never       // reached by nobody
)

// zones lists what is not global; the first row that contains an address
// decides (IANA special-purpose registries, RFC 6890).
var zones = []struct {
	net  netip.Prefix
	zone zone
}{
	{netip.MustParsePrefix("127.0.0.0/8"), local},     // [JK-06] loopback
	{netip.MustParsePrefix("10.0.0.0/8"), local},      // [JK-06] private
	{netip.MustParsePrefix("172.16.0.0/12"), local},   // [JK-06] private
	{netip.MustParsePrefix("192.168.0.0/16"), local},  // [JK-06] private
	{netip.MustParsePrefix("100.64.0.0/10"), local},   // [JK-06] carrier-grade NAT
	{netip.MustParsePrefix("198.18.0.0/15"), local},   // [JK-06] benchmarking
	{netip.MustParsePrefix("0.0.0.0/8"), never},       // [JK-06] unspecified, this network
	{netip.MustParsePrefix("169.254.0.0/16"), never},  // [JK-06] link-local: metadata services of clouds
	{netip.MustParsePrefix("192.0.0.0/24"), never},    // [JK-06] protocol assignments
	{netip.MustParsePrefix("192.0.2.0/24"), never},    // [JK-06] documentation
	{netip.MustParsePrefix("198.51.100.0/24"), never}, // [JK-06] documentation
	{netip.MustParsePrefix("203.0.113.0/24"), never},  // [JK-06] documentation
	{netip.MustParsePrefix("224.0.0.0/4"), never},     // [JK-06] multicast
	{netip.MustParsePrefix("240.0.0.0/4"), never},     // [JK-06] reserved, broadcast
	{netip.MustParsePrefix("::1/128"), local},         // [JK-06] loopback
	{netip.MustParsePrefix("fc00::/7"), local},        // [JK-06] unique local
	{netip.MustParsePrefix("fec0::/10"), local},       // [JK-06] site-local
	{netip.MustParsePrefix("64:ff9b:1::/48"), local},  // [JK-06] local NAT64
	{netip.MustParsePrefix("fe80::/10"), never},       // [JK-06] link-local
	{netip.MustParsePrefix("::/96"), never},           // [JK-06] unspecified, v4-compatible
	{netip.MustParsePrefix("100::/64"), never},        // [JK-06] discard
	{netip.MustParsePrefix("2001::/23"), never},       // [JK-06] Teredo, protocol assignments
	{netip.MustParsePrefix("2001:db8::/32"), never},   // [JK-06] documentation
	{netip.MustParsePrefix("3fff::/20"), never},       // [JK-06] documentation
	{netip.MustParsePrefix("ff00::/8"), never},        // [JK-06] multicast
}

// carriers are prefixes whose addresses hold an IPv4 address that is the real
// target, beginning at that byte.
var carriers = []struct {
	net netip.Prefix
	at  int
}{
	{netip.MustParsePrefix("64:ff9b::/96"), 12},    // [JK-06] NAT64, RFC 6052
	{netip.MustParsePrefix("::ffff:0:0:0/96"), 12}, // [JK-06] SIIT, RFC 7915
	{netip.MustParsePrefix("2002::/16"), 2},        // [JK-06] 6to4, RFC 3056
}

func zoneOf(addr netip.Addr) zone {
	addr = addr.WithZone("").Unmap() // [JK-06]
	for _, c := range carriers {
		if c.net.Contains(addr) {
			b := addr.As16()
			addr = netip.AddrFrom4([4]byte(b[c.at : c.at+4]))
			break
		}
	}
	for _, z := range zones {
		if z.net.Contains(addr) {
			return z.zone
		}
	}
	return global
}

// guard judges the address that a connection is about to be made to, after
// DNS: a name cannot be pointed elsewhere between check and use.
func (c *Client) guard(plain bool) func(string, string, syscall.RawConn) error {
	return func(_, address string, _ syscall.RawConn) error {
		to, err := netip.ParseAddrPort(address)
		if err != nil {
			return ErrAddress
		}
		return c.allowed(to.Addr(), plain)
	}
}

func (c *Client) allowed(addr netip.Addr, plain bool) error {
	z := zoneOf(addr)
	if z == never || z == local && !c.config.AllowPrivate { // [JK-06]
		return ErrAddress
	}
	if z == global && c.config.OnlyPrivate { // [IN-02]
		return ErrPublic
	}
	if plain && z == global { // [JK-04]
		return ErrScheme
	}
	return nil
}
