package adapters_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"log/slog"
	"maps"
	"math/big"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bearward/bearward"
	"github.com/bearward/bearward/internal/challengetest"
	"github.com/bearward/bearward/internal/prove"
	"github.com/bearward/bearward/middleware"
	"github.com/bearward/bearward/validate"
	"github.com/bearward/bearward/validate/dpop"
)

// senders is a world in which tokens are bound to their senders.
type senders struct {
	*world
	key, stranger *prove.Key
	own, other    *tls.Certificate // the client's certificate, and somebody else's
	all           []delivery
}

func newSenders(t *testing.T) *senders {
	t.Helper()
	s := &senders{world: newWorld(t), own: certificate(t), other: certificate(t), all: deliveries(t)}
	for _, key := range []**prove.Key{&s.key, &s.stranger} {
		var err error
		if *key, err = prove.NewKey(""); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// certificate is a self-signed client certificate: possession is what counts.
// [MT-03]
func certificate(t *testing.T) *tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

func x5t(c *tls.Certificate) string {
	sum := sha256.Sum256(c.Certificate[0])
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// guarding makes a guard that accepts proofs.
func (s *senders) guarding(change func(*bearward.Config)) *middleware.Guard {
	s.t.Helper()
	cfg := bearward.Config{
		Resource: api, DPoP: &dpop.Config{},
		Issuers:  []bearward.Issuer{{URL: s.main.URL(), Name: "main", AllowHTTP: true}},
		Observer: s.events, Logger: slog.New(slog.DiscardHandler), Clock: s.clock.Now,
	}
	if change != nil {
		change(&cfg)
	}
	g, err := bearward.New(s.t.Context(), cfg)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = g.Close() })
	return g
}

// token is bound to what cnf says; nil: to nothing.
func (s *senders) token(cnf map[string]any) string {
	claims := map[string]any{"scope": "orders:read"}
	if cnf != nil {
		claims["cnf"] = cnf
	}
	return s.mint(s.main, "", claims)
}

func (s *senders) byKey() map[string]any  { return map[string]any{"jkt": s.key.Thumbprint()} }
func (s *senders) byCert() map[string]any { return map[string]any{"x5t#S256": x5t(s.own)} }
func (s *senders) byBoth() map[string]any {
	both := s.byKey()
	maps.Copy(both, s.byCert())
	return both
}

// claims are those of a right proof for a delivery.
func (s *senders) claims(d delivery, token string) prove.Claims {
	method, url := d.place()
	return prove.Claims{Method: method, URL: url, Token: token, Time: s.clock.Now()}
}

// proven is a request with a token and a right proof.
func (s *senders) proven(d delivery, token string, change ...func(*prove.Claims)) message {
	s.t.Helper()
	c := s.claims(d, token)
	for _, f := range change {
		f(&c)
	}
	proof, err := s.key.Sign(c)
	if err != nil {
		s.t.Fatal(err)
	}
	h := authorize("DPoP", token)
	h["Dpop"] = []string{proof}
	return message{header: h}
}

// expect demands the letter, the code of the event, and the challenges of both
// schemes with the error in the one that was used.
func (s *senders) expect(t *testing.T, v *verdict, want string, code validate.Code, used string, offered ...string) {
	t.Helper()
	v.is(t, want)
	events := s.events.take()
	if len(events) != 1 || events[0].Code != code {
		t.Errorf("events %+v, want one with code %q", events, code)
	}
	l := letters[want]
	if !l.challenge || want == ok || want == nothing {
		return
	}
	if offered == nil {
		offered = []string{"Bearer", "DPoP"}
	}
	var schemes []string
	for _, line := range v.challenges {
		c, err := challengetest.Parse(line)
		if err != nil {
			t.Fatal(err)
		}
		schemes = append(schemes, c.Scheme)
		wantErr := ""
		if c.Scheme == used || used == "" {
			wantErr = l.err // [ER-18]
		}
		if c.Params["error"] != wantErr || (c.Params["error_description"] != "") != (wantErr != "") {
			t.Errorf("error %q in %s, want %q", c.Params["error"], line, wantErr)
		}
		if algs := c.Params["algs"]; (algs == "ES256 PS256 RS256 Ed25519 EdDSA") != (c.Scheme == "DPoP") { // [ER-19]
			t.Errorf("algs %q in %s", algs, line)
		}
		if c.Params["realm"] != api || c.Params["resource_metadata"] == "" {
			t.Errorf("%s", line)
		}
	}
	if !slices.Equal(schemes, offered) { // [ER-17]
		t.Errorf("challenges %q, want %q", schemes, offered)
	}
}

func (s *senders) each(t *testing.T, f func(t *testing.T, d delivery)) {
	t.Helper()
	for _, d := range s.all {
		t.Run(d.name(), func(t *testing.T) {
			s.t = t
			s.events.take()
			f(t, d)
		})
	}
}

var read = middleware.Scopes("orders:read")

// TestProofs sends every kind of proof that can be signed, right and wrong ones.
// [DP-02 DP-03 DP-04 DP-05 DP-06 DP-07 DP-08 DP-09 DP-10 DP-11 DP-13 DP-14 DP-20 DP-28 JO-20]
func TestProofs(t *testing.T) {
	s := newSenders(t)
	s.each(t, func(t *testing.T, d delivery) {
		g := s.guarding(nil)
		token := s.token(s.byKey())
		for _, v := range prove.Variants() {
			t.Run(v.Name, func(t *testing.T) {
				values, err := s.key.Wrong(v.Name, s.claims(d, token))
				if err != nil {
					t.Fatal(err)
				}
				if strings.HasPrefix(d.name(), "gRPC") && unsendableInGRPC(values) {
					t.Skip("no gRPC client sends this")
				}
				m := message{header: authorize("DPoP", token)}
				if m.header["Dpop"] = values; len(values) == 0 {
					delete(m.header, "Dpop")
				}
				got := d.send(t, g, read, m)
				want := ok
				if v.Code != "" {
					want = string(rune(validate.Code(v.Code).Class()))
				}
				s.expect(t, &got, want, validate.Code(v.Code), "DPoP")
			})
		}
	})
}

// TestBindings holds token, scheme and route against each other.
// [DP-01 DP-15 DP-16 DP-17 DP-18 MT-01 MT-02 MT-04 MT-05 CL-21 CL-22 GR-12 HS-03 TR-02]
func TestBindings(t *testing.T) {
	s := newSenders(t)
	type sent struct {
		cnf    map[string]any
		scheme string
		by     *prove.Key // nil: no proof
		with   *tls.Certificate
	}
	anything, key, cert, both := middleware.IfBound, middleware.DPoP, middleware.MTLS, middleware.Bound
	bearerOnly, dpopOnly := []string{"Bearer"}, []string{"DPoP"}
	for _, c := range []struct {
		name    string
		sent    sent
		route   middleware.Binding
		schemes []string
		want    string
		code    validate.Code
		used    string
		offered []string
	}{
		{"unbound as Bearer", sent{nil, "Bearer", nil, nil}, anything, nil, ok, "", "", nil},
		{"by key", sent{s.byKey(), "DPoP", s.key, nil}, anything, nil, ok, "", "", nil},
		{"by key, scheme in small letters", sent{s.byKey(), "dpop", s.key, nil}, anything, nil, ok, "", "", nil},
		{"by certificate", sent{s.byCert(), "Bearer", nil, s.own}, anything, nil, ok, "", "", nil},
		{"by both", sent{s.byBoth(), "DPoP", s.key, s.own}, anything, nil, ok, "", "", nil},
		{"unbound, with a certificate that nobody asks for", sent{nil, "Bearer", nil, s.other}, anything, nil, ok, "", "", nil},
		{"by key, on a route for keys", sent{s.byKey(), "DPoP", s.key, nil}, key, nil, ok, "", "", nil},
		{"by certificate, on a route for certificates", sent{s.byCert(), "Bearer", nil, s.own}, cert, nil, ok, "", "", nil},
		{"by both, on a route for keys", sent{s.byBoth(), "DPoP", s.key, s.own}, key, nil, ok, "", "", nil},
		{"by both, on a route for certificates", sent{s.byBoth(), "DPoP", s.key, s.own}, cert, nil, ok, "", "", nil},
		{"by key, on a route for either", sent{s.byKey(), "DPoP", s.key, nil}, both, nil, ok, "", "", nil},
		{"by certificate, on a route for either", sent{s.byCert(), "Bearer", nil, s.own}, both, nil, ok, "", "", nil},

		{"stolen: by key as Bearer", sent{s.byKey(), "Bearer", nil, nil}, anything, nil, "T", validate.ErrConfirmationUnproven, "Bearer", nil},
		{"stolen: by key as Bearer, with a proof", sent{s.byKey(), "Bearer", s.key, nil}, anything, nil, "T", validate.ErrConfirmationUnproven, "Bearer", nil},
		{"stolen: proof by another key", sent{s.byKey(), "DPoP", s.stranger, nil}, anything, nil, "T", validate.ErrProofKeyMismatch, "DPoP", nil},
		{"stolen: no proof", sent{s.byKey(), "DPoP", nil, nil}, anything, nil, "P", validate.ErrProofMissing, "DPoP", nil},
		{"stolen: no certificate", sent{s.byCert(), "Bearer", nil, nil}, anything, nil, "T", validate.ErrCertificateMissing, "Bearer", nil},
		{"stolen: another certificate", sent{s.byCert(), "Bearer", nil, s.other}, anything, nil, "T", validate.ErrCertificateMismatch, "Bearer", nil},
		{"by both, as Bearer with the certificate", sent{s.byBoth(), "Bearer", nil, s.own}, anything, nil, "T", validate.ErrConfirmationUnproven, "Bearer", nil},
		{"by both, only the proof", sent{s.byBoth(), "DPoP", s.key, nil}, anything, nil, "T", validate.ErrCertificateMissing, "DPoP", nil},
		{"by both, the proof and another certificate", sent{s.byBoth(), "DPoP", s.key, s.other}, anything, nil, "T", validate.ErrCertificateMismatch, "DPoP", nil},
		{"unbound as DPoP", sent{nil, "DPoP", s.key, nil}, anything, nil, "T", validate.ErrTokenNotBound, "DPoP", nil},
		{"unbound as DPoP without proof", sent{nil, "DPoP", nil, nil}, anything, nil, "T", validate.ErrTokenNotBound, "DPoP", nil},
		{"by certificate as DPoP", sent{s.byCert(), "DPoP", s.key, s.own}, anything, nil, "T", validate.ErrTokenNotBound, "DPoP", nil},

		{"unbound, on a route for keys", sent{nil, "Bearer", nil, nil}, key, nil, "T", validate.ErrBindingRequired, "", dpopOnly},
		{"by certificate, on a route for keys", sent{s.byCert(), "Bearer", nil, s.own}, key, nil, "T", validate.ErrBindingRequired, "", dpopOnly},
		{"none, on a route for keys", sent{nil, "", nil, nil}, key, nil, "N", validate.ErrTokenMissing, "", dpopOnly},
		{"unbound, on a route for certificates", sent{nil, "Bearer", nil, s.own}, cert, nil, "T", validate.ErrBindingRequired, "Bearer", nil},
		{"by key, on a route for certificates", sent{s.byKey(), "DPoP", s.key, s.own}, cert, nil, "T", validate.ErrBindingRequired, "DPoP", nil},
		{"unbound, on a route for either", sent{nil, "Bearer", nil, s.own}, both, nil, "T", validate.ErrBindingRequired, "Bearer", nil},
		{"by key, where only Bearer is accepted", sent{s.byKey(), "DPoP", s.key, nil}, anything, bearerOnly, "T", validate.ErrSchemeRefused, "", bearerOnly},
		{"unbound, where only DPoP is accepted", sent{nil, "Bearer", nil, nil}, anything, dpopOnly, "T", validate.ErrSchemeRefused, "", dpopOnly},
		{"no token behind the scheme", sent{nil, "DPoP", nil, nil}, anything, nil, "R", validate.ErrRequestMalformed, "DPoP", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			s.each(t, func(t *testing.T, d delivery) {
				token := s.token(c.sent.cnf)
				m := message{header: authorize(c.sent.scheme, token), certificate: c.sent.with}
				switch {
				case c.code == validate.ErrTokenMissing:
					m.header = http.Header{}
				case c.code == validate.ErrRequestMalformed:
					m.header = authorize(c.sent.scheme, "")
				}
				if c.sent.by != nil {
					proof, err := c.sent.by.Sign(s.claims(d, token))
					if err != nil {
						t.Fatal(err)
					}
					m.header["Dpop"] = []string{proof}
				}
				p := middleware.Policy{Binding: c.route, Schemes: c.schemes}
				got := d.send(t, s.guarding(nil), p, m)
				s.expect(t, &got, c.want, c.code, c.used, c.offered...)
			})
		})
	}
}

