package egress

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// A server that switches protocols owns the connection from then on: nothing
// ends a read of it, no timeout and no context. It is not read.
func TestSwitchedProtocolsAreNotRead(t *testing.T) { // [JK-07]
	held := make(chan net.Conn, 1)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = conn.Write([]byte("HTTP/1.1 101 Switching Protocols\r\nUpgrade: other\r\nConnection: Upgrade\r\n\r\n{"))
		held <- conn
	}))
	t.Cleanup(srv.Close)
	c := client(t, Config{AllowHTTP: true, Timeout: 200 * time.Millisecond})
	done := make(chan Response, 1)
	go func() {
		resp, err := c.Do(context.Background(), post(srv.URL))
		tells(t, err)
		done <- resp
	}()
	conn := <-held
	defer func() { _ = conn.Close() }()
	select {
	case resp := <-done:
		if resp.Status != http.StatusSwitchingProtocols || resp.Body != "" {
			t.Errorf("%+v", resp)
		}
	case <-time.After(5 * time.Second): // only if it fails
		t.Error("the exchange does not end")
		_ = conn.Close()
		<-done
	}
}
