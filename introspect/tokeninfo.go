package introspect

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bearward/bearward/internal/egress"
	"github.com/bearward/bearward/internal/strictjson"
)

// infoEndpoint is asked where no endpoint is configured.
const infoEndpoint = "https://oauth2.googleapis.com/tokeninfo"

var errTokenInfo = errors.New("the token information lacks a member or has one of a wrong type")

// information is what is read of a tokeninfo answer. Numbers and booleans come
// as strings there.
type information struct {
	text             map[string]string // of the members in informed
	problem, details string
}

var informed = []string{"aud", "azp", "sub", "scope", "exp", "expires_in", "email", "email_verified"}

func readInformation(body string) (information, error) {
	in := information{text: map[string]string{}}
	r := strictjson.Open(body)
	for name, ok := r.Next(); ok; name, ok = r.Next() {
		raw := r.Raw()
		switch {
		case name == "error":
			in.problem, _ = plainText(raw)
		case name == "error_description":
			in.details, _ = plainText(raw)
		case slices.Contains(informed, name):
			value, ok := plainText(raw)
			if !ok { // [IN-06]
				return information{}, errTokenInfo
			}
			in.text[name] = value
		}
	}
	if r.Err() != nil { // [IN-06]
		return information{}, errSyntax
	}
	return in, nil
}

// plainText is the text of a string, a number or a boolean.
func plainText(raw string) (string, bool) {
	switch {
	case raw == "" || raw[0] == '{' || raw[0] == '[' || raw[0] == 'n':
		return "", false
	case raw[0] != '"':
		return raw, true
	}
	b, err := jsontext.AppendUnquote(nil, raw)
	return string(b), err == nil
}

// inactive reports that a 400 is about the token and not about the request.
func (in information) inactive() bool {
	return in.problem == "invalid_token" || in.problem == "" && in.details != ""
}

// reply states the information as an introspection answer would, so that the
// same rules judge it. The client that it names is one that is not accepted
// where aud or azp is: the token was issued for somebody else (RFC 9700 §4.9).
func (in information) reply(issuer string, clients []string, now time.Time) (reply, error) {
	client, err := in.client(clients)
	if err != nil {
		return reply{}, err
	}
	expires, err := in.expires(now)
	if err != nil {
		return reply{}, err
	}
	if expires == 0 {
		return reply{}, nil
	}
	claims := []byte(`{"active":true`)
	claims = quoted(claims, "iss", issuer)
	claims = quoted(claims, "client_id", client)
	for _, name := range []string{"sub", "scope", "email"} {
		if value := in.text[name]; value != "" {
			claims = quoted(claims, name, value)
		}
	}
	if verified := in.text["email_verified"]; verified == "true" || verified == "false" {
		claims = append(claims, `,"email_verified":`+verified...)
	}
	claims = strconv.AppendInt(append(claims, `,"exp":`...), expires, 10)
	return reply{active: true, claims: string(append(claims, '}'))}, nil
}

func (in information) client(accepted []string) (string, error) {
	aud, azp := in.text["aud"], in.text["azp"]
	if aud == "" {
		return "", errTokenInfo
	}
	if !slices.Contains(accepted, aud) || azp == "" { // [IN-08]
		return aud, nil
	}
	return azp, nil
}

// expires returns exp, 0 if the token has expired.
func (in information) expires(now time.Time) (int64, error) {
	left, err := in.number("expires_in", 1)
	if err != nil {
		return 0, err
	}
	if left <= 0 { // [IN-07]
		return 0, nil
	}
	if in.text["exp"] == "" {
		if in.text["expires_in"] == "" { // [IN-07]
			return 0, errTokenInfo
		}
		return now.Unix() + left, nil
	}
	exp, err := in.number("exp", 0)
	return max(exp, 0), err
}

// number reads a number of seconds.
func (in information) number(name string, absent int64) (int64, error) {
	value := in.text[name]
	if value == "" {
		return absent, nil
	}
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil || n > 1<<36 {
		return 0, errTokenInfo
	}
	return n, nil
}

func quoted(to []byte, name, value string) []byte {
	to = append(to, `,"`+name+`":`...)
	out, err := jsontext.AppendQuote(to, value)
	if err != nil {
		return append(to, `""`...)
	}
	return out
}

// tokenInfoDialect asks without credentials for what a token is, as RFC 7662
// does not say.
type tokenInfoDialect struct {
	issuer  string
	clients []string
	clock   func() time.Time
}

func (*tokenInfoDialect) form(raw string) string { return "access_token=" + url.QueryEscape(raw) }

func (*tokenInfoDialect) accept() string { return "application/json" }

func (t *tokenInfoDialect) read(_ context.Context, resp egress.Response) (reply, *failure) {
	if f := judgeStatus(resp, t.clock(), http.StatusOK, http.StatusBadRequest); f != nil { // [IN-06]
		return reply{}, f
	}
	if !isJSON(mediaType(resp.Header)) { // [IN-06]
		if resp.Status != http.StatusOK {
			return reply{}, unusable(egress.StatusError(resp.Status))
		}
		return reply{}, wrongType()
	}
	in, err := readInformation(resp.Body)
	if err != nil {
		return reply{}, unusable(err)
	}
	if resp.Status == http.StatusBadRequest {
		if in.inactive() { // [IN-04]
			return reply{}, nil
		}
		return reply{}, unusable(egress.StatusError(resp.Status))
	}
	r, err := in.reply(t.issuer, t.clients, t.clock())
	if err != nil {
		return reply{}, unusable(err)
	}
	return r, nil
}
