package validate

// auth0 is the dialect of APIs with Auth0's own token profile. Tokens without
// an audience asked for are opaque, and open /userinfo only.
var auth0 = Preset{
	Title:   "Auth0 access tokens, Auth0's own profile",
	Profile: Compat,
	Require: []Mark{{Claim: "azp", Or: "client_id"}, {Claim: "nonce", Absent: true}},
	Client: []Mark{
		{Claim: "gty", Values: []string{"client-credentials"}},
		{Claim: "sub", Suffix: "@clients"},
	},
	Traps: append([]Trap{{"marks", Mark{}, auth0ID}}, auth0Traps...),
}

var auth0Standard = Preset{
	Title:  "Auth0 access tokens, RFC 9068 profile",
	Client: []Mark{{Claim: "sub", Suffix: "@clients"}},
	Traps: append([]Trap{{
		"type",
		Mark{Claim: "header.typ", Values: []string{"JWT"}},
		"the API still issues Auth0's own profile: choose the RFC 9068 profile in the API's settings, or preset auth0",
	}}, auth0Traps...),
}

const auth0ID = "this is an ID token, whose aud is the client: send the access token, and list no client id in audience"

var auth0Traps = []Trap{
	{
		"compact",
		Mark{},
		"an opaque token, which opens /userinfo only: the client has to send audience=IDENTIFIER of this API when it asks for the token",
	},
	{"audience", Mark{Claim: "nonce"}, auth0ID},
	{
		"audience",
		Mark{Claim: "aud", Suffix: "/userinfo"},
		"the token was asked for another API: aud has to contain this API's identifier, exactly as in Auth0's settings",
	},
	{
		"issuer",
		Mark{Claim: "iss", Suffix: "/"},
		"Auth0's issuer ends with a slash and is the domain by which the client signs in, custom domain included: configure the issuer that its metadata names",
	},
}

const oktaOrg = "a token of Okta's org authorization server is for Okta's own APIs: let the client use a custom authorization server, whose issuer is https://DOMAIN/oauth2/ID"

var okta = Preset{
	Title:   "Okta access tokens of custom authorization servers",
	Profile: Compat, Scope: ScopeClaim{Name: "scp", Array: true},
	Require: []Mark{{Claim: "cid", JWT: true}},
	Traps: []Trap{
		{"issuer", Mark{Claim: "iss", Suffix: ".okta.com"}, oktaOrg},
		{"audience", Mark{Claim: "aud", Suffix: ".okta.com"}, oktaOrg},
		{
			"audience",
			Mark{Claim: "aud", Values: []string{"api://default"}},
			"aud is that of the authorization server \"default\": let the client use a server whose audience is this API's identifier, because all APIs of one server share its audience",
		},
		{
			"marks",
			Mark{Claim: "cid", Absent: true},
			"this is Okta's ID token (no cid): send the access token",
		},
	},
}

const keycloakRefresh = "this is Keycloak's refresh token: send the access token"

// keycloak names the kind of token in the payload, not in the header.
var keycloak = Preset{
	Title:   "Keycloak access tokens",
	Profile: Compat, Roles: ListClaim{Path: "realm_access.roles"},
	Require: []Mark{{Claim: "typ", Values: []string{"Bearer", "DPoP"}, JWT: true}},
	Client: []Mark{
		{Claim: "preferred_username", Prefix: "service-account-"},
		{Claim: "clientHost"},
	},
	Traps: []Trap{
		{
			"audience",
			Mark{Claim: "typ", Values: []string{"ID"}},
			"this is Keycloak's ID token (typ ID in the payload): send the access token",
		},
		{
			"kind",
			Mark{Claim: "typ", Values: []string{"ID"}},
			"this is Keycloak's ID token (typ ID in the payload): send the access token",
		},
		{"algorithm", Mark{Claim: "typ", Values: []string{"Refresh", "Offline"}}, keycloakRefresh},
		{"kind", Mark{Claim: "typ", Values: []string{"Refresh", "Offline"}}, keycloakRefresh},
		{
			"audience",
			Mark{Claim: "aud", Values: []string{"account"}},
			"aud is only \"account\": add an audience mapper for this API to the client, or to a client scope that it has",
		},
		{
			"audience",
			Mark{Claim: "aud", Absent: true},
			"the token has no aud: add an audience mapper for this API to the client, or to a client scope that it has; azp is the client and no audience",
		},
		{
			"issuer",
			Mark{Claim: "iss"},
			"iss is the address by which the client reached Keycloak: set its hostname option so that there is one, configure exactly that, and discovery_url where it is not reachable from here",
		},
	},
}

