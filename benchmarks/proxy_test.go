package benchmarks

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/bearward/bearward/bearwardtest"
	"github.com/bearward/bearward/internal/server"
	"github.com/bearward/bearward/internal/server/config"
)

// answering is an upstream that spends next to nothing: it answers each request
// without a body by the same bytes, from a handful of connections.
func answering(b *testing.B, size int) (origin string) {
	b.Helper()
	on, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = on.Close() })
	answer := "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " + strconv.Itoa(size) + "\r\n\r\n" + strings.Repeat("x", size)
	go func() {
		for {
			conn, err := on.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				for from := bufio.NewReader(conn); ; {
					line, err := from.ReadSlice('\n')
					if err != nil {
						return
					}
					if len(line) == 2 { // the end of the headers
						if _, err := io.WriteString(conn, answer); err != nil {
							return
						}
					}
				}
			}()
		}
	}()
	return "http://" + on.Addr().String()
}

// asking returns what sends the request, with more fields perhaps, and reads the
// answer, all on one connection.
func asking(b *testing.B, address, token string, size int, fields ...string) func() {
	b.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = conn.Close() })
	request := []byte("GET /orders HTTP/1.1\r\nHost: api.example.test\r\nAccept: application/json\r\nUser-Agent: bench\r\nAuthorization: Bearer " + token + "\r\n" + strings.Join(fields, "") + "\r\n")
	from := bufio.NewReaderSize(conn, 64<<10)
	return func() {
		if _, err := conn.Write(request); err != nil {
			panic(err)
		}
		line, err := from.ReadSlice('\n')
		if err != nil || !bytes.HasPrefix(line, []byte("HTTP/1.1 200 ")) {
			panic(fmt.Sprintf("%q, %v", line, err))
		}
		for len(line) > 2 {
			if line, err = from.ReadSlice('\n'); err != nil {
				panic(err)
			}
		}
		if _, err := from.Discard(size); err != nil {
			panic(err)
		}
	}
}

// serving starts bearward serve; mode are the lines of its file that say which.
func serving(b *testing.B, mode string) (address, token string) {
	b.Helper()
	issuer := bearwardtest.NewIssuer(b)
	file, err := config.Parse("serve.yaml", []byte(fmt.Sprintf(`listen: 127.0.0.1:0
%s
resource: https://api.example.test
issuers: [{issuer: "%s", allow_http: true}]
rules: [{match: "GET /orders", scopes: [read]}]
forward_headers: {X-Auth-Subject: sub, X-Auth-Client: client_id, X-Auth-Scope: scope}
`, mode, issuer.URL)))
	if err != nil {
		b.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	out, in := io.Pipe()
	done := make(chan error, 1)
	go func() { done <- server.Run(ctx, file, nil, in) }()
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			b.Error(err)
		}
	})
	return strings.TrimSpace(strings.TrimPrefix(line, "bearward: listening on ")), issuer.JWT(bearwardtest.Claims{Scope: "read"})
}

// BenchmarkProxy is serve in mode proxy, with a token that was seen before, beside
// httputil.ReverseProxy without any guard; client and upstream are in both.
// Target: 0.9 of its throughput, a ratio of 1.11.
func BenchmarkProxy(b *testing.B) {
	for _, size := range []int{200, 64 << 10} {
		b.Run(strconv.Itoa(size), func(b *testing.B) {
			upstream := answering(b, size)
			to, err := url.Parse(upstream)
			if err != nil {
				b.Fatal(err)
			}
			transport := &http.Transport{MaxIdleConnsPerHost: 256, DisableCompression: true}
			b.Cleanup(transport.CloseIdleConnections)
			bare := httptest.NewServer(&httputil.ReverseProxy{
				Transport: transport, FlushInterval: -1,
				Rewrite: func(r *httputil.ProxyRequest) {
					r.SetURL(to)
					r.SetXForwarded()
				},
			})
			b.Cleanup(bare.Close)
			address, token := serving(b, "mode: proxy\nupstream: "+upstream)
			ratio(b, asking(b, bare.Listener.Addr().String(), token, size), asking(b, address, token, size))
		})
	}
}
