package grpcauth_test

import (
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/bearward/bearward/adapters/grpcauth"
	"github.com/bearward/bearward/internal/issuer"
)

// FuzzMetadata: whatever stands in the metadata, nothing panics, the status is
// one of the table, and the handler runs only for the one token that the
// issuer signed. Values are separated by line feeds.
func FuzzMetadata(f *testing.F) {
	s := newStand(f)
	good := s.token()
	signed := map[string]bool{good: true}
	unary := grpcauth.Unary(s.guard, grpcauth.Methods{method: {}, "/shop.Orders/*": {}})
	for _, seed := range []string{
		"", "Bearer TOKEN", "bearer  TOKEN", "Bearer TOKEN\nBearer TOKEN", "Bearer TOKEN,TOKEN", "Bearer\tTOKEN", "Basic x",
		"Bearer TOKEN ", "Bearer TOKEN=", "Bearer \x00", "Bearer ..", "Bearer e30.e30.", "\xff", "\nBearer TOKEN", "DPoP TOKEN",
	} {
		f.Add(seed, "authorization", method)
		f.Add(strings.ReplaceAll(seed, "TOKEN", good), "authorization", method)
	}
	for _, v := range issuer.Variants() {
		token, err := s.iss.Mint(v.Name, s.iss.Claims(""))
		if err != nil {
			f.Fatal(err)
		}
		signed[token] = v.Code == ""
		f.Add("Bearer "+token, "authorization", method)
	}
	f.Add("Bearer TOKEN", "Authorization", method)
	f.Add("Bearer TOKEN", "x", "/")
	f.Add("Bearer TOKEN", "authorization", "no slash")
	allowed := []codes.Code{codes.Unauthenticated, codes.PermissionDenied}
	f.Fuzz(func(t *testing.T, joined, key, name string) {
		values := strings.Split(strings.ReplaceAll(joined, "TOKEN", good), "\n")
		ran, err := call(unary, name, metadata.MD{key: values})
		if !ran && !slices.Contains(allowed, status.Code(err)) {
			t.Errorf("%q: %v", values, err)
		}
		if !ran {
			return
		}
		scheme, rest, _ := strings.Cut(values[0], " ")
		token := strings.TrimLeft(rest, " ")
		if strings.ToLower(key) != "authorization" || len(values) != 1 || !strings.EqualFold(scheme, "Bearer") || !signed[token] {
			t.Errorf("%q: the handler ran", values)
		}
	})
}
