package validate

// presets is the table; see Preset. What it says of a provider is what the
// provider's documentation says or its tokens have; docs/providers tells which.
var presets = map[string]Preset{
	"generic":        {Title: "RFC 9068 access tokens", Traps: commonTraps},
	"rfc9068":        {Title: "RFC 9068 access tokens", Traps: commonTraps},
	"auth0":          auth0,
	"auth0-9068":     auth0Standard,
	"cognito":        cognito,
	"curity":         curity,
	"entra":          entra,
	"frontegg":       frontegg,
	"github-actions": githubActions,
	"google":         google,
	"google-access":  googleAccess,
	"hydra":          hydra,
	"keycloak":       keycloak,
	"kubernetes":     kubernetes,
	"okta":           okta,
	"pingfederate":   pingFederate,
	"pingone":        pingOne,
	"salesforce":     salesforce,
	"zitadel":        zitadel,
}

var commonTraps = []Trap{
	{
		"audience",
		Mark{Claim: "aud", Values: []string{"account"}},
		"aud is only \"account\": add an audience mapper for this API at the authorization server",
	},
	{
		"audience",
		Mark{Claim: "nonce"},
		"this looks like an ID token (nonce), whose aud is the client: send the access token, and let the client ask for this API by resource or audience",
	},
}
