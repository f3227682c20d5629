package validate

// entraTenants are the names of one server in its two versions of tokens.
const (
	entraV1 = "https://sts.windows.net/" + tenantPlace + "/"
	entraV2 = "https://login.microsoftonline.com/" + tenantPlace + "/v2.0"
)

// graph is the API that tokens are asked for by mistake.
var graph = []string{"https://graph.microsoft.com", "https://graph.microsoft.com/", "00000003-0000-0000-c000-000000000000"}

const (
	entraGraph = "this token is for Microsoft Graph: let the client request a scope of this API (api://CLIENT-ID/NAME, or api://CLIENT-ID/.default without a user) in a request of its own"
	entraID    = "this is an ID token of the same application: send the access token, which names its client (azp or appid)"
)

// entra tells versions apart by the configured issuer: v1 issuers contain
// "://sts.", v2 issuers "/v2.0". Keys of the shared sets name the v2 issuer,
// also where they sign v1 tokens.
var entra = Preset{
	Title:   "Microsoft Entra ID access tokens of your own API",
	Profile: Compat, Scope: ScopeClaim{Name: "scp"},
	Template: true, KeyIssuers: []string{entraV2, entraV1},
	Require: []Mark{
		{Claim: "ver", Values: []string{"2.0"}, Issuer: "/v2.0"},
		{Claim: "azp", Issuer: "/v2.0"},
		{Claim: "ver", Values: []string{"1.0"}, Issuer: "://sts."},
		{Claim: "appid", Issuer: "://sts."},
	},
	Client: []Mark{
		{Claim: "idtyp", Values: []string{"app"}},
		{Claim: "scp", Absent: true},
	},
	Traps: []Trap{
		{"issuer", Mark{Claim: "aud", Values: graph}, entraGraph},
		{"audience", Mark{Claim: "aud", Values: graph}, entraGraph},
		{
			"signature",
			Mark{Claim: "header.nonce"},
			"a nonce in the header marks a token for one of Microsoft's own APIs, whose format is private: it cannot be verified, request a scope of this API",
		},
		{
			"issuer",
			Mark{Claim: "iss", Prefix: "https://sts.windows.net/", Issuer: "/v2.0"},
			"a v1 token at a v2 issuer: set requestedAccessTokenVersion to 2 in the manifest of this API's application, or configure the issuer https://sts.windows.net/TENANT-ID/",
		},
		{
			"issuer",
			Mark{Claim: "iss", Prefix: "https://login.microsoftonline.com/", Issuer: "://sts."},
			"a v2 token at a v1 issuer: configure the issuer https://login.microsoftonline.com/TENANT-ID/v2.0",
		},
		{
			"audience",
			Mark{Claim: "aud", Prefix: "api://"},
			"aud is an App ID URI: if it is this application's, list it in audience beside the client id; v1 tokens have either",
		},
		{
			"tenant",
			Mark{},
			"add the tenant's id to tenants if that organisation may use this API; personal accounts have a tenant of their own, which has to be named",
		},
		{"marks", Mark{Claim: "azp", Absent: true, Issuer: "/v2.0"}, entraID},
		{"marks", Mark{Claim: "appid", Absent: true, Issuer: "://sts."}, entraID},
	},
}
