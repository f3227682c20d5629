package doctor

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/bearward/bearward/internal/jose"
	"github.com/bearward/bearward/validate"
)

var (
	keysFine      = define("keys", OK, "{usable} of {all} keys can verify its tokens", "")
	keysFile      = define("keys_file", OK, "its keys are read from a file", "")
	keysNone      = define("keys_unused", Info, "no keys are needed", "")
	keysStatus    = define("keys_status", Error, "there are no keys at {url}: status {status}", "{path}jwks_uri: where the keys are")
	keysInvalid   = define("keys_invalid", Error, "what is at {url} is no key set: {error}", "{path}jwks_uri: where the keys are")
	keysEmpty     = define("keys_empty", Error, "the key set at {url} has no keys", "let the authorization server make a signing key; a set that becomes empty later is ignored")
	keysSymmetric = define("keys_symmetric", Error, "it signs with a shared secret only (HS256), which fits no key set", "let the authorization server sign this API's tokens with RS256 or ES256; HMAC is never accepted")
	keysUnfit     = define("keys_unfit", Error, "none of its keys fits the allowed algorithms ({allowed})", "{path}algorithms: [{theirs}]")
	keysUnusable  = define("keys_unusable", Error, "none of its {all} keys can be used: {reason}", "let the authorization server publish a public RSA key of 2048 bits or more, or an EC key on P-256")
	keyWeak       = define("key_weak", Warning, "key {index} of its set is weak and not used: {reason}", "rotate it at the authorization server: RSA of 2048 to 8192 bits")
	keyPrivate    = define("key_private", Warning, "key {index} of its set is private or a shared secret, published for everybody, and not used", "take it out of the set and replace it at the authorization server, now")
	keySkipped    = define("key_skipped", Info, "key {index} of its set is not used: {reason}", "")
)

const maxKeys = 100 // of a set are read

// keys fetches the set and tries on it what the server would.
func keys(ctx context.Context, v *visit) {
	if v.issuer.JWKSFile != "" {
		v.say(keysFile)
		return
	}
	if !v.verifies() {
		v.say(keysNone)
		return
	}
	target := text(v.issuer.JWKSURI)
	if target == "" {
		target = v.doc.JWKSURI
	}
	if target == "" {
		return // said already
	}
	resp, err := v.get(ctx, target)
	switch {
	case err != nil:
		v.failed(place{what: "its key set", url: target, key: v.path + "jwks_uri", path: v.path, ca: v.path + "ca_file"}, resp, err)
	case resp.Status != http.StatusOK:
		v.say(keysStatus, "url", target, "status", strconv.Itoa(resp.Status), "path", v.path)
	default:
		v.set(target, resp.Body)
	}
}

// set judges a key set.
func (v *visit) set(target, body string) {
	found, skipped, err := jose.ParseSet(body, maxKeys)
	if errors.Is(err, jose.ErrEmptySet) {
		v.say(keysEmpty, "url", target)
		return
	}
	if err != nil && !errors.Is(err, jose.ErrNoUsableKey) {
		v.say(keysInvalid, "url", target, "error", err.Error(), "path", v.path)
		return
	}
	all := len(found) + len(skipped)
	if len(found) == 0 {
		if v.symmetric() || strings.Contains(body, `"oct"`) {
			v.say(keysSymmetric)
			return
		}
		v.skipped(skipped)
		v.say(keysUnusable, "all", strconv.Itoa(all), "reason", skipped[0].Err.Error())
		return
	}
	allowed := v.allowed()
	usable, fitting := 0, []string{}
	for _, key := range found {
		if len(algorithmsOf(key, allowed)) > 0 {
			usable++
		} else if fits := algorithmsOf(key, known); len(fits) > 0 {
			fitting = append(fitting, fits[0])
		}
	}
	v.skipped(skipped)
	if usable == 0 {
		slices.Sort(fitting)
		v.say(keysUnfit, "allowed", strings.Join(allowed, " "), "theirs", strings.Join(slices.Compact(fitting), ", "), "path", v.path)
		return
	}
	v.say(keysFine, "usable", strconv.Itoa(usable), "all", strconv.Itoa(all))
}

func (v *visit) skipped(list []jose.Skipped) {
	const most = 10 // of a set that may have a hundred
	for _, s := range list[:min(len(list), most)] {
		kind := keySkipped
		switch {
		case s.Private:
			kind = keyPrivate
		case errors.Is(s.Err, jose.ErrKeyStrength):
			kind = keyWeak
		}
		v.say(kind, "index", strconv.Itoa(s.Index), "reason", s.Err.Error())
	}
}

// known is every algorithm that can be allowed, the best first.
var known = []string{"RS256", "PS256", "ES256", "ES384", "ES512", "Ed25519", "RS384", "RS512", "PS384", "PS512"}

// algorithmsOf returns those that a key serves: its own, or all that fit.
func algorithmsOf(key jose.JWK, among []string) (fits []string) {
	for _, alg := range among {
		if (key.Algorithm == "" || key.Algorithm == jose.Canonical(alg)) && jose.Fits(alg, key.Public) == nil {
			fits = append(fits, alg)
		}
	}
	return fits
}

// allowed is the issuer's allow-list.
func (v *visit) allowed() []string {
	switch {
	case len(v.issuer.Algorithms) > 0:
		return v.issuer.Algorithms
	case v.file.FAPI:
		return []string{"PS256", "ES256", "Ed25519"}
	}
	return validate.DefaultAlgorithms()
}

// symmetric reports that the metadata names shared secrets and nothing else.
func (v *visit) symmetric() bool {
	for _, p := range v.fetched {
		algs := members(p.resp.Body, "id_token_signing_alg_values_supported")
		if len(algs) > 0 && !slices.ContainsFunc(algs, func(alg string) bool { return !strings.HasPrefix(alg, "HS") }) {
			return true
		}
	}
	return false
}
