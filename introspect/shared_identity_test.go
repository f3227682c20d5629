package introspect

import (
	"testing"
	"testing/synctest"

	"github.com/bearward/bearward/validate"
)

// Two APIs with one store and one key: what the server told the one it did not
// tell the other, whatever they authenticate themselves with.
func TestSharedLevelKeepsCallersApart(t *testing.T) { // [IN-14 IN-08]
	trust := func(c *Config) {
		c.Token.TrustServer = true
		c.SharedKey = []byte("0123456789abcdef0123456789abcdef")
		c.Auth = Auth{Method: Bearer, Token: "one"}
	}
	for name, change := range map[string]func(*Config){
		"another token":    func(c *Config) { c.Auth.Token = "two" },
		"another endpoint": func(c *Config) { c.Endpoint = fakeIssuer + "/other" },
		"another audience": func(c *Config) { c.Token.Audience = []string{"https://other.example.com"} },
		"other clients":    func(c *Config) { c.Token.ClientIDs = []string{"client"} },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store, first, second := &shelf{}, &fake{}, &fake{}
				first.answers(reply{active: true, claims: `{"active":true,"sub":"alice","client_id":"client"}`})
				second.answers(reply{})
				one, _ := fronting(t, first, func(c *Config) { trust(c); c.Shared = store })
				two, _ := fronting(t, second, func(c *Config) { trust(c); c.Shared = store; change(c) })
				passes(t, one, "a")
				if _, err := two.Verify(t.Context(), "a"); validate.CodeOf(err) != validate.ErrInactive {
					t.Error(err)
				}
				asks(t, second, 1)
			})
		})
	}
}
