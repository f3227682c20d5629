package config

import "slices"

// modeKeys are the keys that only some modes use.
var modeKeys = []struct {
	key      string
	modes    []string
	required bool
}{
	{"upstream", []string{"proxy"}, true},
	{"upstream_ca_file", []string{"proxy"}, false},
	{"upstream_timeouts", []string{"proxy"}, false},
	{"forward_credentials", []string{"proxy"}, false},
	{"forwarded", []string{"proxy"}, false},
	{"tls.client_certs", []string{"proxy"}, false}, // others are asked by proxies, not by clients
	{"forward_auth", []string{"forward-auth"}, true},
	{"trusted_proxies", []string{"proxy", "forward-auth", "ext-authz"}, false},
}

// mode checks that the file has what its mode needs and nothing that it does not
// use.
func (c *checker) mode() {
	if !c.given("mode") {
		return
	}
	mode := c.file.Mode
	for _, k := range modeKeys {
		_, present := c.places[k.key]
		used := slices.Contains(k.modes, mode)
		switch {
		case present && !used:
			c.say(k.key, "%s is not used in mode %s", quote(k.key), mode)
		case !present && used && k.required:
			c.say("mode", "mode %s needs %s", mode, k.key)
		}
	}
	if _, present := c.places["trusted_proxies"]; !present && c.isAsked() {
		c.say("mode", "mode %s needs trusted_proxies: the addresses from which the proxy asks", mode) // [PV-05]
	}
	if c.given("forward_auth.status_for_400") && c.file.ForwardAuth.StatusFor400 == 402 {
		c.say("forward_auth.status_for_400", "this is 400, 401 or 403")
	}
	if mode == "ext-authz" && c.file.DPoP != nil && len(c.file.PublicURL) == 0 && !c.failed["public_url"] { // [DP-12]
		c.say("dpop", "in mode ext-authz proofs can only be judged with public_url: Envoy does not say which scheme the client used")
	}
}

// isAsked reports a mode in which a proxy asks, and the connection is not the
// client's.
func (c *checker) isAsked() bool { return c.file.Mode == "forward-auth" || c.file.Mode == "ext-authz" }
