package issuer

import "testing"

func TestOpaqueKinds(t *testing.T) {
	s, err := Start(Config{TokenEndpoint: true, Clients: []Client{{ID: "api", Secret: "x"}}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	mint := func(query string) string {
		t.Helper()
		token, err := s.mintFor(query)
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	if a, b := mint("kind=opaque"), mint("kind=opaque"); a == b || s.lookup(a) == nil {
		t.Error("opaque tokens are not new and active")
	}
	a := mint("kind=opaque-kept&scope=a&client_id=c&roles=admin+user")
	claims := s.lookup(a)
	if roles, _ := claims["roles"].([]string); claims["scope"] != "a" || claims["client_id"] != "c" || len(roles) != 2 {
		t.Errorf("got %v", claims)
	}
	if b := mint("kind=opaque-kept&scope=a&client_id=c&roles=admin+user"); a != b || a == mint("kind=opaque-kept&scope=b") {
		t.Error("the kept token is another one")
	}
	if err := s.Revoke(a); err != nil {
		t.Fatal(err)
	}
	if b := mint("kind=opaque-kept&scope=a&client_id=c&roles=admin+user"); a == b {
		t.Error("the kept token is not active")
	}
	if s.lookup(mint("kind=opaque-revoked")) != nil {
		t.Error("a revoked token is active")
	}
	if len(OpaqueVariants()) != len(opaqueKinds) {
		t.Error("a kind is not listed")
	}
}
