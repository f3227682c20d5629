package issuer

import (
	"crypto"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Client is a registered resource server. Every credential that is set is
// accepted.
type Client struct {
	ID          string
	Secret      string            // client_secret_basic and client_secret_post
	Raw         bool              // Basic without the form encoding of RFC 6749 §2.3.1, as some real servers want it
	Key         crypto.PublicKey  // private_key_jwt
	Certificate *x509.Certificate // self_signed_tls_client_auth: exactly this one
	DNSName     string            // tls_client_auth: any from Config.ClientCAs with this name
	Bearer      string            // an access token for the endpoints
}

// Call is how a client was authenticated, and what it asked for.
type Call struct {
	ClientID string
	Method   string // client_secret_basic, …, or bearer
	Audience string // of private_key_jwt's assertion: the accepted one
	Hint     string // token_type_hint
	Accept   string
}

// LastCall returns the last introspection or revocation by a client that was
// authenticated.
func (s *Server) LastCall() Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.book.last
}

func (c *Config) checkClients() []error {
	var faults []error
	seen := map[string]bool{}
	for _, client := range c.Clients {
		if client.ID == "" || seen[client.ID] {
			faults = append(faults, fmt.Errorf("issuer: client %q has no name or that of another", client.ID))
		}
		seen[client.ID] = true
		if client.Secret == "" && client.Key == nil && client.Certificate == nil && client.DNSName == "" && client.Bearer == "" {
			faults = append(faults, fmt.Errorf("issuer: client %q has no credential", client.ID))
		}
		if (client.Certificate != nil || client.DNSName != "") && !c.TLS {
			faults = append(faults, fmt.Errorf("issuer: client %q has a certificate, which needs TLS", client.ID))
		}
		if client.DNSName != "" && c.ClientCAs == nil {
			faults = append(faults, fmt.Errorf("issuer: client %q has a name in its certificate, which needs ClientCAs", client.ID))
		}
	}
	return faults
}

var (
	errSeveral = errors.New("several ways to authenticate in one request") // RFC 6749 §2.3
	errClient  = errors.New("the client is not authenticated")
)

// authenticate returns who the client proves to be.
func (s *Server) authenticate(r *http.Request) (Call, error) {
	scheme, value, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	used := []struct {
		method string
		used   bool
		check  func() (Call, bool)
	}{
		{"client_secret_basic", strings.EqualFold(scheme, "Basic"), func() (Call, bool) { return s.basic(value) }},
		{"bearer", strings.EqualFold(scheme, "Bearer"), func() (Call, bool) { return s.bearer(value) }},
		{"client_secret_post", r.PostForm.Has("client_secret"), func() (Call, bool) { return s.secret(r.PostForm) }},
		{"private_key_jwt", r.PostForm.Has("client_assertion"), func() (Call, bool) { return s.assertion(r.PostForm) }},
		{"tls", false, func() (Call, bool) { return s.certificate(r) }},
	}
	chosen := len(used) - 1 // a certificate counts where there is nothing else
	for i, u := range used {
		if u.used && chosen != len(used)-1 {
			return Call{}, errSeveral
		}
		if u.used {
			chosen = i
		}
	}
	call, ok := used[chosen].check()
	if id := r.PostForm.Get("client_id"); !ok || len(r.Header.Values("Authorization")) > 1 || id != "" && id != call.ClientID {
		return Call{}, errClient
	}
	if call.Method == "" {
		call.Method = used[chosen].method
	}
	return call, nil
}

// one returns the call of the one client that fits.
func (s *Server) one(fits func(Client) bool) (Call, bool) {
	i := slices.IndexFunc(s.config.Clients, fits)
	if i < 0 {
		return Call{}, false
	}
	return Call{ClientID: s.config.Clients[i].ID}, true
}

func (s *Server) basic(value string) (Call, bool) {
	text, err := base64.StdEncoding.DecodeString(value)
	id, secret, ok := strings.Cut(string(text), ":")
	decodedID, badID := url.QueryUnescape(id)
	decoded, badSecret := url.QueryUnescape(secret)
	return s.one(func(c Client) bool {
		switch {
		case err != nil || !ok || c.Secret == "":
			return false
		case c.Raw:
			return id == c.ID && secret == c.Secret
		}
		return badID == nil && badSecret == nil && decodedID == c.ID && decoded == c.Secret
	})
}

func (s *Server) bearer(value string) (Call, bool) {
	return s.one(func(c Client) bool { return c.Bearer != "" && c.Bearer == value })
}

func (s *Server) secret(form url.Values) (Call, bool) {
	return s.one(func(c Client) bool {
		return c.Secret != "" && c.ID == form.Get("client_id") && c.Secret == form.Get("client_secret")
	})
}

// certificate is RFC 8705 §2: the form names the client, TLS proves the key.
func (s *Server) certificate(r *http.Request) (Call, bool) {
	if r.TLS == nil || len(r.TLS.PeerCertificates) == 0 {
		return Call{}, false
	}
	sent := r.TLS.PeerCertificates
	method := ""
	call, ok := s.one(func(c Client) bool {
		switch {
		case c.ID != r.PostForm.Get("client_id"):
			return false
		case c.Certificate != nil && c.Certificate.Equal(sent[0]):
			method = "self_signed_tls_client_auth"
		case c.DNSName != "" && slices.Contains(sent[0].DNSNames, c.DNSName) && s.chained(sent):
			method = "tls_client_auth"
		}
		return method != ""
	})
	call.Method = method
	return call, ok
}

func (s *Server) chained(sent []*x509.Certificate) bool {
	between := x509.NewCertPool()
	for _, c := range sent[1:] {
		between.AddCert(c)
	}
	_, err := sent[0].Verify(x509.VerifyOptions{
		Roots: s.config.ClientCAs, Intermediates: between, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	return err == nil
}
