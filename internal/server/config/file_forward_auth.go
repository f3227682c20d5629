package config

// ForwardAuth says how a proxy asks about requests, and what it can make of the
// answers.
type ForwardAuth struct {
	// Headers is the family in which the proxy says what it was asked for:
	// x-forwarded (X-Forwarded-Method, -Uri, -Proto and -Host: Traefik, Caddy)
	// or x-original (X-Original-Method, -URI, -Proto and -Host: nginx). The proxy
	// has to set all that it uses, over every copy of the client; the other
	// family is ignored. Method and URI are required.
	Headers string `key:"headers" required:"true" enum:"x-forwarded x-original"`
	// SingleLineChallenge puts all challenges into one header line, for proxies
	// that pass on no more (nginx).
	SingleLineChallenge bool `key:"single_line_challenge"`
	// StatusFor400 is the status of answers that would be 400: 401 or 403 for
	// proxies that make 500 of it (nginx).
	StatusFor400 int `key:"status_for_400" default:"400" min:"400" max:"403"`
}
