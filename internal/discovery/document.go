package discovery

import (
	"mime"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bearward/bearward/internal/egress"
	"github.com/bearward/bearward/internal/strictjson"
)

// Member is a member of a Document that a reader may need.
type Member string

// The members that can be needed.
const (
	JWKSURI               Member = "jwks_uri"
	IntrospectionEndpoint Member = "introspection_endpoint"
)

// Document is what is read of an issuer's metadata; "" is a member that is
// absent. Algorithm lists and signed_metadata are not read: neither names the
// algorithms of access tokens, nor is there an anchor to trust.
type Document struct {
	Issuer                string
	JWKSURI               string
	IntrospectionEndpoint string
	// MTLSIntrospectionEndpoint is the alias for callers with a client
	// certificate (RFC 8705 §5).
	MTLSIntrospectionEndpoint string
}

// missing returns the first of needs that d lacks.
func (d Document) missing(needs []Member) error {
	for _, need := range needs {
		has := d.JWKSURI
		if need == IntrospectionEndpoint {
			has = d.IntrospectionEndpoint + d.MTLSIntrospectionEndpoint
		}
		if has == "" { // [JK-05]
			return MissingError(need)
		}
	}
	return nil
}

// parse reads a document that is this issuer's.
func parse(resp egress.Response, issuer string, needs []Member) (Document, error) {
	if resp.Status != http.StatusOK { // [JK-05]
		return Document{}, egress.StatusError(resp.Status)
	}
	kind, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" && !strings.HasSuffix(kind, "+json") { // [JK-05]
		return Document{}, ErrDocument
	}
	doc, err := read(resp.Body)
	if err != nil { // [JK-05]
		return Document{}, ErrDocument
	}
	if doc.Issuer != issuer { // [JK-02]
		return Document{}, ErrIssuer
	}
	if err := doc.missing(needs); err != nil {
		return Document{}, err
	}
	return doc, nil
}

func read(body string) (doc Document, err error) {
	r := strictjson.Open(body)
	for name, ok := r.Next(); ok; name, ok = r.Next() {
		switch name {
		case "issuer":
			doc.Issuer = r.Text()
		case "jwks_uri":
			doc.JWKSURI = r.Text()
		case "introspection_endpoint":
			doc.IntrospectionEndpoint = text(r.Raw())
		case "mtls_endpoint_aliases":
			doc.MTLSIntrospectionEndpoint = alias(r.Raw())
		}
	}
	return doc, r.Err()
}

// alias reads the endpoint out of mtls_endpoint_aliases.
func alias(raw string) (found string) {
	r := strictjson.Open(raw)
	for name, ok := r.Next(); ok; name, ok = r.Next() {
		if name == "introspection_endpoint" {
			found = text(r.Raw())
		}
	}
	return found
}

// text returns a JSON string's text. Any other value, as null, counts as
// absent: whoever needs keys only must not fail because of an endpoint.
func text(raw string) string {
	out, err := jsontext.AppendUnquote(nil, raw)
	if err != nil {
		return ""
	}
	return string(out)
}