var frontegg = Preset{
	Title:   "Frontegg access tokens",
	Profile: Compat,
	Require: []Mark{{Claim: "type", Values: []string{"userToken", "userApiToken", "tenantApiToken", "tenantAccessToken"}}},
	Client:  []Mark{{Claim: "type", Values: []string{"userApiToken", "tenantApiToken", "tenantAccessToken"}}},
	Traps: []Trap{
		{
			"audience",
			Mark{Claim: "type"},
			"Frontegg's aud is the client id of your environment, or the id of the application: list it in audience",
		},
		{
			"marks",
			Mark{},
			"this is none of Frontegg's user and tenant tokens, which name themselves in type: send the access token",
		},
		{
			"issuer",
			Mark{Claim: "iss"},
			"Frontegg's issuer is https://SUBDOMAIN.frontegg.com or your own domain there: configure the issuer that its metadata names",
		},
	},
}

// hydra answers with scope as text what its JWTs have as array scp; custom
// claims are below ext.
var hydra = Preset{
	Title:   "Ory Hydra access tokens",
	Profile: Compat, Scope: ScopeClaim{Name: "scp", Array: true},
	Require: []Mark{
		{Claim: "client_id", JWT: true},
		{Claim: "token_use", Values: []string{"access_token"}, Answer: true},
	},
	Traps: []Trap{
		{
			"compact",
			Mark{},
			"an opaque token, Hydra's default: add introspection, or set strategies.access_token to jwt there",
		},
		{
			"kind",
			Mark{Claim: "token_use", Values: []string{"refresh_token"}},
			"this is a refresh token, which Hydra introspects as well: send the access token",
		},
		{
			"audience",
			Mark{Claim: "nonce"},
			"this is an ID token, whose aud is the client: send the access token",
		},
		{
			"audience",
			Mark{},
			"Hydra leaves aud empty unless it is asked: list this API in the client's audience there and send audience=IDENTIFIER in the authorization request",
		},
		{
			"issuer",
			Mark{Claim: "iss"},
			"Hydra's issuer is urls.self.issuer of its configuration, with or without final slash: configure exactly that",
		},
	},
}

const zitadelID = "this is an ID token, whose aud names the project as well: send the access token"

// zitadel has roles as members of an object; their values say in which
// organisations.
var zitadel = Preset{
	Title:   "ZITADEL access tokens",
	Profile: Compat, Roles: ListClaim{Path: "urn:zitadel:iam:org:project:roles", Keys: true},
	Require: []Mark{{Claim: "nonce", Absent: true}, {Claim: "jti", JWT: true}},
	Traps: []Trap{
		{
			"compact",
			Mark{},
			"an opaque token, ZITADEL's default: add introspection, or set the application's access token type to JWT",
		},
		{
			"audience",
			Mark{},
			"aud lacks this API's project: let the client ask for the scope urn:zitadel:iam:org:project:id:PROJECT-ID:aud, and list the project id in audience",
		},
		{"kind", Mark{Claim: "at_hash"}, zitadelID},
		{"marks", Mark{}, zitadelID},
	},
}

