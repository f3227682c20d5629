package main

import (
	"bufio"
	"context"
	"io"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/bearward/bearward/benchmarks/load/drive"
	"github.com/bearward/bearward/benchmarks/load/stand"
	"github.com/bearward/bearward/internal/prove"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// start runs a variant until the test ends, with n tokens.
func start(t *testing.T, n, variant, jkt string) (address string, tokens []string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "tokens")
	ctx, cancel := context.WithCancel(t.Context())
	out, in := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := stand.Run(ctx, []string{"-variant", variant, "-tokens", n, "-jkt", jkt, file}, in, variants)
		_ = in.CloseWithError(err)
		ended <- err
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if address, found := strings.CutPrefix(lines.Text(), "listening "); found {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			return address, strings.Fields(string(text))
		}
	}
	t.Fatal("no address: ", lines.Err())
	return "", nil
}

// send wants only this status for the credentials.
func send(t *testing.T, address string, status int, p drive.Plan) {
	t.Helper()
	p.Address, p.Path, p.Connections = address, "/orders", 4
	if p.Duration == 0 {
		p.Duration, p.Once = time.Minute, true
	}
	r, err := p.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if want := map[int]uint64{status: r.Latency.Count()}; !maps.Equal(r.Statuses, want) || r.Latency.Count() == 0 {
		t.Errorf("statuses %v, want %v", r.Statuses, want)
	}
}

// forge changes a character in the middle of the signature.
func forge(token string) string {
	i := strings.LastIndexByte(token, '.') + 20
	other := "A"
	if token[i] == 'A' {
		other = "B"
	}
	return token[:i] + other + token[i+1:]
}

func bearer(tokens ...string) (c []drive.Credentials) {
	for _, token := range tokens {
		c = append(c, drive.Credentials{Scheme: "Bearer", Token: token})
	}
	return c
}

func TestBearer(t *testing.T) {
	for variant, refusal := range map[string]int{"none": 200, "floor": 200, "cached": 401, "uncached": 401} {
		t.Run(variant, func(t *testing.T) {
			address, tokens := start(t, "50", variant, "")
			distinct := map[string]bool{}
			for _, token := range tokens {
				distinct[token] = true
			}
			if len(distinct) != 50 {
				t.Fatalf("%d distinct tokens", len(distinct))
			}
			send(t, address, 200, drive.Plan{Credentials: bearer(tokens...)})
			send(t, address, 200, drive.Plan{Credentials: bearer(tokens...), Duration: 300 * time.Millisecond})
			send(t, address, 200, drive.Plan{Credentials: bearer(tokens[0]), Duration: 300 * time.Millisecond})
			send(t, address, refusal, drive.Plan{Credentials: bearer(forge(tokens[0]), forge(tokens[1]), "x", tokens[0]+"x")})
		})
	}
}

func TestDPoP(t *testing.T) {
	key, err := prove.NewKey("")
	if err != nil {
		t.Fatal(err)
	}
	address, tokens := start(t, "2", "dpop", key.Thumbprint())
	proofs := make([]drive.Credentials, 100)
	for i := range proofs {
		proofs[i] = drive.Credentials{Scheme: "DPoP", Token: tokens[i%2]}
		if proofs[i].Proof, err = key.Sign(prove.Claims{URL: "http://" + address + "/orders", Token: tokens[i%2]}); err != nil {
			t.Fatal(err)
		}
	}
	send(t, address, 200, drive.Plan{Credentials: proofs})
	send(t, address, 401, drive.Plan{Credentials: proofs}) // used
	send(t, address, 401, drive.Plan{Credentials: bearer(tokens...)})
	unbound, plain := start(t, "1", "dpop", "")
	send(t, unbound, 401, drive.Plan{Credentials: bearer(plain...)})
	send(t, address, 401, drive.Plan{Credentials: []drive.Credentials{{Scheme: "DPoP", Token: forge(tokens[0]), Proof: proofs[0].Proof}}})
}

// TestSameIssuer: a server can take another's issuer.
func TestSameIssuer(t *testing.T) {
	own, err := stand.NewIssuer("ES256")
	if err != nil {
		t.Fatal(err)
	}
	defer own.Close()
	for _, args := range [][]string{
		{"-variant", "cached", "-issuer", own.URL(), "-for", "50ms"},
		{"-variant", "cached", "-alg", "ES256", "-for", "50ms"},
	} {
		var out strings.Builder
		if err := stand.Run(t.Context(), args, &out, variants); err != nil || !strings.Contains(out.String(), "issuer http://127.0.0.1:") {
			t.Errorf("%s %v", out.String(), err)
		}
	}
}

func TestUsage(t *testing.T) {
	for _, args := range [][]string{
		{},
		{"-variant", "all"},
		{"-variant", "none", "-tokens", "2"},
		{"-variant", "none", "file"},
		{"-variant", "none", "-tokens", "-1", "file"},
		{"-variant", "none", "-tokens", "2", "file", "more"},
		{"-variant", "none", "-tokens", "2", "-issuer", "http://127.0.0.1:1", "file"},
		{"-variant", "none", "-tokens", "2", filepath.Join("no such directory", "file")},
		{"-variant", "none", "-alg", "HS256"},
		{"-variant", "none", "-addr", "0.0.0.0:0"},
		{"-variant", "none", "-addr", "nowhere"},
		{"-variant", "cached", "-issuer", "https://"},
	} {
		if err := stand.Run(t.Context(), args, io.Discard, variants); err == nil {
			t.Errorf("%q is accepted", args)
		}
	}
}