// TestTwoTokens: what is ambiguous is told in every scheme. [TR-05 ER-18]
func TestTwoTokens(t *testing.T) {
	s := newSenders(t)
	s.each(t, func(t *testing.T, d delivery) {
		m := s.proven(d, s.token(s.byKey()))
		m.header["Authorization"] = append(m.header["Authorization"], "Bearer "+s.token(nil))
		got := d.send(t, s.guarding(nil), read, m)
		s.expect(t, &got, "R", validate.ErrTokenRepeated, "")
	})
}

// TestReplay: a proof passes once, whatever else is right. [DP-20 DP-21 TR-18]
func TestReplay(t *testing.T) {
	s := newSenders(t)
	s.each(t, func(t *testing.T, d delivery) {
		g, token := s.guarding(nil), s.token(s.byKey())
		m := s.proven(d, token)
		first := d.send(t, g, read, m)
		s.expect(t, &first, ok, "", "")
		second := d.send(t, g, read, m)
		s.expect(t, &second, "P", validate.ErrProofReplayed, "DPoP")
		fresh := d.send(t, g, read, s.proven(d, token))
		s.expect(t, &fresh, ok, "", "")
		// The same jti of another key is another proof: nobody can use up a
		// client's proofs.
		id := func(c *prove.Claims) { c.ID = "same" }
		mine := d.send(t, g, read, s.proven(d, token, id))
		s.expect(t, &mine, ok, "", "")
		s.key, s.stranger = s.stranger, s.key
		theirs := d.send(t, g, read, s.proven(d, s.token(s.byKey()), id))
		s.expect(t, &theirs, ok, "", "")
		again := d.send(t, g, read, s.proven(d, s.token(s.byKey()), id))
		s.expect(t, &again, "P", validate.ErrProofReplayed, "DPoP")
	})
}

