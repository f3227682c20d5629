package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/bearward/bearward/benchmarks/load/drive"
	"github.com/bearward/bearward/benchmarks/load/stand"
	"github.com/bearward/bearward/internal/issuer"
	"github.com/bearward/bearward/internal/prove"
)

const path = "/orders"

// patience is how long something may take that ends by itself.
const patience = 20 * time.Second

// workload is a kind of request, and who is asked.
type workload struct {
	name        string
	variants    []string
	once        bool   // the counted credentials can be used once only
	file        string // tokens for wrk; empty: not by wrk
	credentials func(address string) (requests, error)
}

// requests are what is sent, first to warm up.
type requests struct{ warm, counted []drive.Credentials }

// prepare mints all tokens, and makes keys and files.
func (b *bench) prepare(ctx context.Context, own *issuer.Server) ([]workload, error) {
	tokens, err := stand.Mint(ctx, own, b.tokens, "")
	if err != nil {
		return nil, err
	}
	alone := slices.Repeat(tokens[:1], wrkThreads)
	err = errors.Join(
		stand.WriteLines(filepath.Join(b.dir, "one"), alone),
		stand.WriteLines(filepath.Join(b.dir, "all"), slices.Concat(tokens, alone[1:])),
	)
	if err != nil {
		return nil, err
	}
	bound, err := b.clientsOf(ctx, own)
	if err != nil {
		return nil, err
	}
	one, all := slices.Repeat(bearer(tokens[:1]), 1000), bearer(tokens)
	plain := []string{without, "floor", "cached", "uncached"}
	for _, r := range b.rivals {
		plain = append(plain, r.name)
	}
	return []workload{
		{name: repeated, variants: plain, file: "one", credentials: func(string) (requests, error) { return requests{one, one[:1]}, nil }},
		{name: rotating, variants: plain, file: "all", credentials: func(string) (requests, error) { return requests{all, all}, nil }},
		{name: fresh, variants: []string{without, "dpop"}, once: true, credentials: func(address string) (requests, error) {
			all, err := proven(bound, "http://"+address+path, b.clients+b.proofs)
			return requests{all[:b.clients], all[b.clients:]}, err
		}},
	}, nil
}

func bearer(tokens []string) []drive.Credentials {
	c := make([]drive.Credentials, len(tokens))
	for i, token := range tokens {
		c[i] = drive.Credentials{Scheme: "Bearer", Token: token}
	}
	return c
}

// client is a DPoP client: its key and its token.
type client struct {
	key   *prove.Key
	token string
}

func (b *bench) clientsOf(ctx context.Context, own *issuer.Server) ([]client, error) {
	clients := make([]client, b.clients)
	for i := range clients {
		key, err := prove.NewKey(prove.DefaultAlgorithm)
		if err != nil {
			return nil, err
		}
		tokens, err := stand.Mint(ctx, own, 1, key.Thumbprint())
		if err != nil {
			return nil, err
		}
		clients[i] = client{key, tokens[0]}
	}
	return clients, nil
}

// proven signs n requests, of one client after the other, on all cores.
func proven(clients []client, url string, n int) ([]drive.Credentials, error) {
	out := make([]drive.Credentials, n)
	faults := make([]error, runtime.GOMAXPROCS(0))
	var all sync.WaitGroup
	for first := range faults {
		all.Go(func() {
			for i := first; i < n && faults[first] == nil; i += len(faults) {
				c := clients[i%len(clients)]
				out[i] = drive.Credentials{Scheme: "DPoP", Token: c.token}
				out[i].Proof, faults[first] = c.key.Sign(prove.Claims{URL: url, Token: c.token})
			}
		})
	}
	all.Wait()
	return out, errors.Join(faults...)
}

// right wants status 200, and nothing else.
func right(r *drive.Result, err error) (*drive.Result, error) {
	if err == nil && (len(r.Statuses) != 1 || r.Statuses[200] == 0) {
		err = fmt.Errorf("answers by status: %v", r.Statuses)
	}
	return r, err
}

func summary(r *drive.Result, err error) (sample, uint64, error) {
	if err != nil {
		return sample{}, 0, err
	}
	l := &r.Latency
	return sample{
		rate: r.Rate(), p50: l.Quantile(0.5), p90: l.Quantile(0.9), p99: l.Quantile(0.99), p999: l.Quantile(0.999), max: l.Max(),
	}, l.Count(), nil
}
