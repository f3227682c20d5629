package demo

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/bearward/bearward/internal/prove"
)

const maxToken = 64 << 10

// outcome is what a case brought.
type outcome struct {
	status     int
	challenged bool
	nonce      string
}

// execute does what the case's line does.
func (d *Demo) execute(ctx context.Context, c Case, token string) (outcome, error) {
	if c.On == GRPC {
		return d.call(ctx, c, token)
	}
	through := client(d.connection(c))
	proof, err := d.sign(c, token, "")
	if err != nil {
		return outcome{}, err
	}
	if p := c.Token.Proof; p.Again || p.Nonce {
		first, err := d.send(ctx, through, c, token, proof)
		if err != nil {
			return outcome{}, err
		}
		if p.Again && first.status/100 != 2 {
			return outcome{}, fmt.Errorf("status %d where nothing was repeated yet", first.status)
		}
		if p.Nonce {
			if proof, err = d.sign(c, token, first.nonce); err != nil {
				return outcome{}, err
			}
		}
	}
	return d.send(ctx, through, c, token, proof)
}

// sign makes the proof of a case, if it has one.
func (d *Demo) sign(c Case, token, nonce string) (string, error) {
	if !c.proven() {
		return "", nil
	}
	method, target := c.split()
	values, err := d.wallet.key.Wrong(cmp.Or(c.Token.Proof.Kind, "valid"), prove.Claims{
		Method: method, URL: d.base(c.On) + target, Token: token, Nonce: nonce,
	})
	if err == nil && len(values) != 1 {
		err = fmt.Errorf("%d proofs of kind %q do not fit into one header", len(values), c.Token.Proof.Kind)
	}
	return strings.Join(values, " "), err
}

func (d *Demo) send(ctx context.Context, through *http.Client, c Case, token, proof string) (outcome, error) {
	fill := strings.NewReplacer(tokenPlace, token, proofPlace, proof)
	method, target := c.split()
	r, err := http.NewRequestWithContext(ctx, method, fill.Replace(d.base(c.On)+target), nil)
	if err != nil {
		return outcome{}, err
	}
	for _, h := range c.Header {
		name, value, _ := strings.Cut(fill.Replace(h), ": ")
		r.Header.Add(name, value)
	}
	resp, err := through.Do(r)
	if err != nil {
		return outcome{}, err
	}
	return outcome{resp.StatusCode, len(resp.Header["Www-Authenticate"]) > 0, resp.Header.Get("DPoP-Nonce")}, resp.Body.Close()
}

func (d *Demo) call(ctx context.Context, c Case, token string) (outcome, error) {
	method, target := c.split()
	call := Call{Addr: d.GRPC, Method: method, Stream: target == "stream"}
	if len(c.Header) > 0 {
		call.Token = token
	}
	if c.proven() {
		call.Key = d.wallet.key
	}
	reply, err := call.Do(ctx)
	return outcome{int(reply.Status.Code()), len(reply.Challenge) > 0, reply.Nonce}, err
}

// connection has the certificate of the case.
func (d *Demo) connection(c Case) *tls.Config {
	config := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: x509.NewCertPool()}
	config.RootCAs.AddCert(d.wallet.server.Leaf)
	if own := d.wallet.named(c.Token.Proof.Certificate); own.Leaf != nil {
		config.Certificates = []tls.Certificate{own}
	}
	return config
}

// client makes one connection for each request, as curl does.
func client(config *tls.Config) *http.Client {
	return &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true, TLSClientConfig: config},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       callTimeout,
	}
}

// fetch returns what a token endpoint answers.
func fetch(ctx context.Context, client *http.Client, url string) (string, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	resp, err := client.Do(r)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxToken))
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("the issuer says: %s", strings.TrimSpace(string(text)))
	}
	return string(text), err
}
