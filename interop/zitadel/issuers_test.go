package zitadel

import (
	"testing"

	"github.com/bearward/bearward"
	"github.com/bearward/bearward/bearwardtest"
	"github.com/bearward/bearward/validate"
)

// One guard serves three issuers, each in its own way; the others go on when
// one is down.
func TestThreeIssuers(t *testing.T) {
	strict := bearwardtest.NewIssuer(t, bearwardtest.Config{Resource: audience})
	compat, opaque := startProvider(t, nil), startProvider(t, nil)
	call := newAPI(t, newGuard(t, new(clock),
		bearward.Issuer{URL: strict.URL, AllowHTTP: true, Profile: validate.RFC9068},
		compat.jwt(),
		opaque.opaque(basic(opaqueClient))))

	tokens := map[string]string{
		"strict": strict.JWT(bearwardtest.Claims{Scope: "orders:read"}),
		"compat": compat.token(jwtClient, "orders:read"),
		"opaque": opaque.token(opaqueClient, "orders:read"),
	}
	for name, token := range tokens {
		if got := call("read", token); got != 200 {
			t.Errorf("%s: status %d, want 200", name, got)
		}
		if got := call("write", token); got != 403 {
			t.Errorf("%s: status %d, want 403", name, got)
		}
	}
	// Where a token belongs nowhere else it is not tried around.
	if got := call("read", compat.token(opaqueClient, "orders:read")); got != 401 {
		t.Errorf("opaque token of the JWT issuer: status %d, want 401", got)
	}
	if got := call("read", opaque.token(jwtClient, "orders:read")); got != 401 {
		t.Errorf("JWT of the opaque issuer: status %d, want 401", got)
	}

	opaque.down()
	for _, c := range []struct {
		name, token string
		want        int
	}{
		{"strict", strict.JWT(bearwardtest.Claims{Scope: "orders:read"}), 200},
		{"compat", compat.token(jwtClient, "orders:read"), 200},
		{"opaque, remembered", tokens["opaque"], 200},
		{"opaque, new", "a.b.c.d.e", 503},
	} {
		if got := call("read", c.token); got != c.want {
			t.Errorf("the opaque issuer is down, %s: status %d, want %d", c.name, got, c.want)
		}
	}
}