// TestRefusedIsNotSpent: a request that is refused before its proof is looked
// up does not use the proof up. [DP-21]
func TestRefusedIsNotSpent(t *testing.T) {
	s := newSenders(t)
	s.each(t, func(t *testing.T, d delivery) {
		g := s.guarding(nil)
		m := s.proven(d, s.token(s.byBoth()))
		refused := d.send(t, g, read, m)
		s.expect(t, &refused, "T", validate.ErrCertificateMissing, "DPoP")
		m.certificate = s.own
		passes := d.send(t, g, read, m)
		s.expect(t, &passes, ok, "", "")
	})
}

// TestStrayProof: beside an unbound bearer token a proof means nothing, or is
// refused. [DP-19]
func TestStrayProof(t *testing.T) {
	s := newSenders(t)
	s.each(t, func(t *testing.T, d delivery) {
		m := message{header: authorize("Bearer", s.token(nil))}
		m.header["Dpop"] = []string{"anything", "at all"}
		ignored := d.send(t, s.guarding(nil), read, m)
		s.expect(t, &ignored, ok, "", "")
		strict := s.guarding(func(c *bearward.Config) { c.DPoP.RefuseStray = true })
		refused := d.send(t, strict, read, m)
		s.expect(t, &refused, "R", validate.ErrProofStray, "Bearer")
	})
}

// TestNotOffered: without DPoP its scheme is a foreign one, and tokens that are
// bound to a key stay refused. [TR-07 DP-16]
func TestNotOffered(t *testing.T) {
	s := newSenders(t)
	s.each(t, func(t *testing.T, d delivery) {
		g := s.guarding(func(c *bearward.Config) { c.DPoP = nil })
		token := s.token(s.byKey())
		foreign := d.send(t, g, read, s.proven(d, token))
		s.expect(t, &foreign, "N", validate.ErrTokenMissing, "", "Bearer")
		bound := d.send(t, g, read, message{header: authorize("Bearer", token)})
		s.expect(t, &bound, "T", validate.ErrConfirmationUnproven, "Bearer", "Bearer")
	})
}
