package validate

// cognito: tokens have no aud, so the list of app clients stands in for it.
var cognito = Preset{
	Title:   "AWS Cognito access tokens",
	Profile: Compat, ClientsForAud: true, Groups: ListClaim{Path: "cognito:groups"},
	Require: []Mark{{Claim: "token_use", Values: []string{"access"}}},
	Traps: []Trap{
		{
			"audience",
			Mark{Claim: "token_use", Values: []string{"id"}},
			"this is Cognito's ID token (token_use id): send the access token of the same response",
		},
		{
			"audience",
			Mark{Claim: "aud", Absent: true},
			"Cognito's access tokens have no aud: list the app clients that may call this API in client_ids",
		},
		{
			"client",
			Mark{Claim: "client_id"},
			"the token belongs to another app client of the user pool: add it to client_ids if it may call this API",
		},
		{
			"issuer",
			Mark{Claim: "iss", Prefix: "https://cognito-idp."},
			"the token comes from another user pool or region: the issuer is https://cognito-idp.REGION.amazonaws.com/POOL-ID, not the address of the sign-in pages",
		},
	},
}

const googleIssuer = "https://accounts.google.com"

var google = Preset{
	Title:   "Google ID tokens as credential, for services and users that ask for them with this API as audience",
	Profile: Compat, IDToken: true,
	IssuerSpellings: map[string]string{"accounts.google.com": googleIssuer},
	Client:          []Mark{{Claim: "email", Suffix: ".gserviceaccount.com"}},
	Traps: []Trap{
		{
			"compact",
			Mark{},
			"an opaque token, probably Google's access token: send an ID token that was asked for with this API as target audience, or configure preset google-access",
		},
		{
			"audience",
			Mark{Claim: "aud", Suffix: ".apps.googleusercontent.com"},
			"the ID token was made for an OAuth client: ask for one with this API as target audience, or list that client id in audience if it is your own",
		},
		{
			"issuer",
			Mark{Claim: "iss", Prefix: "https://securetoken.google.com/"},
			"this is a token of Firebase Authentication or Identity Platform: if the project is yours, configure https://securetoken.google.com/PROJECT-ID as an issuer with profile compat",
		},
	},
}

// googleAccess: everybody's tokens pass tokeninfo, so the list of clients is
// what tells this API's tokens from all others.
var googleAccess = Preset{
	Title:   "Google access tokens, asked about at tokeninfo",
	Profile: Compat, ClientsForAud: true, AnswersOnly: true,
	Client: []Mark{{Claim: "email", Suffix: ".gserviceaccount.com"}},
	Answer: AnswerHabits{Dialect: "tokeninfo"},
	Traps: []Trap{
		{
			"client",
			Mark{},
			"the access token was issued to another OAuth client: Google's answer says nothing about this API, so list in client_ids only clients of your own",
		},
		{
			"marks",
			Mark{},
			"a JWT of Google is an ID token and no access token: send the access token, or configure preset google for ID tokens",
		},
		{
			"compact",
			Mark{},
			"Google's access tokens are opaque: add introspection with method none",
		},
	},
}

// githubActions: the caller chooses aud, so it says what the token is meant
// for and not what it may do; the ids in it say who asks.
var githubActions = Preset{
	Title:   "GitHub Actions OIDC tokens as identity of a workflow",
	Profile: Compat, IDToken: true,
	Require: []Mark{{Claim: "repository_id"}, {Claim: "repository_owner_id"}},
	Whose:   []string{"repository_owner_id", "repository_id"},
	Client:  []Mark{{Claim: "sub"}},
	Traps: []Trap{
		{
			"require",
			Mark{},
			"the workflow of another repository or owner: add its id to require only if it may call this API",
		},
		{
			"audience",
			Mark{Claim: "aud", Prefix: "https://github.com/"},
			"aud is the default: ask for the token with this API as audience, as in core.getIDToken(\"AUDIENCE\")",
		},
		{
			"compact",
			Mark{},
			"GITHUB_TOKEN is for GitHub's own API: give the job permission id-token: write and send the OIDC token",
		},
		{
			"issuer",
			Mark{Claim: "iss", Suffix: "/_services/token"},
			"the token comes from a GitHub Enterprise Server: if it is yours, configure its issuer, https://HOST/_services/token",
		},
	},
}

var kubernetes = Preset{
	Title:   "Kubernetes service account tokens, bound ones only",
	Profile: Compat,
	Require: []Mark{
		{Claim: "/kubernetes.io/namespace"},
		{Claim: "/kubernetes.io/serviceaccount/name"},
		{Claim: "sub", Prefix: "system:serviceaccount:"},
	},
	Client: []Mark{{Claim: "sub"}},
	Traps: []Trap{
		{"issuer", Mark{Claim: "iss", Values: []string{"kubernetes/serviceaccount"}}, kubernetesLegacy},
		{"expiry", Mark{Claim: "exp", Absent: true}, kubernetesLegacy},
		{
			"audience",
			Mark{Claim: "aud", Prefix: "https://kubernetes.default.svc"},
			"the token is for the API server: mount a projected volume with a serviceAccountToken whose audience is this API",
		},
		{
			"issuer",
			Mark{Claim: "iss"},
			"iss is the cluster's --service-account-issuer: configure exactly that, and jwks_uri or discovery_url where it is not reachable from here",
		},
	},
}

const kubernetesLegacy = "a legacy token from a Secret, which never expires: mount a projected service account token in its place"
