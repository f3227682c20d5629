package egress

import (
	"errors"
	"net/netip"
	"testing"
)

func TestAddresses(t *testing.T) { // [JK-06]
	tests := map[string]zone{
		"8.8.8.8": global, "1.1.1.1": global, "100.63.255.255": global, "100.128.0.0": global,
		"172.15.255.255": global, "172.32.0.0": global, "192.169.0.0": global, "169.253.255.255": global,
		"126.255.255.255": global, "11.0.0.0": global, "198.20.0.0": global, "223.255.255.255": global,
		"2606:4700::1": global, "2a00:1450:4001::1": global, "::ffff:8.8.8.8": global,
		"64:ff9b::8.8.8.8": global, "2002:808:808::1": global,

		"127.0.0.1": local, "127.255.255.255": local, "10.0.0.1": local, "172.16.0.1": local, "172.31.255.255": local,
		"192.168.1.1": local, "169.254.169.254": never, "100.64.0.1": local, "100.127.255.255": local, "198.18.0.1": local,
		"::1": local, "fc00::1": local, "fd12:3456::1": local, "fe80::1": never, "fe80::1%eth0": never, "fec0::1": local,
		"::ffff:127.0.0.1": local, "::ffff:10.0.0.1": local, "::ffff:169.254.169.254": never, "::ffff:0:169.254.169.254": never, "::ffff:0:10.0.0.1": local,
		"64:ff9b::127.0.0.1": local, "64:ff9b::10.0.0.1": local, "64:ff9b:1::a00:1": local,
		"2002:7f00:1::1": local, "2002:a9fe:a9fe::1": never,

		"0.0.0.0": never, "0.1.2.3": never, "224.0.0.1": never, "239.255.255.255": never, "240.0.0.1": never,
		"255.255.255.255": never, "192.0.0.1": never, "192.0.2.1": never, "198.51.100.1": never, "203.0.113.1": never,
		"::": never, "::127.0.0.1": never, "::8.8.8.8": never, "ff02::1": never, "100::1": never, "2001::1": never,
		"2001:db8::1": never, "3fff::1": never, "::ffff:0.0.0.0": never, "64:ff9b::0.0.0.0": never, "2002:e000:1::": never,
	}
	for text, want := range tests {
		if got := zoneOf(netip.MustParseAddr(text)); got != want {
			t.Errorf("%s: got zone %d, want %d", text, got, want)
		}
	}
}

func TestGuard(t *testing.T) { // [JK-06]
	tests := []struct {
		address        string
		private, plain bool
		want           error
	}{
		{"8.8.8.8:443", false, false, nil},
		{"8.8.8.8:80", true, true, ErrScheme}, // [JK-04]
		{"127.0.0.1:443", false, false, ErrAddress},
		{"127.0.0.1:443", true, false, nil},
		{"127.0.0.1:80", true, true, nil},
		{"[::1]:443", false, false, ErrAddress},
		{"[::ffff:10.0.0.1]:443", false, false, ErrAddress},
		{"[fe80::1%lo]:443", false, false, ErrAddress},
		{"0.0.0.0:443", true, false, ErrAddress},
		{"[ff02::1]:443", true, false, ErrAddress},
		{"unparsable", true, false, ErrAddress},
		{"/run/socket", true, false, ErrAddress},
	}
	for _, tt := range tests {
		c := &Client{config: Config{AllowPrivate: tt.private}}
		if err := c.guard(tt.plain)("tcp", tt.address, nil); !errors.Is(err, tt.want) {
			t.Errorf("%+v: got %v", tt, err)
		}
	}
}

func TestOnlyPrivate(t *testing.T) { // [IN-02]
	for address, want := range map[string]error{
		"8.8.8.8:443": ErrPublic, "[2606:4700::1]:443": ErrPublic, "127.0.0.1:443": nil, "[fd00::1]:443": nil,
		"169.254.169.254:443": ErrAddress,
	} {
		c := &Client{config: Config{AllowPrivate: true, OnlyPrivate: true}}
		if err := c.guard(false)("tcp", address, nil); !errors.Is(err, want) {
			t.Errorf("%s: got %v", address, err)
		}
	}
}
