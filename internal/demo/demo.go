package demo

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"time"

	"github.com/bearward/bearward"
	"github.com/bearward/bearward/internal/issuer"
	"github.com/bearward/bearward/introspect"
	"github.com/bearward/bearward/middleware"
	"github.com/bearward/bearward/validate"
	"github.com/bearward/bearward/validate/dpop"
)

// Ports of a demo, each unless it is taken.
const (
	DefaultAddr = "127.0.0.1:8080" // net/http

	ginAddr      = "127.0.0.1:8081"
	grpcAddr     = "127.0.0.1:8082"
	tlsAddr      = "127.0.0.1:8443"
	issuerAddr   = "127.0.0.1:9000"
	strangerAddr = "127.0.0.1:9001"
	controlAddr  = "127.0.0.1:9002"
	freeAddr     = "127.0.0.1:0"

	closeTimeout = 5 * time.Second
)

// What the demo's servers know from each other.
const (
	apiClient  = "orders-api" // the API, as its issuer knows it
	apiSecret  = "demo: not secret"
	lostClient = "lost-phone" // its tokens are revoked
)

// Options say how a demo starts. The zero value is complete.
type Options struct {
	Addr string    // loopback address of net/http; default DefaultAddr, or a free port if it is taken
	Free bool      // take free ports from the start
	Log  io.Writer // is told why requests are refused; nil: nobody
}

// Demo is a running demo.
type Demo struct {
	State

	observer *observer
	guard    *middleware.Guard
	wallet   *wallet
	stop     []func() error // in order of the start
	failed   chan error
}

// Start starts everything and returns when it answers.
func Start(ctx context.Context, o Options) (*Demo, error) {
	d := &Demo{observer: &observer{out: o.Log}, failed: make(chan error, 5)} // one for each server
	if err := d.start(ctx, o); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

func (d *Demo) start(ctx context.Context, o Options) error {
	own, err := d.issuer(o, issuerAddr)
	if err != nil {
		return err
	}
	stranger, err := d.issuer(o, strangerAddr)
	if err != nil {
		return err
	}
	d.Resource, d.Issuer, d.Stranger = issuer.DefaultAudience, own.URL(), stranger.URL()
	if d.wallet, err = newWallet(); err != nil {
		return err
	}
	d.JKT, d.X5T, d.Nonce = d.wallet.key.Thumbprint(), Thumbprint(d.wallet.client.Leaf), rand.Text()+rand.Text()
	config, err := guardConfig(d.State)
	if err != nil {
		return err
	}
	config.Observer = d.observer
	if d.guard, err = bearward.New(ctx, config); err != nil {
		return err
	}
	d.stop = append(d.stop, d.guard.Close)
	if err := d.guard.Load(ctx); err != nil {
		return err
	}
	return d.listen(o, own)
}

// guardConfig is the one guard of the demo, and of bearward explain.
func guardConfig(s State) (bearward.Config, error) {
	revoked, err := revocations(s.Issuer)
	return bearward.Config{
		Resource: s.Resource,
		Issuers: []bearward.Issuer{{
			URL: s.Issuer, AllowHTTP: true,
			// No pause between fetches for unknown keys, so that the lines
			// work in every order and however often.
			Refresh: bearward.Refresh{Cooldown: time.Nanosecond},
			Introspection: &bearward.Introspection{
				Auth: introspect.Auth{Method: introspect.Basic, ClientID: apiClient, Secret: apiSecret},
				// As long as the tokens, so that whoever copies the lines of
				// an outage has time.
				Cache: introspect.CacheConfig{Positive: issuer.Lifetime},
			},
		}},
		// Host is believed, because everything is on loopback. What is
		// explained has nonces of the running demo.
		DPoP:       &dpop.Config{NonceKeys: [][]byte{[]byte(s.Nonce)}},
		Revocation: revoked,
		Logger:     slog.New(slog.DiscardHandler), // the observer says what matters here
	}, err
}

// revocations is a list that has one entry from the start.
func revocations(of string) (*validate.RevocationList, error) {
	list, err := validate.NewRevocationList(validate.RevocationListConfig{})
	if err != nil {
		return nil, err
	}
	return list, list.Revoke(context.Background(), validate.RevocationEntry{Issuer: of, ClientID: lostClient})
}

// Guard makes a guard that judges as the one of the running demo does.
func (s State) Guard(ctx context.Context) (*middleware.Guard, error) {
	config, err := guardConfig(s)
	if err != nil {
		return nil, err
	}
	return bearward.New(ctx, config)
}

func (d *Demo) issuer(o Options, addr string) (*issuer.Server, error) {
	config := issuer.Config{Addr: addr, TokenEndpoint: true, Clients: []issuer.Client{{ID: apiClient, Secret: apiSecret}}}
	if o.Free {
		config.Addr = freeAddr
	}
	s, err := issuer.Start(config)
	if err != nil && !o.Free {
		config.Addr = freeAddr
		s, err = issuer.Start(config)
	}
	if err == nil {
		d.stop = append(d.stop, s.Close)
	}
	return s, err
}

// Failed is told when a server ends by itself.
func (d *Demo) Failed() <-chan error { return d.failed }

// Close stops everything, the servers before what they use.
func (d *Demo) Close() error {
	var faults []error
	for i := len(d.stop) - 1; i >= 0; i-- {
		faults = append(faults, d.stop[i]())
	}
	d.stop = nil
	return errors.Join(faults...)
}
