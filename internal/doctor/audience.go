package doctor

import (
	"context"
	"regexp"
	"slices"
	"strings"
)

var (
	audienceFine    = define("audience", OK, "tokens must name {audience}", "")
	audienceAccount = define("audience_account", Warning, "the audience account is in the tokens of every client of the realm, whatever API they are for", "{path}audience: an identifier of this API, which an audience mapper puts into its tokens")
	audienceMapper  = define("audience_mapper", Info, "Keycloak names this API in aud only where an audience mapper says so; without one it is account or nothing", "add an audience mapper with {audience} to the client scope that clients of this API have")
	audienceGUID    = define("audience_guid", Warning, "v2 tokens have the application's client id as aud, and {audience} is none", "{path}audience: the application (client) id of this API, a GUID")
	audienceIssuer  = define("audience_issuer", Warning, "the audience {audience} is the issuer itself: that is who made the token, and not whom it is for", "{path}audience: an identifier of this API")
	audienceClient  = define("audience_client", Info, "the audience {audience} is the client_id of introspection: tokens must name this API so", "")
)

var guid = regexp.MustCompile(`^(api://)?[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// audience looks for values that cannot be in the tokens of this API, or that
// are in everybody's.
func audience(_ context.Context, v *visit) {
	accepted := v.issuer.Audience
	if len(accepted) == 0 && v.file.Resource != "" {
		accepted = []string{v.file.Resource}
	}
	if len(accepted) == 0 {
		return // client_ids, or the server, stand in
	}
	words := []string{"audience", strings.Join(accepted, " "), "path", v.path}
	in := v.issuer.Introspection
	keycloak := v.issuer.Preset == "keycloak" || strings.Contains(v.issuer.Issuer, "/realms/")
	switch {
	case keycloak && slices.Contains(accepted, "account"):
		v.say(audienceAccount, words...)
	case slices.Contains(accepted, v.issuer.Issuer):
		v.say(audienceIssuer, words...)
	case v.issuer.Preset == "entra" && strings.HasSuffix(v.issuer.Issuer, "/v2.0") && !slices.ContainsFunc(accepted, guid.MatchString):
		v.say(audienceGUID, words...)
	default:
		v.say(audienceFine, words...)
		if keycloak {
			v.say(audienceMapper, words...)
		}
	}
	if in != nil && in.ClientID != "" && slices.Contains(accepted, in.ClientID) {
		v.say(audienceClient, "audience", in.ClientID)
	}
}