var pingOne = Preset{
	Title:   "PingOne access tokens of custom resources",
	Profile: Compat,
	Require: []Mark{{Claim: "client_id"}},
	Traps: []Trap{
		{
			"audience",
			Mark{Claim: "aud", Prefix: "https://api.pingone."},
			"the token is for PingOne's own API: let the client request a scope of your custom resource",
		},
		{
			"audience",
			Mark{Claim: "client_id", Absent: true},
			"this is an ID token, whose aud is the client: send the access token",
		},
		{
			"type",
			Mark{Claim: "header.typ", Values: []string{"JWT"}},
			"PingOne says typ at+jwt from 2 March 2027 on: until then leave out profile, so that it is compat",
		},
		{
			"issuer",
			Mark{Claim: "iss", Suffix: "/as"},
			"another environment or region: the issuer is https://auth.pingone.TLD/ENVIRONMENT-ID/as",
		},
	},
}

// pingFederate answers about refresh and ID tokens too.
var pingFederate = Preset{
	Title:   "PingFederate access tokens, by introspection or as JWT",
	Profile: Compat,
	Require: []Mark{{Claim: "token_type", Answer: true}, {Claim: "client_id", JWT: true}},
	Answer:  AnswerHabits{Endpoint: "/as/introspect.oauth2"},
	Traps: []Trap{
		{
			"kind",
			Mark{Claim: "token_type"},
			"PingFederate answered about a refresh or ID token: send the access token",
		},
		{
			"marks",
			Mark{Claim: "token_type", Absent: true},
			"the answer does not say token_type, so that nobody knows what kind of token this is: let the access token manager add it",
		},
		{
			"audience",
			Mark{Claim: "aud", Absent: true},
			"there is no aud: let the access token manager add one, or set introspection.audience to trust_server if the manager serves this API only",
		},
		{
			"compact",
			Mark{},
			"a reference token: add introspection, or let the client's access token manager issue JWTs",
		},
	},
}

var salesforce = Preset{
	Title:   "Salesforce access tokens, JWT-based or by introspection",
	Profile: Compat, Scope: ScopeClaim{Name: "scp"},
	Require: []Mark{{Claim: "header.tty", Values: []string{"sfdc-core-token"}, JWT: true}},
	Answer:  AnswerHabits{Endpoint: "/services/oauth2/introspect"},
	Traps: []Trap{
		{
			"compact",
			Mark{},
			"an opaque token, Salesforce's default: let the connected app issue JWT-based access tokens, because those with an exclamation mark are no bearer tokens",
		},
		{
			"issuer",
			Mark{Claim: "iss", Values: []string{"https://login.salesforce.com", "https://test.salesforce.com"}},
			"the client signed in at the common address: let it use your My Domain, whose URL is the issuer to configure",
		},
		{
			"marks",
			Mark{Claim: "header.tty", Absent: true},
			"this is an ID token (no tty in the header): send the access token",
		},
		{
			"audience",
			Mark{Claim: "aud", Absent: true, Answer: true},
			"there is no aud: list this API's connected apps in client_ids, and then set introspection.audience to trust_server",
		},
	},
}

// curity gives opaque tokens to clients and JWTs to APIs: its introspection
// answers with the JWT that the opaque token stands for.
var curity = Preset{
	Title:   "Curity access tokens, phantom tokens",
	Profile: Compat,
	Require: []Mark{{Claim: "purpose", Values: []string{"access_token"}}},
	Answer:  AnswerHabits{Dialect: "phantom"},
	Traps: []Trap{
		{
			"compact",
			Mark{},
			"an opaque token: add introspection, which exchanges it for its JWT, or let the gateway in front do so",
		},
		{
			"marks",
			Mark{},
			"this is another kind of token (purpose is not access_token), an ID token probably: send the access token",
		},
		{
			"audience",
			Mark{},
			"aud lacks this API: let the client ask for a scope that carries its audience, or list in audience the one that Curity has for it",
		},
	},
}
