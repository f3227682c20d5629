package benchmarks

import (
	"net"
	"net/http"
	"testing"
	"time"
)

// BenchmarkForwardAuth is serve in mode forward-auth, with a token that was seen
// before, beside the same server that always gives the same answer. Target: 1.15.
// The proxy that asks is in both, and as cheap as can be.
func BenchmarkForwardAuth(b *testing.B) {
	address, token := serving(b, "mode: forward-auth\nforward_auth: {headers: x-original}\ntrusted_proxies: [127.0.0.1]")
	question := []string{
		"X-Original-Method: GET\r\n", "X-Original-URI: /orders\r\n", "X-Original-Proto: https\r\n", "X-Original-Host: api.example.test\r\n",
	}
	ratio(b, asking(b, constant(b), token, 0, question...), asking(b, address, token, 0, question...))
}

// constant is the address of a server that allows everything.
func constant(b *testing.B) string {
	b.Helper()
	on, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	answer := http.Header{"X-Auth-Subject": {"user-1"}, "X-Auth-Client": {"client-1"}, "X-Auth-Scope": {"read"}, "Cache-Control": {"no-store"}}
	s := &http.Server{
		ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 120 * time.Second,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			h := w.Header()
			for name, values := range answer {
				h[name] = values
			}
			w.WriteHeader(http.StatusOK)
		}),
	}
	go func() { _ = s.Serve(on) }()
	b.Cleanup(func() { _ = s.Close() })
	return on.Addr().String()
}
