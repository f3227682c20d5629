package introspect

import (
	"context"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"
)

var (
	errTokenSource = errors.New("there is no token for the endpoint")
	errAssertion   = errors.New("the client's assertion cannot be signed")
)

// check returns all faults of the credentials. A field that the method does
// not use is one: it would be ignored.
func (a Auth) check() error {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	secret, key, certificate, bearer := false, false, false, false
	switch a.Method {
	case Basic, BasicRaw, Post:
		secret = true
	case PrivateKeyJWT:
		key = true
	case TLS, SelfSignedTLS:
		certificate = true
	case Bearer:
		bearer = true
	case None:
	case "":
		return errors.New("an authentication method is required")
	default:
		return fmt.Errorf("authentication method %q is not known", a.Method)
	}
	if a.ClientID == "" && a.Method != Bearer && a.Method != None { // [IN-02]
		fault("method %s needs a client id", a.Method)
	}
	if hasControl(a.ClientID) || a.Method == BasicRaw && strings.Contains(a.ClientID, ":") {
		fault("the client id has a character that cannot be sent")
	}
	set := a.Token != "" || a.TokenSource != nil
	for _, f := range []struct {
		what      string
		used, set bool
	}{
		{"a client secret", secret, a.Secret != ""},
		{"a key", key, a.Key != nil},
		{"a token or a token source", bearer, set},
	} {
		if f.used && !f.set { // [IN-02]
			fault("method %s needs %s", a.Method, f.what)
		}
		if !f.used && f.set { // [IN-02]
			fault("method %s does not use %s", a.Method, f.what)
		}
	}
	if !key && (a.KeyID != "" || a.Algorithm != "" || a.Audience != "") { // [IN-02]
		fault("method %s does not use key id, algorithm and audience", a.Method)
	}
	if certificate && a.Certificate == nil { // [IN-02]
		fault("method %s needs a client certificate", a.Method)
	}
	if hasControl(a.Secret) { // [IN-02]
		fault("the client secret has a control character, perhaps the line break at the end of its file")
	}
	for what, text := range map[string]string{"client id": a.ClientID, "key id": a.KeyID, "audience": a.Audience} {
		if !utf8.ValidString(text) { // [IN-02]
			fault("the %s is not UTF-8", what)
		}
	}
	return errors.Join(append(faults, a.checkMaterial())...)
}

// checkMaterial looks into what was given.
func (a Auth) checkMaterial() error {
	var faults []error
	if a.Token != "" && a.TokenSource != nil {
		faults = append(faults, errors.New("a token and a token source are given, want one"))
	}
	if a.Token != "" && !isBearerToken(a.Token) {
		faults = append(faults, errors.New("the token for the endpoint has a character that no token has"))
	}
	if a.Key != nil {
		_, err := signatureAlgorithm(a.Key.Public(), a.Algorithm)
		faults = append(faults, err)
	}
	if a.Certificate != nil && !matches(a.Certificate) { // [IN-02]
		faults = append(faults, errors.New("the client certificate is empty or unreadable, or is not that of its key"))
	}
	return errors.Join(faults...)
}

// String names the method and the client, and nothing secret: settings are
// printed when something is looked for.
func (a Auth) String() string { return fmt.Sprintf("%s %q", a.Method, a.ClientID) }

// GoString is String.
func (a Auth) GoString() string { return a.String() }

// LogValue is String.
func (a Auth) LogValue() slog.Value { return slog.StringValue(a.String()) }

// matches reports that the certificate is that of its key.
func matches(c *tls.Certificate) bool {
	if len(c.Certificate) == 0 {
		return false
	}
	leaf, err := x509.ParseCertificate(c.Certificate[0])
	key, ok := c.PrivateKey.(crypto.Signer)
	if err != nil || !ok {
		return false
	}
	public, ok := leaf.PublicKey.(interface{ Equal(crypto.PublicKey) bool })
	return ok && public.Equal(key.Public())
}

// credentials is what each request carries: data, or what makes it.
type credentials struct {
	header    string // of Authorization
	form      string // further members, each with an ampersand in front
	assertion *renewed[string]
	spent     atomic.Bool // the server accepts an assertion once only
	source    func(context.Context) (string, error)
}

// newCredentials expects an Auth that was checked.
func newCredentials(a Auth, issuer string, clock func() time.Time) *credentials {
	c := new(credentials)
	switch a.Method {
	case Basic:
		c.header = basic(url.QueryEscape(a.ClientID), url.QueryEscape(a.Secret)) // [IN-02]
	case BasicRaw:
		c.header = basic(a.ClientID, a.Secret)
	case Post:
		c.form = member("client_id", a.ClientID) + member("client_secret", a.Secret) // [IN-02]
	case PrivateKeyJWT:
		c.form = member("client_id", a.ClientID) + member("client_assertion_type", assertionType)
		c.assertion = newAssertions(a, issuer, clock)
	case TLS, SelfSignedTLS:
		c.form = member("client_id", a.ClientID) // [IN-02]
	case Bearer:
		c.source = a.TokenSource
		if a.Token != "" {
			c.header = "Bearer " + a.Token // [IN-02]
		}
	case None:
	}
	return c
}

// authenticate returns the form with what authenticates the caller, and sets
// Authorization where the method uses it.
func (c *credentials) authenticate(ctx context.Context, form string, header http.Header) (string, *failure) {
	if c.header != "" {
		header.Set("Authorization", c.header)
	}
	form += c.form
	if c.assertion != nil {
		signed, err := c.assert(ctx)
		if err != nil {
			return "", refused(err)
		}
		form += member("client_assertion", signed) // [IN-02]
	}
	if c.source != nil {
		token, err := c.source(ctx)
		if err != nil {
			return "", refused(fmt.Errorf("%w: %w", errTokenSource, err))
		}
		if !isBearerToken(token) { // [IN-02]
			return "", refused(errTokenSource)
		}
		header.Set("Authorization", "Bearer "+token) // [IN-02]
	}
	return form, nil
}

// assert returns an assertion: the kept one or, where the server wants that, one
// for this request alone.
func (c *credentials) assert(ctx context.Context) (string, error) {
	if !c.spent.Load() {
		return c.assertion.get(ctx)
	}
	own, err := c.assertion.create(ctx)
	return own.value, err
}

// keeps reports that requests carry the same assertion.
func (c *credentials) keeps() bool { return c.assertion != nil && !c.spent.Load() }

// basic is RFC 7617 §2.
func basic(id, secret string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(id+":"+secret))
}

func member(name, value string) string { return "&" + name + "=" + url.QueryEscape(value) }

func hasControl(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
}

// isBearerToken reports whether s can stand in a header: visible ASCII.
func isBearerToken(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r >= 0x7f })
}
