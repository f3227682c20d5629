package demo

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"google.golang.org/grpc"

	"github.com/bearward/bearward/internal/issuer"
)

func (d *Demo) listen(o Options, own *issuer.Server) error {
	if o.Addr != "" && !Loopback(o.Addr) {
		return fmt.Errorf("the demo hands out tokens to everybody, so it listens on loopback only, and %s is not", o.Addr)
	}
	api := overHTTP(d.guard)
	for _, s := range []struct {
		addr    string
		fixed   bool // no other port will do
		handler http.Handler
		scheme  string
		url     *string
	}{
		{cmp.Or(o.Addr, DefaultAddr), o.Addr != "", api, "http", &d.HTTP},
		{ginAddr, false, overGin(d.guard), "http", &d.Gin},
		{tlsAddr, false, api, "https", &d.TLS},
		{controlAddr, false, control(own), "http", &d.Control},
	} {
		l, err := listen(s.addr, s.fixed, o.Free)
		if err != nil {
			return err
		}
		*s.url = s.scheme + "://" + l.Addr().String()
		if s.scheme == "https" {
			// Clients are asked for a certificate, and any is taken: what counts
			// is who has its key, and which one the token is bound to.
			l = tls.NewListener(l, &tls.Config{
				MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{d.wallet.server}, ClientAuth: tls.RequestClientCert,
			})
		}
		d.serveHTTP(l, s.handler)
	}
	l, err := listen(grpcAddr, false, o.Free)
	if err != nil {
		return err
	}
	d.GRPC = l.Addr().String()
	d.serveGRPC(l, overGRPC(d.guard))
	return nil
}

// listen takes the address, or a free port where another will do.
func listen(addr string, fixed, free bool) (net.Listener, error) {
	if free && !fixed {
		return net.Listen("tcp", freeAddr)
	}
	l, err := net.Listen("tcp", addr)
	if err != nil && !fixed {
		return net.Listen("tcp", freeAddr)
	}
	return l, err
}

func (d *Demo) serveHTTP(l net.Listener, handler http.Handler) {
	server := &http.Server{Handler: handler, ReadHeaderTimeout: closeTimeout}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			d.failed <- err
		}
	}()
	d.stop = append(d.stop, func() error {
		ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
		defer cancel()
		err := server.Shutdown(ctx)
		if err != nil {
			err = errors.Join(err, server.Close())
		}
		<-done
		return err
	})
}

func (d *Demo) serveGRPC(l net.Listener, server *grpc.Server) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := server.Serve(l); err != nil {
			d.failed <- err
		}
	}()
	d.stop = append(d.stop, func() error {
		timer := time.AfterFunc(closeTimeout, server.Stop)
		defer timer.Stop()
		server.GracefulStop()
		<-done
		return nil
	})
}
